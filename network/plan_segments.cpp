// Which values a plan for training computes again, and so in which order it runs. The nodes are cut
// into segments of neighbours; of a segment only what later ones read is kept, the rest is computed
// once more before the segment's backward (Chen and others, 2016).
#include "plan_state.h"

namespace ratnet::inline v1 {

// Segments of about as many bytes of values each.
void Plan::State::cut_into_segments(int count) {
  const auto size = [](const PlannedNode& c) {
    return c.shapes.same_memory ? 0.0 : static_cast<double>(c.shapes.output.count());
  };
  double total = 0, before = 0;
  for (const PlannedNode& c : nodes) total += size(c);
  for (PlannedNode& c : nodes) {
    c.segment = std::min(count - 1, static_cast<int>(before / total * count));
    before += size(c);
  }
}

void Plan::State::find_recomputed() {
  const int last = nodes.back().segment;
  std::vector<std::size_t> owner(nodes.size());  // of the memory
  std::vector<bool> stays(nodes.size());         // from forward to backward; by owner
  const auto owner_of = [&](int node) { return owner[static_cast<std::size_t>(node)]; };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    PlannedNode& c = nodes[i];
    c.recomputed = false;
    owner[i] = c.shapes.same_memory ? owner_of(c.node->inputs[0]) : i;
    if (is_input(c) || c.segment == last) stays[owner[i]] = true;
    for (const int input : c.node->inputs)
      if (at(input).segment != c.segment) stays[owner_of(input)] = true;
  }
  for (const int output : graph.outputs()) stays[owner_of(output)] = true;
  for (const std::string& name : options.watch) stays[owner_of(graph.find(name))] = true;

  std::vector<bool> wanted(nodes.size());  // by owner
  for (std::size_t i = nodes.size(); i-- > 0;) {
    PlannedNode& c = nodes[i];
    if (c.goes_backward && c.shapes.backward_needs_output) wanted[owner[i]] = true;
    if (c.goes_backward && c.shapes.backward_needs_input)
      for (const int input : c.node->inputs) wanted[owner_of(input)] = true;
    if (owner[i] != i || stays[i]) continue;
    c.recomputed = wanted[i] || (c.goes_backward && !c.shapes.kept.empty());
    if (!c.recomputed) continue;
    for (const int input : c.node->inputs) wanted[owner_of(input)] = true;
  }
}

void Plan::State::make_schedule() {
  schedule.clear();
  for (std::size_t i = 0; i < nodes.size(); ++i) schedule.push_back({i, Phase::forward});
  if (!training()) return;
  for (std::size_t end = nodes.size(); end > 0;) {
    std::size_t begin = end - 1;
    while (begin > 0 && nodes[begin - 1].segment == nodes[begin].segment) --begin;
    for (std::size_t i = begin; i < end; ++i) {
      if (!nodes[i].recomputed) continue;
      nodes[i].again_step = last_step();
      schedule.push_back({i, Phase::again});
    }
    for (std::size_t i = end; i-- > begin;) {
      nodes[i].backward_step = last_step();
      schedule.push_back({i, Phase::backward});
    }
    end = begin;
  }
}

}  // namespace ratnet::inline v1
