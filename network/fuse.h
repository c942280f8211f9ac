// Rewrites of a graph that compute the same with fewer passes over memory.
#pragma once

#include "graph.h"

namespace ratnet::inline v1 {

// Moves an activation into the convolution, dense layer or sum that feeds it, and a non-overlapping
// max pooling into a convolution, wherever nobody else reads what lies between. A fused node takes
// the name of the last layer it stands for, and its weights keep theirs: weight_prefixes has, by
// node, the name the weights go by.
struct FusedGraph {
  Graph graph;
  std::vector<std::string> weight_prefixes;
};
FusedGraph fuse(const Graph& graph);

}  // namespace ratnet::inline v1
