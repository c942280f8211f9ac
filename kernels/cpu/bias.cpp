#include "../bias.h"

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
  const T* const bias = data_or_null<T>(op.bias);
  for (std::int64_t row = first_row; row < last_row; ++row) {
    const T* const x = op.x.as<T>() + row * channels;
    T* const y = op.y.as<T>() + row * channels;
    for_vectors<T>(0, channels, [&](auto d, std::int64_t c) HWY_ATTR {
      auto sum = hn::LoadU(d, x + c);
      if (bias) sum = hn::Add(sum, hn::LoadU(d, bias + c));
      hn::StoreU(activated(d, sum, op.activation, static_cast<T>(op.slope)), d, y + c);
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
  const std::int64_t channels = op.x.shape.back();
  for_pieces_of(queue, op.x.count() / channels, channels,
                [&](std::int64_t first, std::int64_t last) {
                  HWY_DYNAMIC_DISPATCH(AddBiasRows)(op, first, last);
                });
}

}  // namespace ratnet::inline v1
#endif
