// Batch, instance, group and layer normalisation: y = activation((x - mean) / sqrt(variance +
// epsilon) * scale + shift), with the statistics of the data (Normalise) or given ones
// (NormaliseBy).
#pragma once

#include <cstdint>

#include "../core/activation.h"
#include "../core/queue.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// Throws Error (usage), beginning with `who`, unless epsilon is a number above 0.
void check_epsilon(const char* who, double epsilon);

// What mean and variance are taken over. `per_sample` false: all samples and positions, for every
// channel (Ioffe and Szegedy, 2015). True: the positions of one sample and the C / groups channels
// of a group (Wu and He, 2018); groups == C is instance, groups == 1 layer normalisation.
struct NormOver {
  bool per_sample = false;
  std::int64_t groups = 1;  // where per_sample; a divisor of C

  // What a mean of x [N, spatial..., C] has: [C], or [N, groups].
  Shape statistics(const Shape& x) const;
};

//   x, y [N, spatial..., C] f32 or f64, all tensors alike; y may be x
//   scale, shift [C], or absent: 1 and 0
//   mean, inv_deviation: over.statistics(x), what the backward pass needs; or absent, both
//   running_mean, running_variance [C], or absent, both; not where per_sample: brought up to date
//     as (1 - momentum) * running + momentum * the batch's, the variance without bias (divided by
//     one less than the count), as torch.nn.BatchNorm2d has it
struct Normalise {
  static constexpr const char* kName = "normalise";
  ConstView x;
  ConstView scale = {};
  ConstView shift = {};
  View y;
  View mean = {};
  View inv_deviation = {};
  View running_mean = {};
  View running_variance = {};
  NormOver over;
  double epsilon = 1e-5;
  double momentum = 0.1;
  Activation activation = Activation::none;
  double slope = 0.01;
  void check() const;
};
void run(CpuQueue&, const Normalise&);
void run(CudaQueue&, const Normalise&);
OpNote plan(CpuQueue&, const Normalise&);
OpNote plan(CudaQueue&, const Normalise&);

// The gradients of Normalise. Through the activation it sees what x, scale and shift give.
struct NormaliseBackward {
  static constexpr const char* kName = "normalise_backward";
  ConstView x;
  ConstView dy;
  ConstView mean;  // as Normalise left them
  ConstView inv_deviation;
  ConstView scale = {};
  ConstView shift = {};  // as in Normalise; only read where there is an activation
  View dx = {};          // or absent
  View dscale = {};      // [C], or absent
  View dshift = {};      // [C], or absent
  NormOver over;
  Activation activation = Activation::none;
  double slope = 0.01;
  void check() const;
};
void run(CpuQueue&, const NormaliseBackward&);
void run(CudaQueue&, const NormaliseBackward&);
OpNote plan(CpuQueue&, const NormaliseBackward&);
OpNote plan(CudaQueue&, const NormaliseBackward&);

// With given statistics of every channel; without mean, scale and shift it is the gradient's way
// back. y may be x.
struct NormaliseBy {
  static constexpr const char* kName = "normalise_by";
  ConstView x;          // [N, spatial..., C]
  ConstView mean = {};  // [C], or absent: 0
  ConstView variance;   // [C]
  ConstView scale = {};
  ConstView shift = {};
  View y;
  double epsilon = 1e-5;
  Activation activation = Activation::none;
  double slope = 0.01;
  void check() const;
};
void run(CpuQueue&, const NormaliseBy&);
void run(CudaQueue&, const NormaliseBy&);
OpNote plan(CpuQueue&, const NormaliseBy&);
OpNote plan(CudaQueue&, const NormaliseBy&);

// The weight and bias with which a layer computes what NormaliseBy makes of its output.
struct FoldNorm {
  static constexpr const char* kName = "fold_norm";
  ConstView weight;         // [..., C] f32 or f64, or ...
  bool transposed = false;  // ... [..., C, K], a transposed convolution's
  ConstView bias = {};      // [C], or absent: 0
  ConstView mean;           // [C] these
  ConstView variance;
  ConstView scale;
  ConstView shift;
  View folded_weight;  // the shape of weight
  View folded_bias;    // [C]
  double epsilon = 1e-5;

  // How many neighbours in `weight` are of one channel.
  std::int64_t run_length() const { return transposed ? weight.shape.back() : 1; }
  void check() const;
};
void run(CpuQueue&, const FoldNorm&);
void run(CudaQueue&, const FoldNorm&);

}  // namespace ratnet::inline v1
