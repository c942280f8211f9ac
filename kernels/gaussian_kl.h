// The divergence of a Gaussian code from the standard one.
#pragma once

#include "../core/queue.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// The Kullback-Leibler divergence of N(mean, exp(log_variance)) from N(0, 1), summed over features,
// as a variational autoencoder has it (Kingma and Welling, 2014):
//   loss = 1 / N sum (exp(log_variance) + mean^2 - 1 - log_variance) / 2
// See loss.h for what all losses share.
struct GaussianKl {
  static constexpr const char* kName = "gaussian_kl";
  ConstView mean;          // [N, features...] f32 or f64
  ConstView log_variance;  // its shape and type
  View loss;
  View dmean = {};
  View dlog_variance = {};
  View loss_sum = {};
  double factor = 1;
  bool accumulate = false;
  void check() const;
};
void run(CpuQueue&, const GaussianKl&);
void run(CudaQueue&, const GaussianKl&);
OpNote plan(CudaQueue&, const GaussianKl&);

}  // namespace ratnet::inline v1
