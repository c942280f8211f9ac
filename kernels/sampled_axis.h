// Which inputs an output of a resampling reads along one dimension, and which outputs an input has
// a part in.
#pragma once

#include <cstdint>

#include "resample.h"
#include "window.h"

namespace ratnet::inline v1 {

// Quotients rounded down and up; the divisor is positive.
constexpr std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}
constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return -floor_divide(-a, b); }

struct SampledAxis {
  SampledLine line;
  std::int64_t in = 1, out = 1;
  bool linear = false, reflect = false;

  // The value is at[0] * weight[0] + at[1] * weight[1]; where a weight is 0, `at` means nothing.
  struct Taps {
    std::int64_t at[2];
    double weight[2];
  };
  constexpr Taps taps(std::int64_t i) const {
    const std::int64_t place = line.step * i + line.start;
    const std::int64_t below = floor_divide(place, line.divisor);
    const std::int64_t a = inside(below), b = inside(below + 1);
    if (!linear || a == b) return {{a, b}, {1, 0}};
    const double part =
        static_cast<double>(place - below * line.divisor) / static_cast<double>(line.divisor);
    return {{a, b}, {1 - part, part}};
  }

  // Neighbouring outputs around one place that is the input's, or its image in a mirror.
  struct Run {
    std::int64_t first = 0, count = 0, place = 0;
  };
  struct Touched {
    Run runs[3];
    std::int64_t count = 0;
  };
  constexpr Touched touched(std::int64_t j) const {
    Touched all;
    all.runs[0] = run(j);
    if (reflect && j > 0) all.runs[1] = run(-j);
    if (reflect && j < in - 1) all.runs[2] = run(2 * (in - 1) - j);
    for (const Run& r : all.runs) all.count += r.count;
    return all;
  }

  // The k-th of the outputs that an input has a part in, and how large that is.
  struct Part {
    std::int64_t at;
    double weight;
  };
  constexpr Part part(const Touched& all, std::int64_t k) const {
    int r = 0;
    for (; k >= all.runs[r].count; ++r) k -= all.runs[r].count;
    const Run& run = all.runs[r];
    const std::int64_t i = run.first + k;
    const std::int64_t off = line.step * i + line.start - run.place * line.divisor;
    const bool beyond =
        !reflect && ((run.place == 0 && off < 0) || (run.place == in - 1 && off > 0));
    if (!linear || beyond) return {i, 1};
    const auto distance = static_cast<double>(off < 0 ? -off : off);
    return {i, 1 - distance / static_cast<double>(line.divisor)};
  }

 private:
  constexpr std::int64_t inside(std::int64_t place) const {
    if (place < 0) return reflect ? -place : 0;
    if (place >= in) return reflect ? 2 * (in - 1) - place : in - 1;
    return place;
  }

  constexpr Run run(std::int64_t place) const {
    const std::int64_t low = linear ? (place - 1) * line.divisor + 1 : place * line.divisor;
    const std::int64_t high = (place + 1) * line.divisor - 1;
    // The ends have all that lies beyond them; a step of 0 is met only there.
    const std::int64_t first =
        !reflect && place == 0 ? 0 : ceil_divide(low - line.start, line.step);
    const std::int64_t last =
        !reflect && place == in - 1 ? out - 1 : floor_divide(high - line.start, line.step);
    Run run{first < 0 ? 0 : first, 0, place};
    const std::int64_t end = (last < out ? last : out - 1) + 1;
    run.count = end > run.first ? end - run.first : 0;
    return run;
  }
};

struct SampledGrid {
  SampledAxis axes[3];
  std::int64_t batch = 0, channels = 0;
};
// Of x [N, spatial..., C] and y; fewer dimensions are widened to three.
inline SampledGrid grid_of(const Shape& narrow_x, const Shape& narrow_y, const Sampling& sampling) {
  const Shape x = widened(narrow_x), y = widened(narrow_y);
  SampledGrid grid;
  grid.batch = x[0];
  grid.channels = x[4];
  const int added = 5 - narrow_x.rank();
  for (int d = 0; d < 3; ++d)
    if (d >= added)
      grid.axes[d] = {sampling.lines[static_cast<std::size_t>(d - added)], x[d + 1], y[d + 1],
                      sampling.linear, sampling.reflect};
  return grid;
}

}  // namespace ratnet::inline v1
