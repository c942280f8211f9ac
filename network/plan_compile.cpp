// From a graph to a plan: what is computed where in memory, and for how long.
#include <algorithm>
#include <set>

#include "../core/arena.h"
#include "plan_state.h"

namespace ratnet::inline v1 {

void Plan::State::compile(const Graph& original) {
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
  for (const std::string& name : options.watch) (void)original.find(name);
  FusedGraph rewritten{original, {}};
  if (options.fuse) rewritten = fuse(original, training(), options.watch);
  graph = std::move(rewritten.graph);
  std::vector<LayerShapes> shapes = graph.infer(options.batch, training());

  nodes.resize(graph.nodes().size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    PlannedNode& c = nodes[i];
    c.node = &graph.nodes()[i];
    c.shapes = std::move(shapes[i]);
    // Random streams go by the name of the weights' layer, so that fusion does not change them.
    c.stream = static_cast<std::uint32_t>(original.find(c.node->name));
    find_weights(i, rewritten.norms);
    c.needs_gradient = c.has_trainable || (is_input(c) && options.input_gradients);
    for (const int input : c.node->inputs) c.needs_gradient |= at(input).needs_gradient;
  }
  find_chain();
  place_values();
  if (training()) place_gradients();
  try {
    allocate();
  } catch (const Error& error) {
    fail(error.kind(), "a plan for ", options.batch,
         training() ? " samples to train on: " : " samples: ", error.what());
  }
  bind();
  survey(options.batch);
}

std::vector<bool> Plan::State::private_values() const {
  std::vector<bool> once = graph.read_once();
  for (std::size_t i = 0; i < once.size(); ++i)
    once[i] = once[i] && !is_watched(graph.nodes()[i].name);
  return once;
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
    frozen += place.frozen;
    trainable += place.trainable();
    c.weights.push_back(parameters->view(place));
    if (training() && spec.statistic && !place.frozen)
      c.statistics.push_back(parameters->view(place));
  }
  require(frozen == 0 || frozen == c.shapes.weights.size(), "layer '", c.node->name,
          "': freeze all of its weights or none");
  c.has_trainable = trainable > 0;
  c.frozen = frozen > 0;
}

void Plan::State::fold(std::size_t index, const FoldedNorm& norm) {
  PlannedNode& c = nodes[index];
  const auto value = [&](const std::string& name) {
    return ConstView(parameters->view(parameters->find(name)));
  };
  const Shape& weight = c.shapes.weights[0].shape;
  const Shape& bias = c.shapes.weights[1].shape;
  FoldedWeights made{
      .weight = Buffer(queue_handle(), View(nullptr, parameters->dtype(), weight).bytes()),
      .bias = Buffer(queue_handle(), View(nullptr, parameters->dtype(), bias).bytes()),
      .operation = {.weight = value(norm.layer + "/weight"),
                    .bias = norm.had_bias ? value(norm.layer + "/bias") : ConstView(),
                    .mean = value(norm.norm + "/mean"),
                    .variance = value(norm.norm + "/variance"),
                    .scale = value(norm.norm + "/scale"),
                    .shift = value(norm.norm + "/shift"),
                    .folded_weight = View(nullptr, parameters->dtype(), weight),
                    .folded_bias = View(nullptr, parameters->dtype(), bias),
                    .epsilon = norm.epsilon}};
  made.operation.folded_weight.data = made.weight.data();
  made.operation.folded_bias.data = made.bias.data();
  made.operation.check();
  c.weights = {made.operation.folded_weight, made.operation.folded_bias};
  folded.push_back(std::move(made));
}

void Plan::State::place_values() {
  const DType real = parameters->dtype();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    PlannedNode& c = nodes[i];
    c.value = c.shapes.same_memory ? at(c.node->inputs[0]).value : new_slot(c.shapes.output, real);
    if (c.absorbed) continue;
    // Inputs hold from the start, since the caller writes them before the run.
    slot(c.value).need(is_input(c) ? 0 : forward_step(i));
    const std::vector<int>& reads = ends_chain(i) ? graph.inputs() : c.node->inputs;
    for (const int input : reads)
      if (!at(input).absorbed) slot(at(input).value).need(forward_step(i));
    for (const TensorSpec& spec : c.shapes.kept) {
      c.kept.push_back(new_slot(spec.shape, spec.real ? real : spec.dtype));
      slot(c.kept.back()).need(forward_step(i));
    }
  }
  for (const int output : graph.outputs()) slot(at(output).value).need(last_step());
  for (const std::string& name : options.watch) slot(at(graph.find(name)).value).need(last_step());
}

