// Sums, dropout, and conversion of stored pixels to floats.
#pragma once

#include <cstdint>

#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// y = a + b, equal shapes, f32 or f64; y may be a or b.
struct Add {
  static constexpr const char* kName = "add";
  ConstView a;
  ConstView b;
  View y;
  void check() const;
};
void run(CpuQueue&, const Add&);
void run(CudaQueue&, const Add&);

// y[i] = x[i] / keep where the number drawn for i is below keep, else 0 (inverted dropout). The
// number for i is unit_float(philox({i / 4, step, stream, 0}, seed)[i % 4]) (i / 4 in 32 bits), so
// forward and backward are the same call and need no stored mask. f32 or f64; y may be x.
struct Dropout {
  static constexpr const char* kName = "dropout";
  ConstView x;
  View y;
  double keep = 1;
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t stream = 0;
  void check() const;
};
void run(CpuQueue&, const Dropout&);
void run(CudaQueue&, const Dropout&);

// y = float(x) * scale + offset. x: u8, u16, i16, f32 (f64 too); y: f32 or f64, equal shapes.
struct Convert {
  static constexpr const char* kName = "convert";
  ConstView x;
  View y;
  double scale = 1;
  double offset = 0;
  void check() const;
};
void run(CpuQueue&, const Convert&);
void run(CudaQueue&, const Convert&);

}  // namespace ratnet::inline v1
