#include "../activation.h"

#include <algorithm>

#include "cpu_queue.h"
#include "pointwise_pieces.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/activation.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

#include "elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {

// -|x|, kept within what Highway's exponentials take; beyond it they are 0 and -1 to all digits.
template <class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE V below_zero(D d, V x) {
  const auto lowest = hn::Set(d, static_cast<T>(sizeof(T) == 4 ? -110 : -1010));
  const auto v = hn::Neg(hn::Abs(x));
  return hn::IfThenElse(hn::Gt(v, lowest), v, lowest);
}

// exp(-|x|): what the curves are made of, as it cannot overflow. NaN stays NaN, also below.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp_of_minus(D d, V x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, below_zero(d, x)));
}

// exp(-|x|) - 1 with all digits near 0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V expm1_of_minus(D d, V x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Expm1(d, below_zero(d, x)));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V sigmoid(D d, V x) {
  const auto one = hn::Set(d, 1), e = exp_of_minus(d, x);
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V tanh(D d, V x) {
  const auto e = expm1_of_minus(d, hn::Add(x, x));
  return hn::CopySign(hn::Div(e, hn::Add(e, hn::Set(d, 2))), x);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V softplus(D d, V x) {
  const auto above = hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);
  return hn::Add(above, hn::Log1p(d, exp_of_minus(d, x)));
}

// y[i] = function(d, x[i]) by vectors.
template <class T, class Function>
HWY_INLINE void for_each(const T* x, T* y, std::int64_t first, std::int64_t last,
                         const Function& function) {
  for_vectors<T>(first, last, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(function(d, hn::LoadU(d, x + i)), d, y + i);
  });
}

// The comparisons are such that a NaN stays one.
template <class T>
void forward(const Activate& op, std::int64_t first, std::int64_t last) {
  const T* x = op.x.as<T>();
  T* y = op.y.as<T>();
  const T slope = static_cast<T>(op.slope);
  switch (op.activation) {
    case Activation::none:
      if (x != y) std::copy(x + first, x + last, y + first);
      return;
    case Activation::relu:
    case Activation::leaky_relu:
      return for_each(x, y, first, last, [&](auto d, auto v) HWY_ATTR {
        return activated(d, v, op.activation, slope);
      });
    case Activation::elu:
      return for_each(x, y, first, last, [&](auto d, auto v) HWY_ATTR {
        const auto below = hn::Mul(expm1_of_minus(d, v), hn::Set(d, slope));
        return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, below);
      });
    case Activation::sigmoid:
      return for_each(x, y, first, last, [&](auto d, auto v) HWY_ATTR { return sigmoid(d, v); });
    case Activation::tanh:
      return for_each(x, y, first, last, [&](auto d, auto v) HWY_ATTR { return tanh(d, v); });
    case Activation::softplus:
      return for_each(x, y, first, last, [&](auto d, auto v) HWY_ATTR { return softplus(d, v); });
  }
}

// dx[i] = function(d, y[i], dy[i]) by vectors.
template <class T, class Function>
HWY_INLINE void for_each(const T* y, const T* dy, T* dx, std::int64_t first, std::int64_t last,
                         const Function& function) {
  for_vectors<T>(first, last, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(function(d, hn::LoadU(d, y + i), hn::LoadU(d, dy + i)), d, dx + i);
  });
}

template <class T>
void backward(const ActivateBackward& op, std::int64_t first, std::int64_t last) {
  const T* y = op.y.as<T>();
  const T* dy = op.dy.as<T>();
  T* dx = op.dx.as<T>();
  const T slope = static_cast<T>(op.slope);
  switch (op.activation) {
    case Activation::none:
      if (dy != dx) std::copy(dy + first, dy + last, dx + first);
      return;
    case Activation::relu:
      return for_each(y, dy, dx, first, last, [&](auto d, auto v, auto dv) HWY_ATTR {
        return hn::IfThenZeroElse(hn::Le(v, hn::Zero(d)), dv);
      });
    case Activation::leaky_relu:
      return for_each(y, dy, dx, first, last, [&](auto d, auto v, auto dv) HWY_ATTR {
        return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), dv, hn::Mul(dv, hn::Set(d, slope)));
      });
    case Activation::elu:
      return for_each(y, dy, dx, first, last, [&](auto d, auto v, auto dv) HWY_ATTR {
        const auto below = hn::Mul(dv, hn::Add(v, hn::Set(d, slope)));
        return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), dv, below);
      });
    case Activation::sigmoid:
      return for_each(y, dy, dx, first, last, [&](auto d, auto v, auto dv) HWY_ATTR {
        return hn::Mul(dv, hn::Mul(v, hn::Sub(hn::Set(d, 1), v)));
      });
    case Activation::tanh:
      return for_each(y, dy, dx, first, last, [&](auto d, auto v, auto dv) HWY_ATTR {
        return hn::Mul(dv, hn::Sub(hn::Set(d, 1), hn::Mul(v, v)));
      });
    case Activation::softplus:
      return for_each(y, dy, dx, first, last, [&](auto d, auto v, auto dv) HWY_ATTR {
        return hn::Mul(dv, hn::Neg(expm1_of_minus(d, v)));
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

void run_piece(const Activate& op, std::int64_t first, std::int64_t last) {
  HWY_DYNAMIC_DISPATCH(ActivatePiece)(op, first, last);
}

void run(CpuQueue& queue, const Activate& op) {
  for_pieces(queue, op.x.count(),
             [&](std::int64_t first, std::int64_t last) { run_piece(op, first, last); });
}

void run(CpuQueue& queue, const ActivateBackward& op) {
  for_pieces(queue, op.y.count(), [&](std::int64_t first, std::int64_t last) {
    HWY_DYNAMIC_DISPATCH(ActivateBackwardPiece)(op, first, last);
  });
}

}  // namespace ratnet::inline v1
#endif
