// From a graph to a plan: what is computed, with which memory.
#include <algorithm>

#include "plan_state.h"

namespace ratnet::inline v1 {

void Plan::State::compile(const Graph& original) {
  lay_out(original);
  check_memory(original);
  try {
    allocate();
  } catch (const Error& error) {
    fail(error.kind(), "a plan for ", options.batch,
         training() ? " samples to train on: " : " samples: ", error.what());
  }
  find_read_elsewhere();
}

void Plan::State::lay_out(const Graph& original) {
  require(options.batch >= 1, "a plan needs a batch of 1 or more, got ", options.batch);
  // f32 is what nobody chose.
  if (options.input_type == DType::f32) options.input_type = parameters->dtype();
  const DType stored_as = options.input_type;
  require(stored_as == parameters->dtype() || stored_as == DType::u8 || stored_as == DType::u16 ||
              stored_as == DType::i16,
          "inputs of a plan are u8, u16, i16 or the parameters' ", name_of(parameters->dtype()),
          ", not ", name_of(stored_as));
  require(!options.queue || options.queue->device == parameters->queue()->device, "a plan on ",
          to_string(queue().device), " cannot use parameters on ",
          to_string(parameters->queue()->device));
  require(training() || !options.recompute, "only a plan for training can recompute");
  require(options.samples_at_once >= 0, "samples_at_once is 0 or more, not ",
          options.samples_at_once);
  require(options.samples_at_once == 0 || (!training() && options.keep_prepared),
          "samples_at_once is for plans of inference that keep prepared weights");
  for (const std::string& name : options.watch) (void)original.find(name);
  FusedGraph rewritten{original, {}};
  if (options.fuse)
    rewritten = fuse(original, training(), options.watch, queue().adds_in_convolutions);
  graph = std::move(rewritten.graph);
  std::vector<LayerShapes> shapes = graph.infer(options.batch, training());

  nodes.resize(graph.nodes().size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    PlannedNode& c = nodes[i];
    c.node = &graph.nodes()[i];
    c.shapes = std::move(shapes[i]);
    // Random streams go by a layer's place in the original graph, which fusion does not change.
    c.stream = static_cast<std::uint32_t>(original.find(c.node->name));
    c.reads = c.node->inputs;
    find_weights(i, rewritten.norms);
    c.needs_gradient = c.has_trainable || (is_input(c) && options.input_gradients);
    for (const int input : c.node->inputs) c.needs_gradient |= at(input).needs_gradient;
  }
  for (const int output : graph.outputs()) at(output).goes_backward = at(output).needs_gradient;
  for (std::size_t i = nodes.size(); i-- > 0;)
    if (nodes[i].goes_backward)
      for (const int input : nodes[i].node->inputs)
        at(input).goes_backward = at(input).needs_gradient;
  find_chain();
  find_pointwise();
  find_stretches();
  arrange();
  bind(stand_in_address());
  working_bytes = survey(options.batch);
  lay_out_prepared();
}

void Plan::State::take_together(const std::vector<int>& several, std::vector<int> reads) {
  PlannedNode& last = at(several.back());
  for (const int node : several) {
    PlannedNode& c = at(node);
    if (&c == &last) continue;
    c.absorbed = true;
    c.reads.clear();
    last.shapes.multiply_adds += c.shapes.multiply_adds;
  }
  last.reads = std::move(reads);
  last.computes = several;
}

void Plan::State::find_weights(std::size_t index, const std::map<std::string, FoldedNorm>& norms) {
  PlannedNode& c = nodes[index];
  if (const auto norm = norms.find(c.node->name); norm != norms.end())
    return fold(index, norm->second);
  std::size_t frozen = 0, trainable = 0;
  for (const WeightSpec& spec : c.shapes.weights) {
    const auto& place = parameters->find(c.node->weights_name() + "/" + spec.name);
    require(place.shape == spec.shape, "weight '", place.name, "' has shape ", place.shape,
            ", the graph asks for ", spec.shape);
    require(place.statistic == spec.statistic, "weight '", place.name,
            spec.statistic ? "' is a statistic that is not marked as one (Weights::match)"
                           : "' is marked as a statistic, which it is not");
    c.places.push_back(&place);
    frozen += place.frozen;
    trainable += place.trainable();
    c.weights.push_back(parameters->view(place));
    if (training() && spec.statistic && !place.frozen)
      c.statistics.push_back(parameters->view(place));
  }
  require(!training() || frozen == 0 || frozen == c.shapes.weights.size(), "layer '",
          c.node->weights_name(), "': freeze all of its weights or none");
  c.has_trainable = trainable > 0;
  c.frozen = frozen > 0;
  c.shapes.backward_needs_output |= c.frozen && c.shapes.frozen_backward_needs_output;
}

void Plan::State::fold(std::size_t index, const FoldedNorm& norm) {
  PlannedNode& c = nodes[index];
  const auto value = [&](const std::string& name) {
    return ConstView(parameters->view(parameters->find(name)));
  };
  FoldedWeights made{
      .node = index,
      .operation = {
          .weight = value(norm.layer + "/weight"),
          .transposed = std::holds_alternative<layers::ConvTranspose>(c.node->layer),
          .bias = norm.had_bias ? value(norm.layer + "/bias") : ConstView(),
          .mean = value(norm.norm + "/mean"),
          .variance = value(norm.norm + "/variance"),
          .scale = value(norm.norm + "/scale"),
          .shift = value(norm.norm + "/shift"),
          .folded_weight = View(stand_in_address(), parameters->dtype(), c.shapes.weights[0].shape),
          .folded_bias = View(stand_in_address(), parameters->dtype(), c.shapes.weights[1].shape),
          .epsilon = norm.epsilon}};
  c.weights = {made.operation.folded_weight, made.operation.folded_bias};
  folded.push_back(made);
}

void Plan::State::bind_folds() {
  for (FoldedWeights& f : folded) {
    f.operation.folded_weight = slot(f.weight).view;
    f.operation.folded_bias = slot(f.bias).view;
    nodes[f.node].weights = {f.operation.folded_weight, f.operation.folded_bias};
  }
}

void Plan::State::allocate() {
  arena = Buffer(queue_handle(), arena_bytes);
  scratch = Buffer(queue_handle(), working_bytes);
  if (prepared_bytes > 0) prepared = Buffer(queue_handle(), prepared_bytes);
  arena.clear();
  bind(static_cast<char*>(arena.data()));
  std::size_t offset = 0;
  for (PlannedNode& c : nodes) {
    c.prepared.memory = static_cast<char*>(prepared.data()) + offset;
    offset += c.prepared.bytes;
  }
  if (stored.empty()) return;
  const std::vector<float> ones(static_cast<std::size_t>(options.batch), 1.0f);
  upload(queue(), slot(scales).view.data, ones.data(), ones.size() * sizeof(float));
  wait(queue());
}

// Gives every view its address in an arena that begins at `base`.
void Plan::State::bind(char* base) {
  for (PlannedTensor& s : slots) s.view.data = s.used() ? base + s.offset : nullptr;
  bind_folds();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    PlannedNode& c = nodes[i];
    bind_computation(i, &PlannedNode::forward);
    bind_computation(i, &PlannedNode::again);
    c.kept_reads.assign(c.again.kept_views.begin(), c.again.kept_views.end());
    if (training()) bind_gradients(i);
  }
  current = 0;
}

