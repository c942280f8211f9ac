#include "plan.h"

#include <algorithm>

#include "../kernels/pointwise.h"
#include "../kernels/submit.h"
#include "plan_state.h"

namespace ratnet::inline v1 {
namespace {

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
template <class Views>
void set_batches(Views& views, const std::vector<TensorSpec>& specs, std::int64_t n) {
  for (std::size_t i = 0; i < views.size(); ++i)
    if (!specs[i].fixed) set_batch(views[i], n);
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

// Lends a node's prepared weights to the operation of it that takes them.
class LendPrepared {
 public:
  LendPrepared(Queue& queue, PreparedWeights* prepared) : queue_(queue) {
    queue_.prepared = prepared;
  }
  ~LendPrepared() { queue_.prepared = nullptr; }
  LendPrepared(const LendPrepared&) = delete;
  LendPrepared& operator=(const LendPrepared&) = delete;

 private:
  Queue& queue_;
};

}  // namespace

void Plan::State::set_batch_to(std::int64_t n) {
  check_batch(n);
  if (n == current) return;
  current = n;
  for (PlannedNode& c : nodes) {
    for (Computation* computation : {&c.forward, &c.again}) {
      set_batches(computation->inputs, n);
      set_batch(computation->output, n);
      set_batches(computation->kept_views, c.shapes.kept, n);
    }
    set_batch(c.doutput, n);
    set_batches(c.dinputs, n);
    set_batches(c.kept_reads, c.shapes.kept, n);
    set_batches(c.scratch_views, c.shapes.backward_scratch, n);
  }
}

void Plan::State::convert_input(int node) {
  if (stored.empty()) return;
  const auto& inputs = graph.inputs();
  const auto index =
      static_cast<std::size_t>(std::find(inputs.begin(), inputs.end(), node) - inputs.begin());
  submit(queue(), Convert{.x = stored_input(index, current),
                          .y = at(node).forward.output,
                          .scales = slot(scales).view.first(current)});
}

void Plan::State::run(const Turn& turn) {
  const PlannedNode& c = nodes[turn.node];
  switch (turn.phase) {
    case Phase::forward: return run_forward(turn.node, c.forward, c.statistics);
    // What these numbers say of the batch is in the statistics already.
    case Phase::again: return run_forward(turn.node, c.again, {});
    case Phase::backward: return run_backward(turn.node);
  }
}

void Plan::State::run_forward(std::size_t index, const Computation& computation,
                              std::span<const View> statistics) {
  PlannedNode& c = nodes[index];
  if (c.absorbed) return;
  if (is_input(c)) return convert_input(static_cast<int>(index));
  if (!c.computes.empty())
    return static_cast<int>(index) == chain_end ? run_chain() : run_pointwise(c);
  if (c.shapes.same_memory) return;
  const ForwardCall call{.queue = queue(),
                         .inputs = computation.inputs,
                         .output = computation.output,
                         .weights = c.weights,
                         .statistics = statistics,
                         .kept = computation.kept_views,
                         .training = training(),
                         .frozen = c.frozen,
                         .random = random(),
                         .stream = c.stream,
                         .precision = options.precision};
  const LendPrepared lend(queue(), keeps_prepared() ? &c.prepared : nullptr);
  std::visit(
      [&](const auto& layer) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(layer)>, layers::Input>)
          layer.forward(call);
      },
      c.node->layer);
}

void Plan::State::run_backward(std::size_t index) {
  PlannedNode& c = nodes[index];
  if (is_input(c) || !c.doutput) return;
  // Where the memory is the same, so is the gradient, unless another consumer wrote first.
  if (!c.shapes.same_memory) {
    const BackwardCall call{.queue = queue(),
                            .inputs = c.again.inputs,
                            .output = c.again.output,
                            .doutput = c.doutput,
                            .dinputs = c.dinputs,
                            .weights = c.weights,
                            .dweights = c.dweights,
                            .kept = c.kept_reads,
                            .scratch = c.scratch_views,
                            .random = random(),
                            .stream = c.stream,
                            .frozen = c.frozen,
                            .precision = options.precision};
    std::visit(
        [&](const auto& layer) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(layer)>, layers::Input>)
            layer.backward(call);
        },
        c.node->layer);
  }
  for (std::size_t k = 0; k < c.weight_spare.size(); ++k) {
    if (c.weight_spare[k] < 0) continue;
    const View sum = gradient_of(*c.places[k]);
    submit(queue(), Add{.a = sum, .b = c.dweights[k], .y = sum});
  }
  for (std::size_t k = 0; k < c.spare.size(); ++k) {
    if (c.spare[k] == PlannedNode::kDirect) continue;
    PlannedNode& producer = at(c.node->inputs[k]);
    const View sum = slot(producer.gradient).view.reshaped(producer.shapes.output).first(current);
    const ConstView term =
        c.shapes.same_memory ? c.doutput.reshaped(sum.shape) : ConstView(c.dinputs[k]);
    if (c.spare[k] == PlannedNode::kCopied)
      submit(queue(), Convert{.x = term, .y = sum});
    else
      submit(queue(), Add{.a = sum, .b = term, .y = sum});
  }
}

