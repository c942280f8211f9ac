// Inputs in host memory, which a plan of inference on a CPU reads where they are.
#include <algorithm>

#include "plan_state.h"

namespace ratnet::inline v1 {

// Unless somebody else has its memory: an operation that works in place would write to it, and
// outputs are read from it.
bool Plan::State::reads_elsewhere(int input) const {
  if (queue().device.kind != DeviceKind::cpu || training() || !stored.empty()) return false;
  if (std::ranges::find(graph.outputs(), input) != graph.outputs().end() ||
      is_watched(at(input).node->name))
    return false;
  const int value = at(input).forward.value;
  return std::ranges::count(nodes, value, [](const PlannedNode& c) { return c.forward.value; }) ==
         1;
}

// From now on.
void Plan::State::read_from(int input, const void* data) {
  slot(at(input).forward.value).view.data = const_cast<void*>(data);
  for (PlannedNode& c : nodes) {
    if (c.absorbed) continue;
    for (std::size_t k = 0; k < c.forward.inputs.size(); ++k)
      if (c.reads[k] == input) c.forward.inputs[k].data = data;
  }
}

// How many samples they are.
std::int64_t Plan::check_inputs(std::span<const ConstView> inputs) const {
  const std::size_t expected = state_->graph.inputs().size();
  require(inputs.size() == expected, "the graph has ", expected, " inputs, got ", inputs.size());
  require(inputs[0].shape.rank() >= 1, "an input needs a batch dimension");
  const std::int64_t n = inputs[0].shape[0];
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const View own = input(i, n);
    require(inputs[i].shape == own.shape && inputs[i].dtype == own.dtype, "input ", i, " is ",
            name_of(inputs[i].dtype), " ", inputs[i].shape, ", expected ", name_of(own.dtype), " ",
            own.shape);
  }
  return n;
}

void Plan::forward(std::span<const ConstView> inputs) {
  State& s = *state_;
  const std::int64_t n = check_inputs(inputs);
  struct Return {
    State& state;
    ~Return() {
      for (const int node : state.graph.inputs())
        if (state.reads_elsewhere(node)) state.read_from(node, state.at(node).forward.output.data);
    }
  };
  const Return to_own{s};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const int node = s.graph.inputs()[i];
    if (s.reads_elsewhere(node))
      s.read_from(node, inputs[i].data);
    else
      upload(queue(), input(i, n).data, inputs[i].data, inputs[i].bytes());
  }
  forward(n);
}

}  // namespace ratnet::inline v1
