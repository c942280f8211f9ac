// Inputs in host memory, which a plan of inference on a CPU reads where they are.
#include <algorithm>

#include "plan_state.h"

namespace ratnet::inline v1 {

// Not where its value is read by others than the operations on it: as an output, or through another
// shape of the same numbers; and a row of convolutions in one operation knows the plan's own
// memory.
bool Plan::State::can_read_elsewhere(int input) const {
  if (queue().device.kind != DeviceKind::cpu || training() || !stored.empty() || chain_end >= 0)
    return false;
  if (std::ranges::find(graph.outputs(), input) != graph.outputs().end() ||
      is_watched(at(input).node->name))
    return false;
  const int value = at(input).forward.value;
  return std::ranges::count(nodes, value, [](const PlannedNode& c) { return c.forward.value; }) ==
         1;
}

void Plan::State::find_read_elsewhere() {
  for (const int input : graph.inputs()) read_elsewhere.push_back(can_read_elsewhere(input));
}

// Lets all that read an input read it there.
void Plan::State::read_from(int input, const void* data) {
  slot(at(input).forward.value).view.data = const_cast<void*>(data);
  for (PlannedNode& c : nodes)
    for (std::size_t k = 0; k < c.forward.inputs.size(); ++k)
      if (c.reads[k] == input) c.forward.inputs[k].data = data;
}

// How many samples they are. Throws Error (usage) where they do not fit.
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
  forward_checked(inputs, check_inputs(inputs));
}

void Plan::forward_checked(std::span<const ConstView> inputs, std::int64_t n) {
  State& s = *state_;
  struct ReadOwnAgain {
    State& state;
    ~ReadOwnAgain() {
      for (std::size_t i = 0; i < state.read_elsewhere.size(); ++i)
        if (const int node = state.graph.inputs()[i]; state.read_elsewhere[i])
          state.read_from(node, state.at(node).forward.output.data);
    }
  };
  const ReadOwnAgain afterwards{s};
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (s.read_elsewhere[i])
      s.read_from(s.graph.inputs()[i], inputs[i].data);
    else
      upload(queue(), input(i, n).data, inputs[i].data, inputs[i].bytes());
  forward(n);
}

}  // namespace ratnet::inline v1