void Plan::State::place_gradients() {
  const DType real = parameters->dtype();
  std::vector<int> writers(nodes.size());  // consumers that have written a node's gradient so far
  std::set<std::string> written;           // weights whose gradient has been written
  for (const int output : graph.outputs()) {
    PlannedNode& c = at(output);
    require(!c.shapes.same_memory || c.gradient < 0, "an output cannot be flattened twice");
    if (c.gradient < 0) c.gradient = new_slot(c.shapes.output, real);
    // The caller writes it after forward.
    slot(c.gradient).need(static_cast<int>(nodes.size()) - 1);
    ++writers[static_cast<std::size_t>(output)];
  }
  for (std::size_t i = nodes.size(); i-- > 0;) {
    PlannedNode& c = nodes[i];
    const int step = backward_step(i);
    if (is_input(c)) {
      if (c.gradient >= 0) slot(c.gradient).need(last_step());
      continue;
    }
    if (!c.needs_gradient || c.gradient < 0) continue;
    slot(c.gradient).need(step);
    if (c.shapes.backward_needs_input)
      for (const int input : c.node->inputs) slot(at(input).value).need(step);
    if (c.shapes.backward_needs_output) slot(c.value).need(step);
    for (const int kept : c.kept) slot(kept).need(step);
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
      c.spare.push_back(-1);
      if (!producer.needs_gradient) continue;
      const bool first = writers[static_cast<std::size_t>(input)]++ == 0;
      if (first && c.shapes.same_memory) {
        producer.gradient = c.gradient;
      } else if (first) {
        producer.gradient = new_slot(producer.shapes.output, real);
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

void Plan::State::allocate() {
  std::vector<Lifetime> lifetimes;
  std::vector<PlannedTensor*> live;
  for (PlannedTensor& s : slots) {
    s.view = View(nullptr, s.dtype, s.shape);
    if (!s.used()) continue;
    live.push_back(&s);
    lifetimes.push_back({View(nullptr, s.dtype, s.shape).bytes(), s.first, s.last});
  }
  const ArenaLayout layout = plan_arena(lifetimes);
  arena = Buffer(queue_handle(), layout.bytes);
  arena.clear();
  for (std::size_t i = 0; i < live.size(); ++i)
    live[i]->view = {static_cast<char*>(arena.data()) + layout.offsets[i], live[i]->dtype,
                     live[i]->shape};
  if (options.input_type != parameters->dtype()) {
    for (const int input : graph.inputs())
      stored.emplace_back(queue_handle(),
                          View(nullptr, options.input_type, at(input).shapes.output).bytes());
    const std::vector<float> ones(static_cast<std::size_t>(options.batch), 1.0f);
    scales = Buffer(queue_handle(), ones.size() * sizeof(float));
    scales.upload(ones.data(), scales.bytes());
    wait(queue());
  }
  if (training()) {
    const auto bytes =
        static_cast<std::size_t>(parameters->trainable()) * size_of(parameters->dtype());
    gradients = Buffer(queue_handle(), bytes);
    gradients.clear();
    random_key = Buffer(queue_handle(), 2 * sizeof(std::int64_t));
    random_key.clear();
  }
}

void Plan::State::bind() {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    PlannedNode& c = nodes[i];
    c.output = slot(c.value).view.reshaped(c.shapes.output);
    for (const int input : c.node->inputs) {
      const PlannedNode& producer = at(input);
      c.inputs.push_back(slot(producer.value).view.reshaped(producer.shapes.output));
    }
    if (training())
      for (std::size_t k = 0; k < c.shapes.weights.size(); ++k) {
        const auto& place =
            parameters->find(c.node->weights_name() + "/" + c.shapes.weights[k].name);
        const bool shared = k < c.weight_spare.size() && c.weight_spare[k] >= 0;
        c.dweights.push_back(!place.trainable() ? View()
                             : shared           ? slot(c.weight_spare[k]).view
                                                : gradient_of(place));
      }
    for (const int kept : c.kept) {
      c.kept_views.push_back(slot(kept).view);
      c.kept_reads.push_back(slot(kept).view);
    }
    if (training()) bind_gradients(i);
  }
}

void Plan::State::bind_gradients(std::size_t index) {
  PlannedNode& c = nodes[index];
  if (is_input(c) || !c.needs_gradient || c.gradient < 0) return;
  c.doutput = slot(c.gradient).view.reshaped(c.shapes.output);
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
// working memory they need and, the first time, which algorithms they take.
void Plan::State::survey(std::int64_t n) {
  const bool first = steps.empty();
  set_batch_to(n);
  Survey notes;
  queue().survey = &notes;
  const auto collect = [&](std::size_t node, bool backward) {
    if (!first) return;
    for (std::size_t k = steps.size(); k < notes.steps.size(); ++k)
      steps.push_back({nodes[node].node->name, notes.steps[k].operation, notes.steps[k].algorithm,
                       nodes[node].shapes.output, nodes[node].shapes.multiply_adds, backward});
  };
  try {
    run_folds();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      run_forward(i);
      collect(i, false);
    }
    if (training())
      for (std::size_t i = nodes.size(); i-- > 0;) {
        run_backward(i);
        collect(i, true);
      }
  } catch (...) {
    queue().survey = nullptr;
    throw;
  }
  queue().survey = nullptr;
  if (!first) {
    if (notes.scratch_bytes <= scratch.bytes()) return;
    wait(queue());
    captured.clear();  // it has the addresses of what is replaced
  }
  scratch = Buffer(queue_handle(), notes.scratch_bytes);
}

}  // namespace ratnet::inline v1
