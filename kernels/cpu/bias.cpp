#include "../bias.h"

#include <algorithm>

#include "cpu_queue.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/bias.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void add_bias(const AddBias& op, std::int64_t first_row, std::int64_t last_row) {
  const std::int64_t channels = op.x.shape.back();
  const T* const bias = op.bias ? op.bias.as<T>() : nullptr;
  for (std::int64_t row = first_row; row < last_row; ++row) {
    const T* const x = op.x.as<T>() + row * channels;
    T* const y = op.y.as<T>() + row * channels;
    for_vectors<T>(0, channels, [&](auto d, std::int64_t c) HWY_ATTR {
      auto sum = hn::LoadU(d, x + c);
      if (bias) sum = hn::Add(sum, hn::LoadU(d, bias + c));
      const auto below = hn::Lt(sum, hn::Zero(d));
      if (op.activation == Activation::relu) sum = hn::IfThenZeroElse(below, sum);
      if (op.activation == Activation::leaky_relu)
        sum = hn::IfThenElse(below, hn::Mul(sum, hn::Set(d, static_cast<T>(op.slope))), sum);
      hn::StoreU(sum, d, y + c);
    });
  }
}

void AddBiasRows(const AddBias& op, std::int64_t first, std::int64_t last) {
  op.x.dtype == DType::f64 ? add_bias<double>(op, first, last) : add_bias<float>(op, first, last);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
namespace {
HWY_EXPORT(AddBiasRows);
}  // namespace

void run(CpuQueue& queue, const AddBias& op) {
  if (op.x.count() == 0) return;
  const std::int64_t channels = op.x.shape.back(), rows = op.x.count() / channels;
  const std::int64_t piece = std::max<std::int64_t>(1, kPiece / channels);
  parallel_for(*queue.executor, (rows + piece - 1) / piece, [&](std::int64_t p, int) {
    HWY_DYNAMIC_DISPATCH(AddBiasRows)(op, p * piece, std::min(rows, (p + 1) * piece));
  });
}

}  // namespace ratnet::inline v1
#endif
