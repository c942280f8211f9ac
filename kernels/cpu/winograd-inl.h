// One dimension of the transforms of Winograd's F(4, 3) (winograd_tiles.h). Include it as
// elements-inl.h.

#if defined(RATNET_KERNELS_CPU_WINOGRAD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef RATNET_KERNELS_CPU_WINOGRAD_INL_H_
#undef RATNET_KERNELS_CPU_WINOGRAD_INL_H_
#else
#define RATNET_KERNELS_CPU_WINOGRAD_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <class V>
HWY_INLINE V Times(float a, V b) {
  return hn::Mul(hn::Set(hn::DFromV<V>(), a), b);
}
// a * b + c
template <class V>
HWY_INLINE V MulAdd(float a, V b, V c) {
  return hn::MulAdd(hn::Set(hn::DFromV<V>(), a), b, c);
}

// One dimension of each transform: Apply(in, put) with in(i) the i-th number and put(i, value) for
// the i-th result.

// B^T: 6 to 6.
struct InputTransform {
  static constexpr int kIn = 6, kOut = 6;
  template <class In, class Put>
  static HWY_INLINE void Apply(const In& in, const Put& put) {
    const auto d0 = in(0), d1 = in(1), d2 = in(2), d3 = in(3), d4 = in(4), d5 = in(5);
    const auto even = MulAdd(-4, d2, d4), odd = MulAdd(-4, d1, d3);
    const auto even2 = hn::Sub(d4, d2), odd2 = hn::Sub(d3, d1);
    put(0, MulAdd(4, hn::Sub(d0, d2), even2));
    put(1, hn::Add(even, odd));
    put(2, hn::Sub(even, odd));
    put(3, MulAdd(2, odd2, even2));
    put(4, MulAdd(-2, odd2, even2));
    put(5, MulAdd(-4, odd2, hn::Sub(d5, d3)));
  }
};

// G: 3 to 6.
struct FilterTransform {
  static constexpr int kIn = 3, kOut = 6;
  template <class In, class Put>
  static HWY_INLINE void Apply(const In& in, const Put& put) {
    const auto g0 = in(0), g1 = in(1), g2 = in(2);
    const auto sum = hn::Add(g0, g2), sum2 = MulAdd(4, g2, g0);
    put(0, Times(1.0f / 4, g0));
    put(1, Times(-1.0f / 6, hn::Add(sum, g1)));
    put(2, Times(-1.0f / 6, hn::Sub(sum, g1)));
    put(3, Times(1.0f / 24, MulAdd(2, g1, sum2)));
    put(4, Times(1.0f / 24, MulAdd(-2, g1, sum2)));
    put(5, g2);
  }
};

// A^T: 6 to 4.
struct OutputTransform {
  static constexpr int kIn = 6, kOut = 4;
  template <class In, class Put>
  static HWY_INLINE void Apply(const In& in, const Put& put) {
    const auto m1 = in(1), m2 = in(2), m3 = in(3), m4 = in(4);
    const auto sum = hn::Add(m1, m2), difference = hn::Sub(m1, m2);
    const auto sum2 = hn::Add(m3, m4), difference2 = hn::Sub(m3, m4);
    put(0, hn::Add(hn::Add(in(0), sum), sum2));
    put(1, MulAdd(2, difference2, difference));
    put(2, MulAdd(4, sum2, sum));
    put(3, hn::Add(MulAdd(8, difference2, difference), in(5)));
  }
};

// A: 4 to 6.
struct OutputAdjoint {
  static constexpr int kIn = 4, kOut = 6;
  template <class In, class Put>
  static HWY_INLINE void Apply(const In& in, const Put& put) {
    const auto y0 = in(0), y1 = in(1), y2 = in(2), y3 = in(3);
    const auto even = hn::Add(y0, y2), odd = hn::Add(y1, y3);
    const auto even2 = MulAdd(4, y2, y0), odd2 = MulAdd(4, y3, y1);
    put(0, y0);
    put(1, hn::Add(even, odd));
    put(2, hn::Sub(even, odd));
    put(3, MulAdd(2, odd2, even2));
    put(4, MulAdd(-2, odd2, even2));
    put(5, y3);
  }
};

// G^T: 6 to 3.
struct FilterAdjoint {
  static constexpr int kIn = 6, kOut = 3;
  template <class In, class Put>
  static HWY_INLINE void Apply(const In& in, const Put& put) {
    const auto u1 = in(1), u2 = in(2), u3 = in(3), u4 = in(4);
    const auto sum = Times(-1.0f / 6, hn::Add(u1, u2)), sum2 = Times(1.0f / 24, hn::Add(u3, u4));
    const auto difference = Times(1.0f / 6, hn::Sub(u2, u1));
    put(0, MulAdd(1.0f / 4, in(0), hn::Add(sum, sum2)));
    put(1, MulAdd(1.0f / 12, hn::Sub(u3, u4), difference));
    put(2, hn::Add(MulAdd(4, sum2, sum), in(5)));
  }
};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#endif
