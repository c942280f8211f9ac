// Dense (fully connected) layers.
#pragma once

#include "../core/precision.h"
#include "../core/queue.h"
#include "../core/view.h"
#include "activation.h"

namespace ratnet::inline v1 {

// y = activation(x weight + bias); f32 or f64, all tensors alike.
struct Dense {
  static constexpr const char* kName = "dense";
  ConstView x;          // [N, in]
  ConstView weight;     // [in, out]
  ConstView bias = {};  // [out], or absent
  View y;               // [N, out]
  Activation activation = Activation::none;
  double slope = 0.01;
  Precision precision = Precision::f32;
  void check() const;
};
void run(CpuQueue&, const Dense&);
void run(CudaQueue&, const Dense&);
OpNote plan(CpuQueue&, const Dense&);
OpNote plan(CudaQueue&, const Dense&);

// dx = dy weight^T.
struct DenseBackwardData {
  static constexpr const char* kName = "dense_backward_data";
  ConstView dy;      // [N, out]
  ConstView weight;  // [in, out]
  View dx;           // [N, in]
  Precision precision = Precision::f32;
  void check() const;
};
void run(CpuQueue&, const DenseBackwardData&);
void run(CudaQueue&, const DenseBackwardData&);
OpNote plan(CpuQueue&, const DenseBackwardData&);
OpNote plan(CudaQueue&, const DenseBackwardData&);

// dweight = x^T dy, dbias = column sums of dy, in a fixed order; they are overwritten.
struct DenseBackwardWeights {
  static constexpr const char* kName = "dense_backward_weights";
  ConstView x;                           // [N, in]
  ConstView dy;                          // [N, out]
  View dweight;                          // [in, out]
  View dbias = {};                       // [out], or absent
  Precision precision = Precision::f32;  // of dweight; dbias is a sum in f32
  void check() const;
};
void run(CpuQueue&, const DenseBackwardWeights&);
void run(CudaQueue&, const DenseBackwardWeights&);
OpNote plan(CpuQueue&, const DenseBackwardWeights&);
OpNote plan(CudaQueue&, const DenseBackwardWeights&);

}  // namespace ratnet::inline v1
