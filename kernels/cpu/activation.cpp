#include "../activation.h"

#include <algorithm>

#include "cpu_queue.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/activation.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {

// The comparisons are such that a NaN stays one.
template <class T>
void forward(const Activate& op, std::int64_t first, std::int64_t last) {
  const T* x = op.x.as<T>();
  T* y = op.y.as<T>();
  const T slope = static_cast<T>(op.slope);
  if (op.activation == Activation::none) {
    if (x != y) std::copy(x + first, x + last, y + first);
  } else if (op.activation == Activation::relu) {
    for_vectors<T>(first, last, [&](auto d, std::int64_t i) HWY_ATTR {
      const auto v = hn::LoadU(d, x + i);
      hn::StoreU(hn::IfThenZeroElse(hn::Lt(v, hn::Zero(d)), v), d, y + i);
    });
  } else {
    for_vectors<T>(first, last, [&](auto d, std::int64_t i) HWY_ATTR {
      const auto v = hn::LoadU(d, x + i);
      const auto scaled = hn::Mul(v, hn::Set(d, slope));
      hn::StoreU(hn::IfThenElse(hn::Lt(v, hn::Zero(d)), scaled, v), d, y + i);
    });
  }
}

template <class T>
void backward(const ActivateBackward& op, std::int64_t first, std::int64_t last) {
  const T* y = op.y.as<T>();
  const T* dy = op.dy.as<T>();
  T* dx = op.dx.as<T>();
  const T slope = static_cast<T>(op.slope);
  if (op.activation == Activation::none) {
    if (dy != dx) std::copy(dy + first, dy + last, dx + first);
  } else if (op.activation == Activation::relu) {
    for_vectors<T>(first, last, [&](auto d, std::int64_t i) HWY_ATTR {
      const auto off = hn::Le(hn::LoadU(d, y + i), hn::Zero(d));
      hn::StoreU(hn::IfThenZeroElse(off, hn::LoadU(d, dy + i)), d, dx + i);
    });
  } else {
    for_vectors<T>(first, last, [&](auto d, std::int64_t i) HWY_ATTR {
      const auto on = hn::Gt(hn::LoadU(d, y + i), hn::Zero(d));
      const auto v = hn::LoadU(d, dy + i);
      const auto scaled = hn::Mul(v, hn::Set(d, slope));
      hn::StoreU(hn::IfThenElse(on, v, scaled), d, dx + i);
    });
  }
}

void ActivatePiece(const Activate& op, std::int64_t first, std::int64_t last) {
  op.x.dtype == DType::f64 ? forward<double>(op, first, last) : forward<float>(op, first, last);
}

void ActivateBackwardPiece(const ActivateBackward& op, std::int64_t first, std::int64_t last) {
  op.y.dtype == DType::f64 ? backward<double>(op, first, last) : backward<float>(op, first, last);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
namespace {
HWY_EXPORT(ActivatePiece);
HWY_EXPORT(ActivateBackwardPiece);
}  // namespace

void run(CpuQueue& queue, const Activate& op) {
  for_pieces(queue, op.x.count(), [&](std::int64_t first, std::int64_t last) {
    HWY_DYNAMIC_DISPATCH(ActivatePiece)(op, first, last);
  });
}

void run(CpuQueue& queue, const ActivateBackward& op) {
  for_pieces(queue, op.y.count(), [&](std::int64_t first, std::int64_t last) {
    HWY_DYNAMIC_DISPATCH(ActivateBackwardPiece)(op, first, last);
  });
}

}  // namespace ratnet::inline v1
#endif
