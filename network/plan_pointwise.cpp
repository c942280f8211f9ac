// Pointwise layers in a row that a plan of inference computes in one pass.
#include <algorithm>
#include <optional>

#include "../kernels/pointwise_chain.h"
#include "../kernels/submit.h"
#include "plan_state.h"

namespace ratnet::inline v1 {
namespace {

std::optional<PointwiseStep> step_of(const Layer& layer) {
  return std::visit(
      [](const auto& one) -> std::optional<PointwiseStep> {
        if constexpr (requires { one.step(); }) return one.step();
        return std::nullopt;
      },
      layer);
}

}  // namespace

// Rows of neighbours of which each reads the one before, and nobody else does. Only neighbours, so
// that what they read from elsewhere holds hardly longer.
void Plan::State::find_pointwise() {
  if (training() || !options.fuse) return;
  const std::vector<bool> read_once = graph.read_once(options.watch);
  const auto follows = [&](std::size_t i) {
    const std::vector<int>& inputs = nodes[i].node->inputs;
    return read_once[i - 1] && std::count(inputs.begin(), inputs.end(), static_cast<int>(i) - 1);
  };
  for (std::size_t first = 1; first < nodes.size(); ++first) {
    std::vector<int> row, reads;
    int step_count = 0;
    std::size_t length = 0;  // of the row up to its last step
    for (std::size_t i = first; i < nodes.size() && step_count < PointwiseChain::kMostSteps; ++i) {
      if (i > first && !follows(i)) break;
      // Dropout and other shapes of the same numbers may stand between steps.
      const bool passes = i > first && nodes[i].shapes.same_memory;
      if (!passes && !step_of(nodes[i].node->layer)) break;
      row.push_back(static_cast<int>(i));
      if (passes) continue;
      for (const int input : nodes[i].reads)
        if (i == first || input != static_cast<int>(i) - 1) reads.push_back(input);
      ++step_count;
      length = row.size();
    }
    if (step_count < 2) continue;
    row.resize(length);
    take_together(row, std::move(reads));
    first += length - 1;
  }
}

void Plan::State::run_pointwise(const PlannedNode& last) {
  PointwiseChain op;
  op.y = last.forward.output;
  auto read = last.forward.inputs.begin();
  const auto next = [&] { return (read++)->reshaped(op.y.shape); };
  op.x = next();
  for (const int node : last.computes) {
    const auto what = step_of(at(node).node->layer);
    if (!what) continue;  // the same numbers
    PointwiseChain::Step& step = op.steps[op.count++];
    step.what = *what;
    if (what->combine != Combine::none) step.with = next();
  }
  submit(queue(), op);
}

}  // namespace ratnet::inline v1