// Brings folded weights up to date with the parameters they are made of.
void Plan::State::run_folds() {
  for (const FoldedWeights& f : folded) submit(queue(), f.operation);
  if (!queue().survey) folded_version = parameters->version();
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

bool Plan::trains() const { return state_->training(); }
std::int64_t Plan::batch() const { return state_->options.batch; }
Queue& Plan::queue() const { return state_->queue(); }
const QueueHandle& Plan::queue_handle() const { return state_->queue_handle(); }
const std::vector<Plan::Step>& Plan::steps() const { return state_->steps; }
const Graph& Plan::graph() const { return state_->graph; }
Plan::Memory Plan::memory() const { return state_->memory(); }

Plan::Memory Plan::memory_of(const Graph& graph, std::shared_ptr<Parameters> parameters,
                             const PlanOptions& options) {
  State state;
  state.parameters = std::move(parameters);
  state.options = options;
  state.lay_out(graph);
  return state.memory();
}

View Plan::input(std::size_t index, std::int64_t n) const {
  state_->check_batch(n);
  require(index < state_->graph.inputs().size(), "the graph has no input ", index);
  if (!state_->stored.empty()) return state_->stored_input(index, n);
  return state_->at(state_->graph.inputs()[index]).forward.output.first(n);
}

View Plan::input_scales(std::int64_t n) const {
  state_->check_batch(n);
  require(!state_->stored.empty(), "only inputs that are stored as integers have scales");
  return state_->slot(state_->scales).view.first(n);
}

ConstView Plan::output(std::size_t index, std::int64_t n) const {
  state_->check_batch(n);
  require(index < state_->graph.outputs().size(), "the graph has no output ", index);
  return state_->at(state_->graph.outputs()[index]).forward.output.first(n);
}

// What comes before the nodes.
void Plan::State::begin_forward(std::int64_t n) {
  check_batch(n);
  if (!folded.empty() && folded_version != parameters->version()) run_folds();
  if (prepared_bytes > 0 && prepared_version != parameters->version()) forget_prepared();
  if (training()) parameters->changed();  // statistics
}

void Plan::forward(std::int64_t n, const std::function<void(std::size_t)>& done) {
  State& s = *state_;
  s.begin_forward(n);
  const Lend lend(s.queue(), s.scratch);
  s.run_stretches(n, [&](std::size_t node) {
    wait(s.queue());
    done(node);
  });
}

void Plan::forward(std::int64_t n) {
  constexpr std::size_t kMostCaptured = 16;
  State& s = *state_;
  s.begin_forward(n);
  const auto submit_all = [&] {
    const Lend lend(s.queue(), s.scratch);
    s.run_stretches(n, nullptr);
  };
  if (s.training() || !s.queue().begin_capture) return submit_all();
  auto found = s.captured.find(n);
  const bool has_room = found != s.captured.end() || s.captured.size() < kMostCaptured;
  if (!has_room || !s.warm.contains(n)) {
    submit_all();
    if (has_room) s.warm.insert(n);
    return;
  }
  if (found == s.captured.end()) {
    // For fewer samples a library may want more working memory, which captured work needs to keep.
    s.widen_scratch(n);
    found = s.captured.emplace(n, Captured(s.queue_handle(), submit_all)).first;
  }
  found->second.replay();
}

void Plan::run(std::span<const ConstView> inputs, std::span<const View> outputs) {
  const std::int64_t n = check_inputs(inputs);
  require(outputs.size() == state_->graph.outputs().size(), "the graph has ",
          state_->graph.outputs().size(), " outputs, got ", outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const ConstView from = output(i, n);
    require(outputs[i].shape == from.shape && outputs[i].dtype == from.dtype, "output ", i, " is ",
            name_of(outputs[i].dtype), " ", outputs[i].shape, ", expected ", name_of(from.dtype),
            " ", from.shape);
  }
  wait_on_failure(queue(), [&] {
    forward_checked(inputs, n);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      download(queue(), outputs[i].data, output(i, n).data, outputs[i].bytes());
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
  const PlannedNode& c = state_->at(state_->graph.outputs()[index]);
  return state_->slot(c.gradient).view.reshaped(c.shapes.output).first(n);
}

void Plan::backward(std::int64_t n) {
  require(state_->training(), "only a plan for training goes backward");
  state_->set_batch_to(n);
  const Lend lend(state_->queue(), state_->scratch);
  for (std::size_t i = state_->nodes.size(); i < state_->schedule.size(); ++i)
    state_->run(state_->schedule[i]);
}

View Plan::gradients() const {
  require(state_->training(), "only a plan for training has gradients");
  return state_->slot(state_->gradients).view;
}

View Plan::gradient(std::string_view weight) const {
  require(state_->training(), "only a plan for training has gradients");
  const auto& place = state_->parameters->find(weight);
  require(place.trainable(), "weight '", place.name,
          "' is frozen or a statistic and has no gradient");
  return state_->gradient_of(place);
}

ConstView Plan::watched(std::string_view node, std::int64_t n) const {
  state_->check_batch(n);
  require(state_->is_watched(std::string(node)), "'", std::string(node), "' is not watched");
  return state_->at(state_->graph.find(node)).forward.output.first(n);
}

ConstView Plan::watched_gradient(std::string_view node, std::int64_t n) const {
  state_->check_batch(n);
  require(state_->training() && state_->is_watched(std::string(node)), "'", std::string(node),
          "' is not watched by a plan for training");
  const PlannedNode& c = state_->at(state_->graph.find(node));
  require(c.gradient >= 0, "the loss does not depend on '", c.node->name,
          "', or nothing before it can be trained");
  return state_->slot(c.gradient).view.reshaped(c.shapes.output).first(n);
}

ConstView Plan::input_gradient(std::size_t index, std::int64_t n) const {
  state_->check_batch(n);
  require(index < state_->graph.inputs().size(), "the graph has no input ", index);
  const PlannedNode& c = state_->at(state_->graph.inputs()[index]);
  require(c.gradient >= 0, "the gradient of an input was not asked for (input_gradients)");
  return state_->slot(c.gradient).view.reshaped(c.shapes.output).first(n);
}

}  // namespace ratnet::inline v1
