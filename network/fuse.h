// Rewrites of a graph that compute the same with fewer passes over memory.
#pragma once

#include <map>
#include <string>

#include "graph.h"

namespace ratnet::inline v1 {

// A batch normalisation that a convolution or dense layer computes with other weights.
struct FoldedNorm {
  std::string layer;  // the name that the weights of the layer go by
  std::string norm;   // and those of the normalisation
  double epsilon;
  bool had_bias;  // whether the layer had a bias before
};

// Moves an activation into the layer that feeds it (a convolution, dense layer, normalisation or
// sum), a non-overlapping max pooling into a convolution, padding with zeros into the convolution
// that reads it and, where it is not for training, a batch normalisation into a convolution or
// dense layer and a sum into the convolution that computes its last term, wherever nobody else
// reads what lies between. A fused node takes the name of the last layer it stands for, and its
// weights keep theirs.
struct FusedGraph {
  Graph graph;
  std::map<std::string, FoldedNorm> norms;  // by the name of the fused node
};
// keep: nodes whose own values are wanted. sums: whether those may move
// (Queue::adds_in_convolutions).
FusedGraph fuse(const Graph& graph, bool training, const std::vector<std::string>& keep = {},
                bool sums = true);

}  // namespace ratnet::inline v1
