// The network that tells what a DICOM series shows.
#pragma once

#include "../../network/graph.h"

namespace ratnet::inline v1 {

struct SeriesNetworkOptions {
  std::int64_t size = 128;  // pixels along an edge
  std::int64_t channels = 1;
  Sizes widths = {32, 64, 128, 256};  // channels of each block
};

// Blocks of a 3x3 convolution, batch normalisation, ReLU and 2x2 max pooling, then the mean of each
// channel and a dense layer, as global average pooling was introduced by Lin, Chen and Yan (Network
// in Network, 2014). Input "image" [size, size, channels]; output "probability" [classes]. Nodes
// block1/conv, norm, relu, pool, ... to block4; mean; logits; probability.
Graph series_network_graph(std::int64_t classes, const SeriesNetworkOptions& options = {});

}  // namespace ratnet::inline v1
