// Vector code for loops over elements, one copy per instruction set: include it from a .cpp, after
// hwy/highway.h and outside of any namespace.
#include "../../core/activation.h"

#if defined(RATNET_KERNELS_CPU_ELEMENTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef RATNET_KERNELS_CPU_ELEMENTS_INL_H_
#undef RATNET_KERNELS_CPU_ELEMENTS_INL_H_
#else
#define RATNET_KERNELS_CPU_ELEMENTS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// body(d, i) covers elements i .. i + Lanes(d) - 1: whole vectors first, then four at a time, then
// single elements, so that every element of first..last-1 is met once, in order. The lambda needs
// HWY_ATTR.
template <class T, class Body>
HWY_INLINE void for_vectors(std::int64_t first, std::int64_t last, const Body& body) {
  const hn::ScalableTag<T> whole;
  const hn::CappedTag<T, 4> four;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(whole));
  const auto few = static_cast<std::int64_t>(hn::Lanes(four));
  std::int64_t i = first;
  for (; i + lanes <= last; i += lanes) body(whole, i);
  for (; i + few <= last; i += few) body(four, i);
  for (; i < last; ++i) body(one, i);
}

// The elements of x as a vector of floats or doubles.
template <class D, class X, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_as(D d, const X* x) {
  const hn::Rebind<X, D> dx;
  const auto v = hn::LoadU(dx, x);
  if constexpr (std::is_same_v<T, X>) {
    return v;
  } else if constexpr (std::is_same_v<X, double>) {
    return hn::DemoteTo(d, v);
  } else if constexpr (std::is_same_v<X, float>) {
    return hn::PromoteTo(d, v);
  } else {
    const hn::Rebind<std::int32_t, D> di;
    auto integers = hn::Zero(di);
    if constexpr (std::is_same_v<X, std::int32_t>) {
      integers = v;
    } else {
      integers = hn::PromoteTo(di, v);
    }
    if constexpr (std::is_same_v<T, double>) {
      return hn::PromoteTo(d, integers);
    } else {
      return hn::ConvertTo(d, integers);
    }
  }
}

// What a layer other than an activation can end with. A NaN stays one.
template <class D, class V, class T>
HWY_INLINE V activated(D d, V v, Activation activation, T slope) {
  if (activation == Activation::none) return v;
  const auto below = hn::Lt(v, hn::Zero(d));
  return activation == Activation::relu ? hn::IfThenZeroElse(below, v)
                                        : hn::IfThenElse(below, hn::Mul(v, hn::Set(d, slope)), v);
}

// v, times `slope` where it is below 0. Not by multiplication alone: ReLU of minus infinity is 0.
template <class D, class V, class T>
HWY_INLINE V below_zero_times(D d, V v, T slope) {
  const auto below = hn::Lt(v, hn::Zero(d));
  if (HWY_LIKELY(slope == 0)) return hn::IfThenZeroElse(below, v);
  return hn::IfThenElse(below, hn::Mul(v, hn::Set(d, slope)), v);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#endif
