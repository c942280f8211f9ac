// How long each tensor of a plan must hold, and from that where it lies.
#include <set>

#include "../core/arena.h"
#include "plan_state.h"

namespace ratnet::inline v1 {

// The arena of a plan whose nodes are cut into so many segments.
void Plan::State::arrange(int segments) {
  cut_into_segments(segments);
  find_recomputed();
  make_schedule();
  slots.clear();
  place_values();
  place_stretches();
  if (training()) place_gradients();
  place_lasting();
  std::vector<Lifetime> lifetimes;
  std::vector<PlannedTensor*> live;
  for (PlannedTensor& s : slots) {
    if (!s.used()) continue;
    live.push_back(&s);
    lifetimes.push_back({s.bytes(), s.first, s.last});
  }
  const ArenaLayout layout = plan_arena(lifetimes);
  for (std::size_t i = 0; i < live.size(); ++i) live[i]->offset = layout.offsets[i];
  arena_bytes = layout.bytes;
}

// The smallest arena that segments give.
void Plan::State::arrange() {
  constexpr int kMostSegments = 16;
  arrange(1);
  if (!options.recompute) return;
  int best = 1, tried = 1;
  std::size_t least = arena_bytes;
  while (tried < kMostSegments) {
    arrange(++tried);
    if (arena_bytes >= least) continue;
    least = arena_bytes;
    best = tried;
  }
  if (best != tried) arrange(best);
}

void Plan::State::place_values() {
  const DType real = parameters->dtype();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    PlannedNode& c = nodes[i];
    c.forward = {};
    c.forward.value = c.shapes.same_memory ? at(c.node->inputs[0]).forward.value
                                           : new_slot(c.shapes.output, real);
    if (!c.absorbed) {
      // Inputs hold from the start, since the caller writes them before the run.
      slot(c.forward.value).need(is_input(c) ? 0 : forward_step(i));
      for (const int input : c.reads)
        if (!at(input).absorbed) slot(at(input).forward.value).need(forward_step(i));
      for (const TensorSpec& spec : c.shapes.kept) {
        c.forward.kept.push_back(new_slot(spec.shape, spec.real ? real : spec.dtype));
        slot(c.forward.kept.back()).need(forward_step(i));
      }
    }
    place_again(i);
  }
  for (const int output : graph.outputs()) slot(at(output).forward.value).need(last_step());
  for (const std::string& name : options.watch)
    slot(at(graph.find(name)).forward.value).need(last_step());
}

// What a node is to backward: what it was, or what it is once it has been computed again.
void Plan::State::place_again(std::size_t index) {
  PlannedNode& c = nodes[index];
  c.again = c.forward;
  if (c.shapes.same_memory) c.again.value = at(c.node->inputs[0]).again.value;
  if (!c.recomputed) return;
  c.again.value = new_slot(c.shapes.output, parameters->dtype());
  slot(c.again.value).need(c.again_step);
  for (const int input : c.node->inputs) slot(at(input).again.value).need(c.again_step);
  for (int& kept : c.again.kept) {
    kept = new_slot(slot(kept).shape, slot(kept).dtype);
    slot(kept).need(c.again_step);
  }
}

void Plan::State::place_gradients() {
  const DType real = parameters->dtype();
  for (PlannedNode& c : nodes) {
    c.gradient = -1;
    c.scratch.clear();
    c.spare.clear();
    c.weight_spare.clear();
  }
  std::vector<int> writers(nodes.size());  // consumers that have written a node's gradient so far
  std::set<std::string> written;           // weights whose gradient has been written
  for (const int output : graph.outputs()) {
    PlannedNode& c = at(output);
    if (c.gradient < 0) c.gradient = new_slot(c.shapes.output, real);
    // The caller writes it after forward.
    slot(c.gradient).need(static_cast<int>(nodes.size()) - 1);
    ++writers[static_cast<std::size_t>(output)];
  }
  for (std::size_t i = nodes.size(); i-- > 0;) {
    PlannedNode& c = nodes[i];
    const int step = c.backward_step;
    if (is_input(c)) {
      if (c.gradient >= 0) slot(c.gradient).need(last_step());
      continue;
    }
    if (!c.goes_backward) continue;
    slot(c.gradient).need(step);
    if (c.shapes.backward_needs_input)
      for (const int input : c.node->inputs) slot(at(input).again.value).need(step);
    if (c.shapes.backward_needs_output) slot(c.again.value).need(step);
    for (const int kept : c.again.kept) slot(kept).need(step);
    for (const TensorSpec& spec : c.shapes.backward_scratch) {
      c.scratch.push_back(new_slot(spec.shape, spec.real ? real : spec.dtype));
      slot(c.scratch.back()).need(step);
    }
    for (const WeightSpec& spec : c.shapes.weights) {
      c.weight_spare.push_back(-1);
      if (spec.statistic || c.frozen ||
          written.insert(c.node->weights_name() + "/" + spec.name).second)
        continue;
      c.weight_spare.back() = new_slot(spec.shape, real);
      slot(c.weight_spare.back()).need(step);
    }
    for (const int input : c.node->inputs) {
      PlannedNode& producer = at(input);
      c.spare.push_back(PlannedNode::kDirect);
      if (!producer.needs_gradient) continue;
      const bool first = writers[static_cast<std::size_t>(input)]++ == 0;
      if (first && c.shapes.same_memory && !is_watched(c.node->name)) {
        producer.gradient = c.gradient;
      } else if (first) {
        producer.gradient = new_slot(producer.shapes.output, real);
        if (c.shapes.same_memory) c.spare.back() = PlannedNode::kCopied;
      } else if (c.shapes.same_memory) {
        c.spare.back() = PlannedNode::kAdded;
      } else {
        c.spare.back() = new_slot(producer.shapes.output, real);
        slot(c.spare.back()).need(step);
      }
      slot(producer.gradient).need(step);
    }
  }
  for (const std::string& name : options.watch)
    if (const int gradient = at(graph.find(name)).gradient; gradient >= 0)
      slot(gradient).need(last_step());
}

void Plan::State::place_lasting() {
  const DType real = parameters->dtype();
  if (training()) {
    gradients = new_lasting_slot({parameters->trainable()}, real);
    random_key = new_lasting_slot({2}, DType::i64);
  }
  stored.clear();
  if (options.input_type != real) {
    for (const int input : graph.inputs())
      stored.push_back(new_lasting_slot(at(input).shapes.output, options.input_type));
    scales = new_lasting_slot({options.batch}, DType::f32);
  }
  for (FoldedWeights& f : folded) {
    f.weight = new_lasting_slot(f.operation.folded_weight.shape, real);
    f.bias = new_lasting_slot(f.operation.folded_bias.shape, real);
  }
}

}  // namespace ratnet::inline v1
