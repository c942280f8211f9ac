// Sums, means and maxima along dimensions.
#pragma once

#include "../core/reduction.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// y = the sum, mean or maximum over the middle dimension of x. Sums are in double, in an order that
// the sizes of the middle and inner dimensions fix.
struct Reduce {
  static constexpr const char* kName = "reduce";
  ConstView x;  // [outer, middle, inner] f32 or f64
  View y;       // [outer, inner]
  // i32, the shape of y, or absent: where the first maximum is. A NaN counts as the largest.
  View argmax = {};
  Reduction by = Reduction::sum;
  void check() const;
};
void run(CpuQueue&, const Reduce&);
void run(CudaQueue&, const Reduce&);

// dx = what each value had a part in: all of dy in a sum or at the maximum, its share in a mean.
struct ReduceBackward {
  static constexpr const char* kName = "reduce_backward";
  ConstView dy;           // [outer, inner]
  ConstView argmax = {};  // i32, of a maximum only
  View dx;                // [outer, middle, inner]; overwritten
  Reduction by = Reduction::sum;
  void check() const;
};
void run(CpuQueue&, const ReduceBackward&);
void run(CudaQueue&, const ReduceBackward&);

}  // namespace ratnet::inline v1
