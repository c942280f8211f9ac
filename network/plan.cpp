#include "plan.h"

#include <algorithm>
#include <map>

#include "../core/arena.h"
#include "../core/captured.h"
#include "../kernels/pointwise.h"
#include "../kernels/submit.h"
#include "fuse.h"

namespace ratnet::inline v1 {
namespace {

// One tensor of the arena, with the steps between which it must hold.
struct Slot {
  Shape shape;
  DType dtype;
  int first = -1;
  int last = -1;
  View view;

  bool used() const { return first >= 0; }
  void need(int step) {
    first = first < 0 ? step : std::min(first, step);
    last = std::max(last, step);
  }
};

// A node with everything its calls need, so that a run builds nothing.
struct Compiled {
  const Node* node = nullptr;
  LayerShapes shapes;
  std::uint32_t stream = 0;
  int value = 0;  // slot of the output; a node with same_memory has that of its input
  int gradient = -1;
  std::vector<int> kept;
  std::vector<int> scratch;
  std::vector<int> spare;  // by input: a slot for its gradient where another consumer wrote first
  bool has_trainable = false;
  bool needs_gradient = false;  // somebody below (or the node) can be trained

  std::vector<ConstView> inputs;
  View output;
  std::vector<ConstView> weights;
  std::vector<View> kept_views;
  ConstView doutput;
  std::vector<View> dinputs;
  std::vector<View> dweights;
  std::vector<ConstView> kept_reads;
  std::vector<View> scratch_views;
};

void set_batch(View& view, std::int64_t n) {
  if (view) view.shape[0] = n;
}
void set_batch(ConstView& view, std::int64_t n) {
  if (view) view.shape[0] = n;
}
template <class Views>
void set_batches(Views& views, std::int64_t n) {
  for (auto& view : views) set_batch(view, n);
}

// Lends a plan's working memory to the queue for one run.
class Lend {
 public:
  Lend(Queue& queue, const Buffer& memory) : queue_(queue) {
    queue_.scratch = memory.data();
    queue_.scratch_bytes = memory.bytes();
  }
  ~Lend() {
    queue_.scratch = nullptr;
    queue_.scratch_bytes = 0;
  }
  Lend(const Lend&) = delete;
  Lend& operator=(const Lend&) = delete;

 private:
  Queue& queue_;
};

}  // namespace

struct Plan::State {
  Graph graph;
  std::shared_ptr<Parameters> parameters;
  PlanOptions options;
  std::vector<Compiled> nodes;
  std::vector<Slot> slots;
  Buffer arena;
  Buffer scratch;
  Buffer gradients;
  Buffer random_key;
  std::int64_t current = 0;  // the batch that the views are set to
  std::vector<Step> steps;
  // Of inference, by the number of samples: where the queue can, a run is captured once and then
  // replayed, which costs one launch in place of one per operation.
  std::map<std::int64_t, Captured> captured;
  bool warm = false;  // the first run is not captured: drivers load kernels when they first run

  Queue& queue() const { return *parameters->queue(); }
  bool training() const { return options.mode == Mode::train; }
  Compiled& at(int index) { return nodes[static_cast<std::size_t>(index)]; }
  Slot& slot(int index) { return slots[static_cast<std::size_t>(index)]; }
  bool is_input(const Compiled& c) const { return c.node->inputs.empty(); }

  int new_slot(const Shape& shape, DType dtype) {
    slots.push_back({shape, dtype, -1, -1, {}});
    return static_cast<int>(slots.size()) - 1;
  }

  // The step at which a node runs forward, and backward.
  int forward_step(std::size_t node) const { return static_cast<int>(node); }
  int backward_step(std::size_t node) const {
    return static_cast<int>(2 * nodes.size() - 1 - node);
  }
  int last_step() const { return static_cast<int>(2 * nodes.size()); }

