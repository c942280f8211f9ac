#include "fuse.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace ratnet::inline v1 {
namespace {

using layers::Add;
using layers::Conv;
using layers::Dense;
using layers::LeakyRelu;
using layers::MaxPool;
using layers::Pad;
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

// adds: whether the producer is a convolution that adds something to its sums.
std::optional<Layer> fused(const Layer& producer, bool adds, const Layer& consumer) {
  if (const auto* conv = std::get_if<Conv>(&producer)) {
    if (!conv->pool.empty()) return std::nullopt;
    if (!adds)
      if (auto layer = with_pool(*conv, consumer)) return layer;
  }
  return std::visit(
      [&](const auto& layer) -> std::optional<Layer> {
        if constexpr (requires { layer.activation; })
          if (layer.activation == Activation::none) return with_activation(layer, consumer);
        return std::nullopt;
      },
      producer);
}

// `producer` with a bias, so that it can take in the normalisation that follows it; had_bias tells
// whether there was one.
std::optional<Layer> with_norm(const Layer& producer, bool& had_bias) {
  const auto fold = [&](auto layer) -> std::optional<Layer> {
    if (layer.activation != Activation::none) return std::nullopt;
    had_bias = std::exchange(layer.bias, true);
    return layer;
  };
  if (const auto* conv = std::get_if<Conv>(&producer))
    return conv->pool.empty() ? fold(*conv) : std::nullopt;
  if (const auto* up = std::get_if<layers::ConvTranspose>(&producer)) return fold(*up);
  if (const auto* dense = std::get_if<Dense>(&producer)) return fold(*dense);
  return std::nullopt;
}

// Number by number; a single number stands for all dimensions, none for zero.
Sizes sum_of(const Sizes& a, const Sizes& b) {
  const auto number = [](const Sizes& sizes, std::size_t d) {
    return sizes.empty() ? 0 : sizes[sizes.size() == 1 ? 0 : d];
  };
  Sizes sum(std::max({a.size(), b.size(), std::size_t{1}}));
  for (std::size_t d = 0; d < sum.size(); ++d) sum[d] = number(a, d) + number(b, d);
  return sum;
}

// `conv` on the input of `pad`, where that is possible.
std::optional<Layer> with_padding(const Conv& conv, const Pad& pad) {
  constexpr std::int64_t kMost = 1 << 16;  // sums of more may be beyond what a window takes
  if (pad.mode != PadMode::zero || conv.padding == Padding::same) return std::nullopt;
  Conv padded = conv;
  padded.padding = Padding::custom;
  padded.pad_before = sum_of(pad.before, conv.pad_before);
  padded.pad_after = sum_of(pad.after, conv.pad_after);
  for (const Sizes* sizes : {&padded.pad_before, &padded.pad_after})
    for (const std::int64_t size : *sizes)
      if (size > kMost) return std::nullopt;
  return padded;
}

// A node of the new graph in the making.
struct Pending {
  std::string name;
  std::string weights;
  Layer layer;
  std::vector<int> inputs;  // into the list of these
  std::optional<FoldedNorm> norm = {};
};

// Takes `node` into the one that feeds it, where that is possible.
bool absorb(Pending& producer, const Node& node, bool training) {
  const bool adds = std::holds_alternative<Conv>(producer.layer) && producer.inputs.size() == 2;
  if (auto layer = fused(producer.layer, adds, node.layer)) {
    producer.layer = std::move(*layer);
    return true;
  }
  const auto* pad = std::get_if<Pad>(&producer.layer);
  if (const auto* conv = std::get_if<Conv>(&node.layer); pad && conv) {
    auto layer = with_padding(*conv, *pad);
    if (!layer) return false;
    producer.layer = std::move(*layer);
    producer.weights = node.weights_name();
    return true;
  }
  const auto* norm = std::get_if<layers::BatchNorm>(&node.layer);
  if (!norm || training || adds || producer.norm) return false;
  bool had_bias = false;
  auto layer = with_norm(producer.layer, had_bias);
  if (!layer) return false;
  producer.norm = FoldedNorm{{}, node.weights_name(), norm->epsilon, had_bias};
  std::visit(
      [&](auto& into) {
        if constexpr (requires { into.activation; }) {
          into.activation = norm->activation;
          into.slope = norm->slope;
        }
      },
      *layer);
  producer.layer = std::move(*layer);
  return true;
}

// Takes a sum into the convolution that computes one of its terms, where that is possible. other:
// the place of the other term.
bool absorb_sum(Pending& producer, int other, const Add& sum) {
  auto* const conv = std::get_if<Conv>(&producer.layer);
  if (!conv || producer.inputs.size() != 1 || !conv->pool.empty() ||
      conv->activation != Activation::none)
    return false;
  conv->activation = sum.activation;
  conv->slope = sum.slope;
  producer.inputs.push_back(other);
  return true;
}

}  // namespace

FusedGraph fuse(const Graph& graph, bool training, const std::vector<std::string>& keep,
                bool sums) {
  const auto& nodes = graph.nodes();
  const std::vector<bool> alone = graph.read_once(keep);

  std::vector<Pending> pending;
  std::vector<int> place(nodes.size());  // where a node's value is now computed
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (node.inputs.size() == 1) {
      const auto input = static_cast<std::size_t>(node.inputs[0]);
      Pending& producer = pending[static_cast<std::size_t>(place[input])];
      if (alone[input] && absorb(producer, node, training)) {
        producer.name = node.name;
        place[i] = place[input];
        continue;
      }
    }
    if (const auto* sum = std::get_if<Add>(&node.layer); sum && sums && !training) {
      // The term that is there last may become the sum: the other is there by then.
      auto last = static_cast<std::size_t>(node.inputs[0]);
      auto other = static_cast<std::size_t>(node.inputs[1]);
      if (place[last] < place[other]) std::swap(last, other);
      Pending& term = pending[static_cast<std::size_t>(place[last])];
      if (alone[last] && absorb_sum(term, place[other], *sum)) {
        term.name = node.name;
        place[i] = place[last];
        continue;
      }
    }
    std::vector<int> inputs;
    for (const int input : node.inputs) inputs.push_back(place[static_cast<std::size_t>(input)]);
    place[i] = static_cast<int>(pending.size());
    pending.push_back({node.name, node.weights_name(), node.layer, std::move(inputs)});
  }

  FusedGraph result;
  GraphBuilder builder;
  for (Pending& node : pending) {
    if (node.norm) {
      // Its weights are its own now, with a bias that those of others may not have.
      node.norm->layer = std::exchange(node.weights, {});
      result.norms[node.name] = *node.norm;
    }
    builder.add(std::move(node.name), std::move(node.layer), std::move(node.inputs),
                std::move(node.weights));
  }
  std::vector<int> outputs;
  for (const int output : graph.outputs())
    outputs.push_back(place[static_cast<std::size_t>(output)]);
  result.graph = builder.build(std::move(outputs));
  return result;
}

}  // namespace ratnet::inline v1
