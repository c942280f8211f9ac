#include "fuse.h"

#include <algorithm>
#include <optional>

namespace ratnet::inline v1 {
namespace {

using layers::Conv;
using layers::Dense;
using layers::LeakyRelu;
using layers::MaxPool;
using layers::Relu;

// `producer` with the activation of `consumer` in it, where that is possible.
template <class L>
std::optional<Layer> with_activation(const L& producer, const Layer& consumer) {
  L fused = producer;
  if (std::holds_alternative<Relu>(consumer)) {
    fused.activation = Activation::relu;
  } else if (const auto* leaky = std::get_if<LeakyRelu>(&consumer)) {
    fused.activation = Activation::leaky_relu;
    fused.slope = leaky->slope;
  } else {
    return std::nullopt;
  }
  return fused;
}

std::optional<Layer> with_pool(const Conv& producer, const Layer& consumer) {
  const auto* pool = std::get_if<MaxPool>(&consumer);
  if (!pool || pool->padding != Padding::valid) return std::nullopt;
  if (!pool->stride.empty() && pool->stride != pool->kernel) return std::nullopt;
  std::int64_t taps = 1;
  for (const std::int64_t size : pool->kernel)
    if (size < 1 || size > 255 || (taps *= size) > 255) return std::nullopt;
  // One number stands for all dimensions: at most three.
  if (pool->kernel.size() == 1 && pool->kernel[0] > 6) return std::nullopt;
  Conv fused = producer;
  fused.pool = pool->kernel;
  return fused;
}

std::optional<Layer> fused(const Layer& producer, const Layer& consumer) {
  if (const auto* conv = std::get_if<Conv>(&producer)) {
    if (!conv->pool.empty()) return std::nullopt;
    if (auto layer = with_pool(*conv, consumer)) return layer;
    if (conv->activation == Activation::none) return with_activation(*conv, consumer);
  }
  if (const auto* add = std::get_if<layers::Add>(&producer))
    if (add->activation == Activation::none) return with_activation(*add, consumer);
  if (const auto* dense = std::get_if<Dense>(&producer))
    if (dense->activation == Activation::none) return with_activation(*dense, consumer);
  return std::nullopt;
}

}  // namespace

FusedGraph fuse(const Graph& graph) {
  const auto& nodes = graph.nodes();
  const std::vector<bool> read_once = graph.read_once();

  struct Pending {
    std::string name;
    std::string weight_prefix;
    Layer layer;
    std::vector<int> inputs;  // into `pending`
  };
  std::vector<Pending> pending;
  std::vector<int> place(nodes.size());  // where a node's value is now computed
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (node.inputs.size() == 1) {
      const auto input = static_cast<std::size_t>(node.inputs[0]);
      Pending& producer = pending[static_cast<std::size_t>(place[input])];
      if (read_once[input]) {
        if (auto layer = fused(producer.layer, node.layer)) {
          producer.layer = std::move(*layer);
          producer.name = node.name;
          place[i] = place[input];
          continue;
        }
      }
    }
    std::vector<int> inputs;
    for (const int input : node.inputs) inputs.push_back(place[static_cast<std::size_t>(input)]);
    place[i] = static_cast<int>(pending.size());
    pending.push_back({node.name, node.name, node.layer, std::move(inputs)});
  }

  FusedGraph result;
  GraphBuilder builder;
  for (Pending& node : pending) {
    builder.add(std::move(node.name), std::move(node.layer), std::move(node.inputs));
    result.weight_prefixes.push_back(std::move(node.weight_prefix));
  }
  std::vector<int> outputs;
  for (const int output : graph.outputs())
    outputs.push_back(place[static_cast<std::size_t>(output)]);
  result.graph = builder.build(std::move(outputs));
  return result;
}

}  // namespace ratnet::inline v1
