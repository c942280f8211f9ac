// Maxima over pooling windows, a vector of channels at a time. Include it as elements-inl.h, and
// after that.
#include <algorithm>
#include <cstdint>

#if defined(RATNET_KERNELS_CPU_LARGEST_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef RATNET_KERNELS_CPU_LARGEST_INL_H_
#undef RATNET_KERNELS_CPU_LARGEST_INL_H_
#else
#define RATNET_KERNELS_CPU_LARGEST_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

// The largest of a window's values, and the tap that it was first found at.
template <class D>
struct Largest {
  hn::Vec<D> value;
  hn::Vec<hn::Rebind<std::int32_t, D>> tap;

  HWY_INLINE explicit Largest(hn::Vec<D> first)
      : value(first), tap(hn::Zero(hn::Rebind<std::int32_t, D>())) {}
};

template <bool kArgmax, class D>
HWY_INLINE void take(D, hn::Vec<D> value, std::int32_t tap, Largest<D>& largest) {
  const hn::Rebind<std::int32_t, D> di;
  // A NaN wins, so that it is seen at the end.
  const auto taken = hn::Or(hn::Gt(value, largest.value), hn::IsNaN(value));
  if constexpr (kArgmax)
    largest.tap = hn::IfThenElse(hn::RebindMask(di, taken), hn::Set(di, tap), largest.tap);
  largest.value = hn::IfThenElse(taken, value, largest.value);
}

// The largest of four numbers.
template <class V>
HWY_INLINE V max_of(const V (&values)[4]) {
  return hn::Max(hn::Max(values[0], values[1]), hn::Max(values[2], values[3]));
}

// The same as `take` of four values. numbers: no value is a NaN, so that their maxima need no care.
template <bool kArgmax, class D>
HWY_INLINE Largest<D> largest_of(D d, const hn::Vec<D> (&values)[4], bool numbers) {
  Largest<D> largest(values[0]);
  if (!kArgmax && HWY_LIKELY(numbers))
    largest.value = max_of(values);
  else
    for (int tap = 1; tap < 4; ++tap) take<kArgmax>(d, values[tap], tap, largest);
  return largest;
}
template <bool kArgmax, class D>
HWY_INLINE Largest<D> largest_of(D d, const hn::Vec<D> (&values)[4]) {
  // No sum with a NaN in it is a number.
  const auto sum = hn::Add(hn::Add(values[0], values[1]), hn::Add(values[2], values[3]));
  return largest_of<kArgmax>(d, values, !kArgmax && hn::AllFalse(d, hn::IsNaN(sum)));
}

// Stores the first `channels` of a vector, or all of it where they are more.
template <class D>
HWY_INLINE void store_some(D d, hn::Vec<D> value, std::int64_t channels, hn::TFromD<D>* out) {
  if (HWY_LIKELY(channels >= static_cast<std::int64_t>(hn::Lanes(d))))
    return hn::StoreU(value, d, out);
  hn::TFromD<D> values[hn::MaxLanes(d)];
  hn::StoreU(value, d, values);
  std::copy_n(values, channels, out);
}

// Loads as many, and zeros in place of the rest.
template <class D>
HWY_INLINE hn::Vec<D> load_some(D d, std::int64_t channels, const hn::TFromD<D>* from) {
  if (HWY_LIKELY(channels >= static_cast<std::int64_t>(hn::Lanes(d)))) return hn::LoadU(d, from);
  hn::TFromD<D> values[hn::MaxLanes(d)] = {};
  std::copy_n(from, channels, values);
  return hn::LoadU(d, values);
}

// Stores as `store_some` does with the activation applied (negative_slope: see PoolRows), and the
// tap.
template <bool kArgmax, class D>
HWY_INLINE void store_activated(D d, const Largest<D>& largest, float negative_slope,
                                std::int64_t channels, float* out, std::uint8_t* argmax) {
  const hn::Rebind<std::uint8_t, D> db;
  store_some(d, below_zero_times(d, largest.value, negative_slope), channels, out);
  if constexpr (kArgmax) store_some(db, hn::DemoteTo(db, largest.tap), channels, argmax);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#endif
