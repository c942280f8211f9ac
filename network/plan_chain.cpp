// Convolutions at the start of a network that a device computes better as one operation.
#include "../kernels/conv_chain.h"
#include "../kernels/submit.h"
#include "../layers/conv_windows.h"
#include "plan_state.h"

namespace ratnet::inline v1 {

// The convolutions that follow the input one after the other, with nobody else reading what lies
// between them.
std::vector<int> Plan::State::first_convolutions() const {
  const std::vector<bool> read_once = graph.read_once(options.watch);
  std::vector<int> found;
  int last = graph.inputs()[0];
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = *nodes[i].node;
    if (found.size() == ConvChain::kMostStages || !read_once[static_cast<std::size_t>(last)]) break;
    if (node.inputs != std::vector<int>{last}) continue;
    const auto* conv = std::get_if<layers::Conv>(&node.layer);
    if (!conv || conv->groups != 1) break;
    last = static_cast<int>(i);
    found.push_back(last);
  }
  return found;
}

// The first of them as one operation on n samples.
ConvChain Plan::State::chain_of(const std::vector<int>& convolutions, std::int64_t n) const {
  const PlannedNode& input = nodes[static_cast<std::size_t>(graph.inputs()[0])];
  ConvChain op{.precision = options.precision};
  if (options.input_type == DType::u8) {
    op.x = ConstView(stored.empty() ? nullptr : slot(stored[0]).view.data, DType::u8,
                     input.shapes.output)
               .first(n);
    op.scale = ConstView(stored.empty() ? nullptr : slot(scales).view.data, DType::f32, {n});
  } else {
    op.x = ConstView(input.forward.output.data, DType::f32, input.shapes.output).first(n);
  }
  Shape x = input.shapes.output;
  for (const int i : convolutions) {
    const PlannedNode& c = nodes[static_cast<std::size_t>(i)];
    const auto& layer = std::get<layers::Conv>(c.node->layer);
    op.stages[op.count++] = {.weight = c.weights[0],
                             .bias = layer.bias ? c.weights[1] : ConstView{},
                             .window = layers::window_of(layer, x),
                             .activation = layer.activation,
                             .slope = layer.slope,
                             .pool = layers::pool_of(layer, x)};
    x = c.shapes.output;
    op.y = View(c.forward.output.data, DType::f32, x).first(n);
  }
  return op;
}

// Takes as many of them as pay on this queue.
void Plan::State::find_chain() {
  if (training() || !options.fuse || parameters->dtype() != DType::f32 ||
      graph.inputs().size() != 1)
    return;
  for (std::vector<int> some = first_convolutions(); some.size() >= 2; some.pop_back()) {
    const ConvChain op = chain_of(some, options.batch);
    OpNote note;
    checked([&](char* why, std::size_t room) {
      return queue().entries[index_of<ConvChain>(AllOps{})].plan(queue(), &op, note, why, room);
    });
    if (!note.pays) continue;
    take_together(some, graph.inputs());
    chain_end = some.back();
    // u8 goes into it as it is stored.
    at(graph.inputs()[0]).absorbed = options.input_type == DType::u8;
    return;
  }
}

void Plan::State::run_chain() { submit(queue(), chain_of(at(chain_end).computes, current)); }

}  // namespace ratnet::inline v1
