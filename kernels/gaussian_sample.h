// Samples of normal distributions whose mean and variance a network computes.
#pragma once

#include <cstdint>

#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// y = mean + exp(log_variance / 2) * e with e normal, mean 0 and variance 1: the reparameterised
// sample (Kingma and Welling, 2014). The number e for i is by Box and Muller (1958) from u =
// open_unit(philox({i / 4, step, stream, 0}, seed)) (i / 4 and the step in 32 bits), in double:
//   sqrt(-2 log(u[0])) * cos(2 pi u[1]) and * sin(2 pi u[1]) for i % 4 = 0 and 1, and the same of
//   u[2] and u[3] for 2 and 3.
// It is the same on any device to rounding. Equal shapes, f32 or f64; y may be mean or
// log_variance. Nothing holds the variance: where its root overflows (a log_variance above 177 in
// f32, 1419 in f64), y is infinite.
struct GaussianSample {
  static constexpr const char* kName = "gaussian_sample";
  ConstView mean;
  ConstView log_variance;
  View y;
  ConstView key;  // [2] i64: the seed's bits, the step
  std::uint32_t stream = 0;
  void check() const;
};
void run(CpuQueue&, const GaussianSample&);
void run(CudaQueue&, const GaussianSample&);

// dmean = dy, dlog_variance = dy * e * exp(log_variance / 2) / 2, with the e of the same key and
// stream. Either of the two may be absent, not both. dlog_variance may be dy where dmean is absent.
struct GaussianSampleBackward {
  static constexpr const char* kName = "gaussian_sample_backward";
  ConstView dy;
  ConstView log_variance;
  View dmean = {};
  View dlog_variance = {};
  ConstView key;
  std::uint32_t stream = 0;
  void check() const;
};
void run(CpuQueue&, const GaussianSampleBackward&);
void run(CudaQueue&, const GaussianSampleBackward&);

}  // namespace ratnet::inline v1
