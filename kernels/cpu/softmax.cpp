#include "../softmax.h"

#include <algorithm>
#include <cmath>

#include "cpu_queue.h"

namespace ratnet::inline v1 {
namespace {

// function(first, last) over pieces of the rows of a [..., K] tensor.
template <class Function>
void for_rows(CpuQueue& queue, const Shape& shape, Function&& function) {
  const std::int64_t count = shape.count();
  if (count == 0) return;
  const std::int64_t rows = count / shape.back();
  const std::int64_t piece = std::max<std::int64_t>(1, kPiece / shape.back());
  parallel_for(*queue.executor, (rows + piece - 1) / piece,
               [&](std::int64_t p, int) { function(p * piece, std::min(rows, (p + 1) * piece)); });
}

template <class T>
T largest(const T* x, std::int64_t k) {
  return *std::max_element(x, x + k);
}

template <class T>
void softmax(const Softmax& op, std::int64_t first, std::int64_t last) {
  const std::int64_t k = op.x.shape.back();
  for (std::int64_t row = first; row < last; ++row) {
    const T* x = op.x.as<T>() + row * k;
    T* y = op.y.as<T>() + row * k;
    const T top = largest(x, k);
    const T scale = static_cast<T>(1 / op.temperature);
    double sum = 0;
    for (std::int64_t i = 0; i < k; ++i) sum += y[i] = std::exp((x[i] - top) * scale);
    for (std::int64_t i = 0; i < k; ++i) y[i] = static_cast<T>(y[i] / sum);
  }
}

template <class T>
void log_softmax(const Softmax& op, std::int64_t first, std::int64_t last) {
  const std::int64_t k = op.x.shape.back();
  for (std::int64_t row = first; row < last; ++row) {
    const T* x = op.x.as<T>() + row * k;
    T* y = op.y.as<T>() + row * k;
    const T top = largest(x, k);
    const T scale = static_cast<T>(1 / op.temperature);
    double sum = 0;
    for (std::int64_t i = 0; i < k; ++i) sum += std::exp((x[i] - top) * scale);
    const double log_sum = std::log(sum);
    for (std::int64_t i = 0; i < k; ++i) y[i] = static_cast<T>((x[i] - top) * scale - log_sum);
  }
}

template <class T>
void softmax_backward(const SoftmaxBackward& op, std::int64_t first, std::int64_t last) {
  const std::int64_t k = op.y.shape.back();
  for (std::int64_t row = first; row < last; ++row) {
    const T* y = op.y.as<T>() + row * k;
    const T* dy = op.dy.as<T>() + row * k;
    T* dx = op.dx.as<T>() + row * k;
    double sum = 0;
    for (std::int64_t i = 0; i < k; ++i) sum += static_cast<double>(dy[i]) * y[i];
    for (std::int64_t i = 0; i < k; ++i)
      dx[i] = static_cast<T>(y[i] * (dy[i] - sum) / op.temperature);
  }
}

template <class T>
void log_softmax_backward(const SoftmaxBackward& op, std::int64_t first, std::int64_t last) {
  const std::int64_t k = op.y.shape.back();
  for (std::int64_t row = first; row < last; ++row) {
    const T* y = op.y.as<T>() + row * k;
    const T* dy = op.dy.as<T>() + row * k;
    T* dx = op.dx.as<T>() + row * k;
    double sum = 0;
    for (std::int64_t i = 0; i < k; ++i) sum += dy[i];
    for (std::int64_t i = 0; i < k; ++i)
      dx[i] = static_cast<T>((dy[i] - std::exp(y[i]) * sum) / op.temperature);
  }
}

// function(T{}) with the type of a tensor.
template <class Function>
void for_type(DType dtype, Function&& function) {
  dtype == DType::f64 ? function(double{}) : function(float{});
}

}  // namespace

void run(CpuQueue& queue, const Softmax& op) {
  for_rows(queue, op.x.shape, [&](std::int64_t first, std::int64_t last) {
    for_type(op.x.dtype, [&]<class T>(T) {
      op.log ? log_softmax<T>(op, first, last) : softmax<T>(op, first, last);
    });
  });
}

void run(CpuQueue& queue, const SoftmaxBackward& op) {
  for_rows(queue, op.y.shape, [&](std::int64_t first, std::int64_t last) {
    for_type(op.y.dtype, [&]<class T>(T) {
      op.log ? log_softmax_backward<T>(op, first, last) : softmax_backward<T>(op, first, last);
    });
  });
}

}  // namespace ratnet::inline v1
