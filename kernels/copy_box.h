// Copies of a box from one tensor into another: joined and split channels, cropping, zero padding.
#pragma once

#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// y[to + i] = x[from + i] for 0 <= i < size along every dimension; f32 or f64.
struct CopyBox {
  static constexpr const char* kName = "copy_box";
  ConstView x;
  View y;
  Shape from;  // where the box begins in x, one number per dimension
  Shape to;    // where it begins in y
  Shape size;
  bool clear = false;  // the rest of y becomes 0; else it stays as it is
  void check() const;
};
void run(CpuQueue&, const CopyBox&);
void run(CudaQueue&, const CopyBox&);

}  // namespace ratnet::inline v1