  void compile(const Graph& original);
  void place_values();
  void place_gradients();
  void allocate();
  void bind(const std::vector<std::string>& weight_prefixes);
  void bind_gradients(std::size_t index);
  void survey();
  void set_batch_to(std::int64_t n);
  void run_forward(std::size_t node);
  void run_backward(std::size_t node);
  View random() const { return training() ? View(random_key.data(), DType::i64, {2}) : View(); }
  void check_batch(std::int64_t n) const {
    require(n >= 1 && n <= options.batch, "a batch of ", n, " does not fit a plan for 1 to ",
            options.batch);
  }
};

void Plan::State::compile(const Graph& original) {
  require(options.batch >= 1, "a plan needs a batch of 1 or more, got ", options.batch);
  FusedGraph rewritten;
  if (options.fuse) {
    rewritten = fuse(original);
  } else {
    rewritten.graph = original;
    for (const Node& node : original.nodes()) rewritten.weight_prefixes.push_back(node.name);
  }
  graph = std::move(rewritten.graph);
  std::vector<LayerShapes> shapes = graph.infer(options.batch, training());

  nodes.resize(graph.nodes().size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Compiled& c = nodes[i];
    c.node = &graph.nodes()[i];
    c.shapes = std::move(shapes[i]);
    // Random streams go by the name of the weights' layer, so that fusion does not change them.
    c.stream = static_cast<std::uint32_t>(original.find(c.node->name));
    std::size_t frozen = 0;
    for (const WeightSpec& spec : c.shapes.weights) {
      const auto& place = parameters->find(rewritten.weight_prefixes[i] + "/" + spec.name);
      require(place.shape == spec.shape, "weight '", place.name, "' has shape ", place.shape,
              ", the graph asks for ", spec.shape);
      frozen += place.frozen;
    }
    require(frozen == 0 || frozen == c.shapes.weights.size(), "layer '", c.node->name,
            "': freeze all of its weights or none");
    c.has_trainable = frozen < c.shapes.weights.size();
    c.needs_gradient = c.has_trainable || (is_input(c) && options.input_gradients);
    for (const int input : c.node->inputs) c.needs_gradient |= at(input).needs_gradient;
  }
  place_values();
  if (training()) place_gradients();
  allocate();
  bind(rewritten.weight_prefixes);
  survey();
}

void Plan::State::place_values() {
  const DType real = parameters->dtype();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Compiled& c = nodes[i];
    c.value = c.shapes.same_memory ? at(c.node->inputs[0]).value : new_slot(c.shapes.output, real);
    // Inputs hold from the start, since the caller writes them before the run.
    slot(c.value).need(is_input(c) ? 0 : forward_step(i));
    for (const int input : c.node->inputs) slot(at(input).value).need(forward_step(i));
    for (const TensorSpec& spec : c.shapes.kept) {
      c.kept.push_back(new_slot(spec.shape, spec.real ? real : spec.dtype));
      slot(c.kept.back()).need(forward_step(i));
    }
  }
  for (const int output : graph.outputs()) slot(at(output).value).need(last_step());
}

void Plan::State::place_gradients() {
  const DType real = parameters->dtype();
  std::vector<int> writers(nodes.size());  // consumers that have written a node's gradient so far
  for (const int output : graph.outputs()) {
    Compiled& c = at(output);
    require(!c.shapes.same_memory || c.gradient < 0, "an output cannot be flattened twice");
    if (c.gradient < 0) c.gradient = new_slot(c.shapes.output, real);
    // The caller writes it after forward.
    slot(c.gradient).need(static_cast<int>(nodes.size()) - 1);
    ++writers[static_cast<std::size_t>(output)];
  }
  for (std::size_t i = nodes.size(); i-- > 0;) {
    Compiled& c = nodes[i];
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
    for (const int input : c.node->inputs) {
      Compiled& producer = at(input);
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
}

void Plan::State::allocate() {
  std::vector<Lifetime> lifetimes;
  std::vector<Slot*> live;
  for (Slot& s : slots) {
    if (!s.used()) continue;
    live.push_back(&s);
    lifetimes.push_back({View(nullptr, s.dtype, s.shape).bytes(), s.first, s.last});
  }
  const ArenaLayout layout = plan_arena(lifetimes);
  arena = Buffer(parameters->queue(), layout.bytes);
  arena.clear();
  for (std::size_t i = 0; i < live.size(); ++i)
    live[i]->view = {static_cast<char*>(arena.data()) + layout.offsets[i], live[i]->dtype,
                     live[i]->shape};
  if (training()) {
    const auto bytes =
        static_cast<std::size_t>(parameters->trainable()) * size_of(parameters->dtype());
    gradients = Buffer(parameters->queue(), bytes);
    gradients.clear();
    random_key = Buffer(parameters->queue(), 2 * sizeof(std::int64_t));
    random_key.clear();
  }
}

void Plan::State::bind(const std::vector<std::string>& weight_prefixes) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Compiled& c = nodes[i];
    c.output = slot(c.value).view.reshaped(c.shapes.output);
    for (const int input : c.node->inputs) {
      const Compiled& producer = at(input);
      c.inputs.push_back(slot(producer.value).view.reshaped(producer.shapes.output));
    }
    for (const WeightSpec& spec : c.shapes.weights) {
      const auto& place = parameters->find(weight_prefixes[i] + "/" + spec.name);
      c.weights.push_back(parameters->view(place));
      View gradient;
      if (training() && !place.frozen)
        gradient = {static_cast<char*>(gradients.data()) +
                        static_cast<std::size_t>(place.offset) * size_of(parameters->dtype()),
                    parameters->dtype(), place.shape};
      c.dweights.push_back(gradient);
    }
    for (const int kept : c.kept) {
      c.kept_views.push_back(slot(kept).view);
      c.kept_reads.push_back(slot(kept).view);
    }
    if (training()) bind_gradients(i);
  }
}