void Plan::State::bind_computation(std::size_t index, Computation PlannedNode::*which) {
  PlannedNode& c = nodes[index];
  Computation& computation = c.*which;
  computation.output = slot(computation.value).view.reshaped(c.shapes.output);
  computation.inputs.clear();
  for (const int input : c.reads) {
    const PlannedNode& producer = at(input);
    computation.inputs.push_back(
        slot((producer.*which).value).view.reshaped(producer.shapes.output));
  }
  computation.kept_views.clear();
  for (const int kept : computation.kept) computation.kept_views.push_back(slot(kept).view);
}

void Plan::State::bind_gradients(std::size_t index) {
  PlannedNode& c = nodes[index];
  c.dweights.clear();
  for (std::size_t k = 0; k < c.places.size(); ++k) {
    const Parameters::Place& place = *c.places[k];
    const bool shared = k < c.weight_spare.size() && c.weight_spare[k] >= 0;
    c.dweights.push_back(!place.trainable() ? View()
                         : shared           ? slot(c.weight_spare[k]).view
                                            : gradient_of(place));
  }
  if (is_input(c) || !c.goes_backward) return;
  c.doutput = slot(c.gradient).view.reshaped(c.shapes.output);
  c.scratch_views.clear();
  c.dinputs.clear();
  for (const int scratch_slot : c.scratch) c.scratch_views.push_back(slot(scratch_slot).view);
  for (std::size_t k = 0; k < c.node->inputs.size(); ++k) {
    const PlannedNode& producer = at(c.node->inputs[k]);
    View view;
    if (producer.needs_gradient)
      view = slot(c.spare[k] >= 0 ? c.spare[k] : producer.gradient)
                 .view.reshaped(producer.shapes.output);
    c.dinputs.push_back(view);
  }
}

// Lets every layer submit its operations for n samples while the queue only takes notes: how much
// working memory they need, which is the result, and, the first time, which algorithms they take.
std::size_t Plan::State::survey(std::int64_t n) {
  const bool first = steps.empty();
  set_batch_to(n);
  Survey notes;
  queue().survey = &notes;
  try {
    run_folds();
    const std::size_t folds = notes.steps.size();  // not of every run
    for (const Stretch& stretch : stretches)
      if (stretch.samples < options.batch) set_share(stretch, 0, std::min(stretch.samples, n));
    for (const Turn& turn : schedule) {
      run(turn);
      if (!first) continue;
      const PlannedNode& c = nodes[turn.node];
      std::vector<std::string> several;
      for (const int node : c.computes) several.push_back(at(node).node->name);
      for (std::size_t k = folds + steps.size(); k < notes.steps.size(); ++k)
        steps.push_back({c.node->name, notes.steps[k].operation, notes.steps[k].algorithm,
                         c.shapes.output, c.shapes.multiply_adds, turn.phase != Phase::forward,
                         turn.phase == Phase::again, several});
    }
  } catch (...) {
    queue().survey = nullptr;
    throw;
  }
  queue().survey = nullptr;
  return notes.scratch_bytes;
}

// After a survey has told how much each node wants; all are multiples of 64.
void Plan::State::lay_out_prepared() {
  for (const PlannedNode& c : nodes) prepared_bytes += c.prepared.bytes;
}

void Plan::State::forget_prepared() {
  for (PlannedNode& c : nodes) c.prepared.form = nullptr;
  prepared_version = parameters->version();
}

// Makes sure that n samples have their working memory.
void Plan::State::widen_scratch(std::int64_t n) {
  const std::size_t bytes = survey(n);
  if (bytes <= working_bytes) return;
  wait(queue());
  captured.clear();  // it has the addresses of what is replaced
  scratch = Buffer(queue_handle(), bytes);
  working_bytes = bytes;
}

}  // namespace ratnet::inline v1
