// Convolutions as matrix products with implicit patches (nothing is unfolded in memory), and dense
// layers as convolutions of one pixel.
#pragma once

#include "../../core/precision.h"
#include "../../core/view.h"
#include "../activation.h"
#include "../window.h"
#include "cuda_queue.h"

namespace ratnet::inline v1 {

// x [N, in[0], in[1], in[2], channels] against y [N, out..., outputs], weight [taps, channels,
// outputs].
struct ConvGeometry {
  std::int64_t batch = 0, channels = 0, outputs = 0;
  std::int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  std::int64_t kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, dilation[3] = {1, 1, 1};
  std::int64_t pad[3] = {0, 0, 0};
  bool operator==(const ConvGeometry&) const = default;
};

ConvGeometry geometry_of(const Shape& x, const Shape& y, const Window& window);
// x [N, channels], y [N, outputs].
ConvGeometry dense_geometry(const Shape& x, const Shape& y);

struct ConvForward {
  const char* what;
  ConvGeometry geometry;
  ConstView x, weight, bias;
  View y;
  Activation activation;
  double slope;
  Precision precision = Precision::f32;
};
void run(CudaQueue& queue, const ConvForward& call);

struct ConvData {
  const char* what;
  ConvGeometry geometry;
  ConstView dy, weight;
  View dx;
  Precision precision = Precision::f32;
};
void run(CudaQueue& queue, const ConvData& call);

struct ConvWeights {
  const char* what;
  ConvGeometry geometry;
  ConstView x, dy;
  View dweight, dbias;
  Precision precision = Precision::f32;
};
void run(CudaQueue& queue, const ConvWeights& call);
std::size_t scratch_bytes(const ConvWeights& call);

// What run() does with such a call, in words.
const char* algorithm_of(const ConvGeometry& geometry, DType dtype, Precision precision);

}  // namespace ratnet::inline v1