void Plan::State::bind_gradients(std::size_t index) {
  Compiled& c = nodes[index];
  if (is_input(c) || !c.needs_gradient || c.gradient < 0) return;
  c.doutput = slot(c.gradient).view.reshaped(c.shapes.output);
  for (const int scratch_slot : c.scratch) c.scratch_views.push_back(slot(scratch_slot).view);
  for (std::size_t k = 0; k < c.node->inputs.size(); ++k) {
    const Compiled& producer = at(c.node->inputs[k]);
    View view;
    if (producer.needs_gradient)
      view = slot(c.spare[k] >= 0 ? c.spare[k] : producer.gradient)
                 .view.reshaped(producer.shapes.output);
    c.dinputs.push_back(view);
  }
}

// Lets every layer submit its operations while the queue only takes notes: how much working memory
// they need and which algorithms they take.
void Plan::State::survey() {
  current = options.batch;
  Survey notes;
  queue().survey = &notes;
  const auto collect = [&](std::size_t node, bool backward) {
    for (std::size_t k = steps.size(); k < notes.steps.size(); ++k)
      steps.push_back({nodes[node].node->name, notes.steps[k].operation, notes.steps[k].algorithm,
                       nodes[node].shapes.output, nodes[node].shapes.multiply_adds, backward});
  };
  try {
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
  scratch = Buffer(parameters->queue(), notes.scratch_bytes);
}

void Plan::State::set_batch_to(std::int64_t n) {
  check_batch(n);
  if (n == current) return;
  current = n;
  for (Compiled& c : nodes) {
    set_batches(c.inputs, n);
    set_batch(c.output, n);
    set_batches(c.kept_views, n);
    set_batch(c.doutput, n);
    set_batches(c.dinputs, n);
    set_batches(c.kept_reads, n);
    set_batches(c.scratch_views, n);
  }
}

void Plan::State::run_forward(std::size_t index) {
  Compiled& c = nodes[index];
  if (is_input(c) || c.shapes.same_memory) return;
  const ForwardCall call{.queue = queue(),
                         .inputs = c.inputs,
                         .output = c.output,
                         .weights = c.weights,
                         .kept = c.kept_views,
                         .training = training(),
                         .random = random(),
                         .stream = c.stream,
                         .precision = options.precision};
  std::visit(
      [&](const auto& layer) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(layer)>, layers::Input>)
          layer.forward(call);
      },
      c.node->layer);
}

void Plan::State::run_backward(std::size_t index) {
  Compiled& c = nodes[index];
  if (is_input(c) || !c.doutput) return;
  // Where the memory is the same, so is the gradient, unless another consumer wrote first.
  if (!c.shapes.same_memory) {
    const BackwardCall call{.queue = queue(),
                            .inputs = c.inputs,
                            .output = c.output,
                            .doutput = c.doutput,
                            .dinputs = c.dinputs,
                            .weights = c.weights,
                            .dweights = c.dweights,
                            .kept = c.kept_reads,
                            .scratch = c.scratch_views,
                            .random = random(),
                            .stream = c.stream,
                            .precision = options.precision};
    std::visit(
        [&](const auto& layer) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(layer)>, layers::Input>)
            layer.backward(call);
        },
        c.node->layer);
  }
  for (std::size_t k = 0; k < c.spare.size(); ++k) {
    if (c.spare[k] < 0) continue;
    Compiled& producer = at(c.node->inputs[k]);
    View sum = slot(producer.gradient).view.reshaped(producer.shapes.output).first(current);
    ConstView term = c.shapes.same_memory ? c.doutput.reshaped(sum.shape) : ConstView(c.dinputs[k]);
    submit(queue(), Add{.a = sum, .b = term, .y = sum});
  }
}

Plan::Plan(const Graph& graph, std::shared_ptr<Parameters> parameters, const PlanOptions& options)
    : state_(std::make_unique<State>()) {
  state_->parameters = std::move(parameters);
  state_->options = options;
  state_->compile(graph);
}
Plan::~Plan() = default;
Plan::Plan(Plan&&) noexcept = default;
Plan& Plan::operator=(Plan&&) noexcept = default;

std::int64_t Plan::batch() const { return state_->options.batch; }
Queue& Plan::queue() const { return state_->queue(); }
const QueueHandle& Plan::queue_handle() const { return state_->parameters->queue(); }
const std::vector<Plan::Step>& Plan::steps() const { return state_->steps; }
const Graph& Plan::graph() const { return state_->graph; }

Plan::Memory Plan::memory() const {
  return {state_->arena.bytes(), state_->scratch.bytes(),
          state_->parameters->bytes() + state_->gradients.bytes()};
}

