// A grid read at other places: upsampling, and padding that continues the image.
#pragma once

#include <array>
#include <cstdint>

#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// Output i of a dimension reads the input at (step * i + start) / divisor: whole numbers, so that
// no place is rounded.
struct SampledLine {
  std::int64_t step = 1, start = 0, divisor = 1;
};

// Places in the order of the spatial dimensions; entries past those are unused.
struct Sampling {
  std::array<SampledLine, 3> lines;
  bool linear = false;   // between the two neighbours; else the one at the place rounded down
  bool reflect = false;  // beyond the ends mirrored, the end not repeated; else the end's value
  // Throws Error (usage), beginning with `who`, where it does not lead from x to y.
  void check(const char* who, const Shape& x, const Shape& y) const;
};

// y = x at the places of the sampling; 1 to 3 spatial dimensions, f32 or f64.
struct Resample {
  static constexpr const char* kName = "resample";
  ConstView x;  // [N, spatial..., C]
  View y;       // [N, spatial..., C], other spatial sizes
  Sampling sampling;
  void check() const;
};
void run(CpuQueue&, const Resample&);
void run(CudaQueue&, const Resample&);

// dx = for each input the sum of what it had a part in, in a fixed order.
struct ResampleBackward {
  static constexpr const char* kName = "resample_backward";
  ConstView dy;  // the shape of y
  View dx;       // the shape of x; overwritten
  Sampling sampling;
  void check() const;
};
void run(CpuQueue&, const ResampleBackward&);
void run(CudaQueue&, const ResampleBackward&);

}  // namespace ratnet::inline v1
