// Sums, products, dropout, and conversion of stored pixels to floats.
#pragma once

#include <array>
#include <cstdint>

#include "../core/activation.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// y = activation(a + b), equal shapes, f32 or f64; y may be a or b.
struct Add {
  static constexpr const char* kName = "add";
  ConstView a;
  ConstView b;
  View y;
  Activation activation = Activation::none;
  double slope = 0.01;
  void check() const;
};
void run(CpuQueue&, const Add&);
void run(CudaQueue&, const Add&);

// y = a * b, element by element, equal shapes, f32 or f64; y may be a or b.
struct Multiply {
  static constexpr const char* kName = "multiply";
  ConstView a;
  ConstView b;
  View y;
  void check() const;
};
void run(CpuQueue&, const Multiply&);
void run(CudaQueue&, const Multiply&);

// A few numbers that captured work reads and that differ from one replay to the next.
struct SetNumbers {
  static constexpr const char* kName = "set_numbers";
  static constexpr std::int64_t kMost = 4;
  View y;  // [n] f64 or i64, n up to kMost
  std::array<double, kMost> reals = {};
  std::array<std::int64_t, kMost> integers = {};  // where y is i64
  void check() const;
};
void run(CpuQueue&, const SetNumbers&);
void run(CudaQueue&, const SetNumbers&);

// y[i] = x[i] / keep where the number drawn for i is below keep, else 0 (inverted dropout). The
// number for i is unit_float(philox({i / 4, step, stream, 0}, seed)[i % 4]) (i / 4 and the step in
// 32 bits), so forward and backward are the same call and need no stored mask. f32 or f64; y may be
// x.
struct Dropout {
  static constexpr const char* kName = "dropout";
  ConstView x;
  View y;
  ConstView key;  // [2] i64: the seed's bits, the step
  double keep = 1;
  std::uint32_t stream = 0;
  void check() const;
};
void run(CpuQueue&, const Dropout&);
void run(CudaQueue&, const Dropout&);

// y = float(x) * scale + offset, in sample i (of the first dimension)
// float(x) * (scale * scales[i]) + offset. x: u8, u16, i16, f32 (f64 too); y: f32 or f64, equal
// shapes.
struct Convert {
  static constexpr const char* kName = "convert";
  ConstView x;
  View y;
  double scale = 1;
  double offset = 0;
  ConstView scales = {};  // [N] f32, or absent: all 1
  void check() const;
};
void run(CpuQueue&, const Convert&);
void run(CudaQueue&, const Convert&);

}  // namespace ratnet::inline v1
