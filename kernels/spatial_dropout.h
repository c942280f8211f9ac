// Dropout of whole channels.
#pragma once

#include <cstdint>

#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// Dropout (pointwise.h) with one number for all positions of a channel c of a sample n: the one
// that Dropout draws for i = n * C + c. Forward and backward are the same call. f32 or f64; y may
// be x.
struct SpatialDropout {
  static constexpr const char* kName = "spatial_dropout";
  ConstView x;  // [N, spatial..., C]
  View y;
  ConstView key;  // [2] i64: the seed's bits, the step
  double keep = 1;
  std::uint32_t stream = 0;
  void check() const;
};
void run(CpuQueue&, const SpatialDropout&);
void run(CudaQueue&, const SpatialDropout&);

}  // namespace ratnet::inline v1
