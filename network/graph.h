// What a network computes: layers by name and the edges between them. No device, no values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "../layers/catalogue.h"

namespace ratnet::inline v1 {

struct Node {
  std::string name;  // unique; names its weights: "conv1" has "conv1/weight"
  Layer layer;
  std::vector<int> inputs;  // indices of earlier nodes
  std::string weights =
      {};  // the name its weights go by, for nodes that share them; empty: its own

  const std::string& weights_name() const { return weights.empty() ? name : weights; }
};

// Immutable once built; nodes stand in the order in which they run.
class Graph {
 public:
  Graph() = default;

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<int>& inputs() const { return inputs_; }    // the Input nodes
  const std::vector<int>& outputs() const { return outputs_; }  // at least one
  // Index of a node. Throws Error (usage) where there is none of that name.
  int find(std::string_view name) const;

  // Shapes and needs of all nodes for a batch of n. Throws Error (usage), beginning with the
  // node's name and kind ("layer 'c1': conv: ..."), where layers do not fit together.
  std::vector<LayerShapes> infer(std::int64_t n, bool training) const;

  struct NamedWeight {
    std::string name;  // "conv1/weight"
    WeightSpec spec;
  };
  // All weights in the order of the nodes, shared ones once.
  std::vector<NamedWeight> weights() const;

  // By node: whether one other node reads its output, and nobody else does; never those to `keep`.
  std::vector<bool> read_once(const std::vector<std::string>& keep) const;
  // The part of the graph that computes these nodes.
  Graph up_to(const std::vector<std::string>& outputs) const { return part({}, outputs); }
  // The part that computes these outputs where the values of some nodes are given: they become
  // inputs (a decoder is the part from the code to the image). Weights keep their names.
  Graph part(const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) const;
  // The same graph with one layer replaced.
  Graph with_layer(std::string_view name, Layer layer) const;

  std::string to_json() const;
  // Throws Error (input) for anything that is not a graph written by to_json, within bounds
  // (10,000 nodes, sizes that memory can address).
  static Graph from_json(std::string_view json);

 private:
  friend class GraphBuilder;
  std::vector<Node> nodes_;
  std::vector<int> inputs_;
  std::vector<int> outputs_;
};

// Builds a graph:
//   GraphBuilder g;
//   const auto image = g.input("image", {64, 64, 1});
//   const auto logits = g.add("logits", layers::Dense{.out = 2}, {g.add("flat", layers::Flatten{},
//   {image})}); const Graph graph = g.build({logits});
class GraphBuilder {
 public:
  using Handle = int;

  // A place where data enters; shape of one sample, channels last.
  Handle input(std::string name, std::vector<std::int64_t> shape);
  // weights: the name its weights go by, where other nodes use the same; empty: its own name.
  // Throws Error (usage): a name is taken, empty or not printable ASCII, or an input is not a node
  // of this graph.
  Handle add(std::string name, Layer layer, std::vector<Handle> inputs, std::string weights = {});
  // Checks that all layers fit together and that no output is named twice.
  Graph build(std::vector<Handle> outputs);

 private:
  Graph graph_;
};

}  // namespace ratnet::inline v1
