// Conv5_FC3: the network that tells scans spoiled by motion from good ones.
#pragma once

#include "../../network/graph.h"

namespace ratnet::inline v1 {

struct Conv5Fc3Options {
  Sizes size = {96, 112, 96};  // voxels of the volume
  std::int64_t channels = 1;
  Sizes widths = {8, 16, 32, 64, 128};  // channels of the five blocks
  Sizes dense = {1300, 50};             // of the two dense layers before the logits
  double dropout = 0.5;
  std::int64_t classes = 2;
};

// Wen and others (Medical Image Analysis, 2020), which Bottani and others (2022) train for the
// quality of T1-weighted scans: blocks of a 3x3x3 convolution, batch normalisation, ReLU and 2x2x2
// max pooling, which leaves the last plane of an odd size out; then dropout and three dense layers.
// Input "volume" [size..., channels]; output "probability" [classes]. Nodes block1/conv, norm,
// relu, pool, ... to block5; flatten; dropout; fc1, fc1_relu, fc2, fc2_relu; logits; probability.
Graph conv5_fc3_graph(const Conv5Fc3Options& options = {});

}  // namespace ratnet::inline v1
