// RatNet: the network that tells dark slices from good ones.
#pragma once

#include "../../network/graph.h"

namespace ratnet::inline v1 {

// As its authors describe it (CLARA): three 3x3 convolutions of depth 32, each followed by ReLU and
// 2x2 max pooling; a dense layer of 128 with ReLU; two softmax nodes (good, dark). Input "image"
// [size, size, 1]: a coronal slice divided by the run's brain level. Nodes conv1..3, relu1..3,
// pool1..3, flatten, dense, dense_relu, logits, probability.
Graph ratnet_graph(std::int64_t size = 64);

}  // namespace ratnet::inline v1
