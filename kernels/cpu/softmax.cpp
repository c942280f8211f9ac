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
  if (count) for_pieces_of(queue, count / shape.back(), shape.back(), function);
}

template <class T>
T largest(const T* x, std::int64_t k) {
  return *std::max_element(x, x + k);
}

template <class T, bool kLog>
void softmax(const Softmax& op, std::int64_t first, std::int64_t last) {
  const std::int64_t k = op.x.shape.back();
  for (std::int64_t row = first; row < last; ++row) {
    const T* x = op.x.as<T>() + row * k;
    T* y = op.y.as<T>() + row * k;
    const T top = largest(x, k);
    const T scale = static_cast<T>(1 / op.temperature);
    double sum = 0;
    for (std::int64_t i = 0; i < k; ++i) {
      const T e = std::exp((x[i] - top) * scale);
      if (!kLog) y[i] = e;
      sum += e;
    }
    const double log_sum = kLog ? std::log(sum) : 0;
    for (std::int64_t i = 0; i < k; ++i)
      y[i] = static_cast<T>(kLog ? (x[i] - top) * scale - log_sum : y[i] / sum);
  }
}

template <class T, bool kLog>
void softmax_backward(const SoftmaxBackward& op, std::int64_t first, std::int64_t last) {
  const std::int64_t k = op.y.shape.back();
  for (std::int64_t row = first; row < last; ++row) {
    const T* y = op.y.as<T>() + row * k;
    const T* dy = op.dy.as<T>() + row * k;
    T* dx = op.dx.as<T>() + row * k;
    double sum = 0;
    for (std::int64_t i = 0; i < k; ++i) sum += static_cast<double>(dy[i]) * (kLog ? T{1} : y[i]);
    for (std::int64_t i = 0; i < k; ++i)
      dx[i] = static_cast<T>((kLog ? dy[i] - std::exp(y[i]) * sum : y[i] * (dy[i] - sum)) /
                             op.temperature);
  }
}

}  // namespace

void run(CpuQueue& queue, const Softmax& op) {
  for_rows(queue, op.x.shape, [&](std::int64_t first, std::int64_t last) {
    for_type(op.x.dtype, [&]<class T>(T) {
      op.log ? softmax<T, true>(op, first, last) : softmax<T, false>(op, first, last);
    });
  });
}

void run(CpuQueue& queue, const SoftmaxBackward& op) {
  for_rows(queue, op.y.shape, [&](std::int64_t first, std::int64_t last) {
    for_type(op.y.dtype, [&]<class T>(T) {
      op.log ? softmax_backward<T, true>(op, first, last)
             : softmax_backward<T, false>(op, first, last);
    });
  });
}

}  // namespace ratnet::inline v1
