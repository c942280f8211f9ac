// How pooling, forward and backward, is cut into its results. All of it gathers: every element of
// a result is written once, from a short list of the places that it is made of. So nothing is
// cleared first, and sums have one order on any thread. Include it as elements-inl.h.
#if defined(RATNET_KERNELS_CPU_POOL_SOURCES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef RATNET_KERNELS_CPU_POOL_SOURCES_INL_H_
#undef RATNET_KERNELS_CPU_POOL_SOURCES_INL_H_
#else
#define RATNET_KERNELS_CPU_POOL_SOURCES_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {

// One place: where its channels begin, from a base, and a number that goes with it.
template <class T>
struct Source {
  std::int64_t offset;
  T value;
};
constexpr int kMostSources = 256;

// The places of one result, or a part of them where they are more than kMostSources.
template <class T>
struct Sources {
  const Source<T>* list;
  int count;
  bool first = true;  // of the parts
  bool last = true;
  std::int64_t inside = 0;  // of all parts together
};

// visit(result, base, sources) for every position of the output rows first..last-1: its taps
// inside the input, each with its index in the window. `result` and `base` count elements.
template <class T, class Visit>
void for_windows(const PoolGeometry& g, std::int64_t first, std::int64_t last, const Visit& visit) {
  const std::int64_t kd = g.window.kernel[0], kh = g.window.kernel[1], kw = g.window.kernel[2];
  const std::int64_t w_step = g.channels, h_step = g.input[2] * w_step;
  const std::int64_t d_step = g.input[1] * h_step;
  const auto source = [&](std::int64_t d, std::int64_t h, std::int64_t w) {
    return Source<T>{d * g.window.dilation[0] * d_step + h * g.window.dilation[1] * h_step +
                         w * g.window.dilation[2] * w_step,
                     static_cast<T>((d * kh + h) * kw + w)};
  };
  Source<T> list[kMostSources];
  bool whole = false;  // the list is that of a whole window
  using Range = PoolGeometry::Range;
  for (std::int64_t row = first; row < last; ++row) {
    const std::int64_t h = row % g.output[1], d = row / g.output[1] % g.output[0];
    const std::int64_t n = row / (g.output[1] * g.output[0]);
    const Range rd = g.inside(0, d), rh = g.inside(1, h);
    const std::int64_t corner =
        n * g.input[0] * d_step + g.start(0, d) * d_step + g.start(1, h) * h_step;
    for (std::int64_t w = 0; w < g.output[2]; ++w) {
      const Range rw = g.inside(2, w);
      const std::int64_t result = (row * g.output[2] + w) * g.channels;
      const std::int64_t base = corner + g.start(2, w) * w_step;
      const std::int64_t inside = rd.size() * rh.size() * rw.size();
      const bool all = rd.size() == kd && rh.size() == kh && rw.size() == kw;
      if (all && whole) {
        visit(result, base, Sources<T>{list, static_cast<int>(inside), true, true, inside});
        continue;
      }
      int count = 0;
      bool begin = true;
      for (std::int64_t i = rd.first; i < rd.last; ++i)
        for (std::int64_t j = rh.first; j < rh.last; ++j)
          for (std::int64_t k = rw.first; k < rw.last; ++k) {
            if (count == kMostSources) {
              visit(result, base, Sources<T>{list, count, begin, false, inside});
              begin = false;
              count = 0;
            }
            list[count++] = source(i, j, k);
          }
      visit(result, base, Sources<T>{list, count, begin, true, inside});
      whole = all && begin;
    }
  }
}

// visit(result, base, sources) for every position of the input rows first..last-1: the output
// positions with a tap there, in order, each with value(position, tap) (both [D, H, W]).
template <class T, class Value, class Visit>
void for_coverings(const PoolGeometry& g, std::int64_t first, std::int64_t last, const Value& value,
                   const Visit& visit) {
  using Range = PoolGeometry::Range;
  const std::int64_t per_sample = g.output[0] * g.output[1] * g.output[2] * g.channels;
  Source<T> list[kMostSources];
  for (std::int64_t row = first; row < last; ++row) {
    const std::int64_t h = row % g.input[1], d = row / g.input[1] % g.input[0];
    const std::int64_t base = row / (g.input[1] * g.input[0]) * per_sample;
    const Range rd = g.covering(0, d), rh = g.covering(1, h);
    Range rw = g.covering(2, 0);
    for (std::int64_t w = 0; w < g.input[2]; ++w) {
      g.slide(2, w, rw);
      const std::int64_t result = (row * g.input[2] + w) * g.channels;
      int count = 0;
      bool begin = true;
      for (std::int64_t i = rd.first; i < rd.last; ++i) {
        const std::int64_t td = g.tap(0, i, d);
        if (td < 0) continue;
        for (std::int64_t j = rh.first; j < rh.last; ++j) {
          const std::int64_t th = g.tap(1, j, h);
          if (th < 0) continue;
          for (std::int64_t k = rw.first; k < rw.last; ++k) {
            const std::int64_t tw = g.tap(2, k, w);
            if (tw < 0) continue;
            if (count == kMostSources) {
              visit(result, base, Sources<T>{list, count, begin, false});
              begin = false;
              count = 0;
            }
            list[count++] = {((i * g.output[1] + j) * g.output[2] + k) * g.channels,
                             static_cast<T>(value(std::array{i, j, k}, std::array{td, th, tw}))};
          }
        }
      }
      visit(result, base, Sources<T>{list, count, begin, true});
    }
  }
}

// for_coverings where g.disjoint(): visit(result, taps, from, tap, position) for every run of
// `taps` results side by side that come from one output element: `tap` is the first one's index.
// Results under no window are cleared.
template <class T, class Visit>
void for_disjoint(const PoolGeometry& g, std::int64_t first, std::int64_t last, T* dx,
                  const Visit& visit) {
  const std::int64_t width = g.input[2];
  for (std::int64_t row = first; row < last; ++row) {
    const std::int64_t h = row % g.input[1], d = row / g.input[1] % g.input[0];
    const std::int64_t n = row / (g.input[1] * g.input[0]);
    const PoolGeometry::Range rd = g.covering(0, d), rh = g.covering(1, h);
    const auto clear = [&](std::int64_t begin, std::int64_t end) {
      if (begin < end)
        std::fill(dx + (row * width + begin) * g.channels, dx + (row * width + end) * g.channels,
                  T{0});
    };
    std::int64_t done = 0;
    if (rd.size() > 0 && rh.size() > 0) {
      const std::int64_t tap = g.tap(0, rd.first, d) * g.window.kernel[1] + g.tap(1, rh.first, h);
      const std::int64_t from = ((n * g.output[0] + rd.first) * g.output[1] + rh.first);
      for (std::int64_t w = 0; w < g.output[2]; ++w) {
        const PoolGeometry::Range rw = g.inside(2, w);
        const std::int64_t begin = g.start(2, w) + rw.first;
        clear(done, begin);
        visit((row * width + begin) * g.channels, rw.size(), (from * g.output[2] + w) * g.channels,
              tap * g.window.kernel[2] + rw.first, std::array{rd.first, rh.first, w});
        done = begin + rw.size();
      }
    }
    clear(done, width);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#endif