View Plan::input(std::size_t index, std::int64_t n) const {
  state_->check_batch(n);
  require(index < state_->graph.inputs().size(), "the graph has no input ", index);
  return state_->at(state_->graph.inputs()[index]).output.first(n);
}

ConstView Plan::output(std::size_t index, std::int64_t n) const {
  state_->check_batch(n);
  require(index < state_->graph.outputs().size(), "the graph has no output ", index);
  return state_->at(state_->graph.outputs()[index]).output.first(n);
}

void Plan::forward(std::int64_t n) {
  constexpr std::size_t kMostCaptured = 16;
  State& s = *state_;
  s.check_batch(n);
  const auto submit_all = [&] {
    s.set_batch_to(n);
    const Lend lend(s.queue(), s.scratch);
    for (std::size_t i = 0; i < s.nodes.size(); ++i) s.run_forward(i);
  };
  auto found = s.captured.find(n);
  const bool can_capture = !s.training() && s.queue().begin_capture && s.warm;
  if (!can_capture || (found == s.captured.end() && s.captured.size() >= kMostCaptured)) {
    submit_all();
    s.warm = true;
    return;
  }
  if (found == s.captured.end())
    found = s.captured.emplace(n, Captured(s.parameters->queue(), submit_all)).first;
  found->second.replay();
}

void Plan::run(std::span<const ConstView> inputs, std::span<const View> outputs) {
  require(inputs.size() == state_->graph.inputs().size() &&
              outputs.size() == state_->graph.outputs().size(),
          "the graph has ", state_->graph.inputs().size(), " inputs and ",
          state_->graph.outputs().size(), " outputs, got ", inputs.size(), " and ", outputs.size());
  require(inputs[0].shape.rank() >= 1, "an input needs a batch dimension");
  const std::int64_t n = inputs[0].shape[0];
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const View to = input(i, n);
    require(inputs[i].shape == to.shape && inputs[i].dtype == to.dtype, "input ", i, " is ",
            name_of(inputs[i].dtype), " ", inputs[i].shape, ", expected ", name_of(to.dtype), " ",
            to.shape);
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const ConstView from = output(i, n);
    require(outputs[i].shape == from.shape && outputs[i].dtype == from.dtype, "output ", i, " is ",
            name_of(outputs[i].dtype), " ", outputs[i].shape, ", expected ", name_of(from.dtype),
            " ", from.shape);
  }
  wait_on_failure(queue(), [&] {
    for (std::size_t i = 0; i < inputs.size(); ++i)
      checked([&](char* why, std::size_t room) {
        return queue().upload(queue(), input(i, n).data, inputs[i].data, inputs[i].bytes(), why,
                              room);
      });
    forward(n);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      checked([&](char* why, std::size_t room) {
        return queue().download(queue(), outputs[i].data, output(i, n).data, outputs[i].bytes(),
                                why, room);
      });
    wait(queue());
  });
}

void Plan::set_random(RandomKey key) {
  require(state_->training(), "only a plan for training draws random numbers");
  submit(state_->queue(),
         SetNumbers{.y = state_->random(),
                    .integers = {static_cast<std::int64_t>(key.seed), std::int64_t{key.step}}});
}

View Plan::output_gradient(std::size_t index, std::int64_t n) const {
  require(state_->training(), "only a plan for training has gradients");
  state_->check_batch(n);
  require(index < state_->graph.outputs().size(), "the graph has no output ", index);
  const Compiled& c = state_->at(state_->graph.outputs()[index]);
  return state_->slot(c.gradient).view.reshaped(c.shapes.output).first(n);
}

void Plan::backward(std::int64_t n) {
  require(state_->training(), "only a plan for training goes backward");
  state_->set_batch_to(n);
  const Lend lend(state_->queue(), state_->scratch);
  for (std::size_t i = state_->nodes.size(); i-- > 0;) state_->run_backward(i);
}

View Plan::gradients() const {
  require(state_->training(), "only a plan for training has gradients");
  return {state_->gradients.data(), state_->parameters->dtype(), {state_->parameters->trainable()}};
}

View Plan::gradient(std::string_view weight) const {
  const auto& place = state_->parameters->find(weight);
  require(!place.frozen, "weight '", place.name, "' is frozen and has no gradient");
  return {static_cast<char*>(gradients().data) +
              static_cast<std::size_t>(place.offset) * size_of(state_->parameters->dtype()),
          state_->parameters->dtype(), place.shape};
}

ConstView Plan::input_gradient(std::size_t index, std::int64_t n) const {
  state_->check_batch(n);
  require(index < state_->graph.inputs().size(), "the graph has no input ", index);
  const Compiled& c = state_->at(state_->graph.inputs()[index]);
  require(c.gradient >= 0, "the gradient of an input was not asked for (input_gradients)");
  return state_->slot(c.gradient).view.reshaped(c.shapes.output).first(n);
}

}  // namespace ratnet::inline v1
