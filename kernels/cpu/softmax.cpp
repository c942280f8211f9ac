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
class CrossEntropy {
 public:
  explicit CrossEntropy(const SoftmaxCrossEntropy& op)
      : logits_(op.logits.as<T>()),
        labels_(op.labels.as<std::int32_t>()),
        class_weights_(op.class_weights ? op.class_weights.as<T>() : nullptr),
        dlogits_(op.dlogits ? op.dlogits.as<T>() : nullptr),
        n_(op.logits.shape[0]),
        k_(op.logits.shape[1]) {}

  void run(CpuQueue& queue, T* loss, double* loss_sum) const {
    double total = 0;
    for (std::int64_t i = 0; i < n_; ++i) total += weight(i);
    const double scale = total != 0 ? 1 / total : 0;
    // The batch in blocks of a fixed size: each is summed in order, then the blocks in order.
    constexpr std::int64_t kGroup = 256;
    const std::int64_t block = std::max<std::int64_t>(1, kPiece / std::max<std::int64_t>(1, k_));
    double sum = 0;
    for (std::int64_t start = 0; start < n_; start += kGroup * block) {
      double sums[kGroup];
      const std::int64_t blocks = std::min(kGroup, (n_ - start + block - 1) / block);
      parallel_for(*queue.executor, blocks, [&](std::int64_t b, int) {
        sums[b] = 0;
        const std::int64_t first = start + b * block;
        for (std::int64_t i = first; i < std::min(n_, first + block); ++i)
          sums[b] += sample(i, weight(i), scale);
      });
      for (std::int64_t b = 0; b < blocks; ++b) sum += sums[b];
    }
    *loss = static_cast<T>(sum * scale);
    if (loss_sum) *loss_sum += static_cast<double>(*loss);
  }

 private:
  double weight(std::int64_t i) const {
    const std::int32_t label = labels_[i];
    if (label < 0 || label >= k_) return 0;
    return class_weights_ ? static_cast<double>(class_weights_[label]) : 1;
  }

  // The weighted loss of sample i; writes its gradient where that is wanted.
  double sample(std::int64_t i, double weight, double scale) const {
    const T* x = logits_ + i * k_;
    T* dx = dlogits_ ? dlogits_ + i * k_ : nullptr;
    if (weight == 0) {
      if (dx) std::fill(dx, dx + k_, T{0});
      return 0;
    }
    const std::int32_t label = labels_[i];
    const T top = largest(x, k_);
    const double margin = static_cast<double>(x[label]) - static_cast<double>(top);
    double sum = 0;
    for (std::int64_t j = 0; j < k_; ++j) {
      const T e = std::exp(x[j] - top);
      sum += e;
      if (dx) dx[j] = e;
    }
    if (dx)
      for (std::int64_t j = 0; j < k_; ++j)
        dx[j] = static_cast<T>((dx[j] / sum - (j == label)) * (weight * scale));
    return weight * (std::log(sum) - margin);
  }

  const T* logits_;
  const std::int32_t* labels_;
  const T* class_weights_;
  T* dlogits_;
  std::int64_t n_;
  std::int64_t k_;
};

}  // namespace

void run(CpuQueue& queue, const Softmax& op) {
  for_rows(queue, op.x.shape, [&](std::int64_t first, std::int64_t last) {
    op.x.dtype == DType::f64 ? softmax<double>(op, first, last) : softmax<float>(op, first, last);
  });
}

void run(CpuQueue& queue, const SoftmaxBackward& op) {
  for_rows(queue, op.y.shape, [&](std::int64_t first, std::int64_t last) {
    op.y.dtype == DType::f64 ? softmax_backward<double>(op, first, last)
                             : softmax_backward<float>(op, first, last);
  });
}

void run(CpuQueue& queue, const SoftmaxCrossEntropy& op) {
  double* sum = op.loss_sum ? op.loss_sum.as<double>() : nullptr;
  op.logits.dtype == DType::f64 ? CrossEntropy<double>(op).run(queue, op.loss.as<double>(), sum)
                                : CrossEntropy<float>(op).run(queue, op.loss.as<float>(), sum);
}

}  // namespace ratnet::inline v1
