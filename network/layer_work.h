// What layers compute and move, counted the same way whatever algorithm runs.
#pragma once

#include <vector>

#include "graph.h"

namespace ratnet::inline v1 {

struct LayerWork {
  // 2 for each multiply-add of the definition of a convolution or dense layer, those with padding
  // too. Biases, activations, pooling and normalisation count nothing, nor does what an algorithm
  // spares, as Winograd's does, or adds.
  double flops = 0;
  // All inputs, the output and all weights once, as if there were no caches and no working memory.
  double bytes = 0;
};

// By node of the graph, forward, for n samples in `dtype`. Layers that only give memory another
// shape do and move nothing; inputs that are stored as another type are converted.
std::vector<LayerWork> layer_work(const Graph& graph, std::int64_t n, DType dtype = DType::f32,
                                  DType input_type = DType::f32);

}  // namespace ratnet::inline v1
