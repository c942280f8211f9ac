// Convolutions as matrix products with implicit patches (nothing is unfolded in memory), and dense
// layers as convolutions of one pixel.
#pragma once

#include "../../core/precision.h"
#include "../../core/view.h"
#include "../activation.h"
#include "cuda_queue.h"
#include "window_geometry.h"

namespace ratnet::inline v1 {

struct ConvForward {
  const char* what;
  WindowGeometry geometry;
  ConstView x, weight, bias;
  View y;
  Activation activation;
  double slope;
  Precision precision = Precision::f32;
  DType dtype() const { return x.dtype; }
};
void run(CudaQueue& queue, const ConvForward& call);

struct ConvData {
  const char* what;
  WindowGeometry geometry;
  ConstView dy, weight;
  View dx;
  Precision precision = Precision::f32;
  DType dtype() const { return dy.dtype; }
};
void run(CudaQueue& queue, const ConvData& call);

struct ConvWeights {
  const char* what;
  WindowGeometry geometry;
  ConstView x, dy;
  View dweight, dbias;
  Precision precision = Precision::f32;
  DType dtype() const { return x.dtype; }
};
void run(CudaQueue& queue, const ConvWeights& call);

// The working memory of run().
inline std::size_t scratch_bytes(const ConvForward&) { return 0; }
inline std::size_t scratch_bytes(const ConvData&) { return 0; }
std::size_t scratch_bytes(const ConvWeights& call);

// What run() does with such a call, in words.
const char* algorithm_of(const WindowGeometry& geometry, DType dtype, Precision precision);

}  // namespace ratnet::inline v1
