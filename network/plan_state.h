// How a plan is laid out inside: shared by what compiles it and what runs it.
#pragma once

#include <algorithm>
#include <map>
#include <set>

#include "../core/captured.h"
#include "../kernels/normalise.h"
#include "fuse.h"
#include "plan.h"

namespace ratnet::inline v1 {

struct ConvChain;

// One tensor of the arena, with the steps between which it must hold.
struct PlannedTensor {
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
struct PlannedNode {
  const Node* node = nullptr;
  LayerShapes shapes;
  std::uint32_t stream = 0;
  int value = 0;  // slot of the output; a node with same_memory has that of its input
  int gradient = -1;
  std::vector<int> kept;
  std::vector<int> scratch;
  std::vector<int> spare;  // by input: a slot for its gradient where another consumer wrote first
  // By weight: a slot for its gradient where a node that shares the weights wrote first.
  std::vector<int> weight_spare;
  bool absorbed = false;  // another node computes it, and it has no memory
  bool has_trainable = false;
  bool frozen = false;          // in training: none of its weights may change
  bool needs_gradient = false;  // somebody below (or the node) can be trained

  std::vector<ConstView> inputs;
  View output;
  std::vector<ConstView> weights;
  std::vector<View> statistics;
  std::vector<View> kept_views;
  ConstView doutput;
  std::vector<View> dinputs;
  std::vector<View> dweights;
  std::vector<ConstView> kept_reads;
  std::vector<View> scratch_views;
};

// Weights of a layer that also does the work of the normalisation after it.
struct FoldedWeights {
  Buffer weight, bias;
  FoldNorm operation;
};

struct Plan::State {
  Graph graph;
  std::shared_ptr<Parameters> parameters;
  PlanOptions options;
  std::vector<PlannedNode> nodes;
  std::vector<PlannedTensor> slots;
  std::vector<int> chain;  // convolutions that the last of them computes in one operation
  std::vector<FoldedWeights> folded;
  std::uint64_t folded_version = 0;  // of the parameters
  Buffer arena;
  Buffer scratch;
  Buffer gradients;
  Buffer random_key;
  // Inputs as they are stored, where that is integers; and their scales.
  std::vector<Buffer> stored;
  Buffer scales;
  std::int64_t current = 0;  // the batch that the views are set to
  std::vector<Step> steps;
  // Of inference, by the number of samples: where the queue can, a run is captured once and then
  // replayed, which costs one launch in place of one per operation.
  std::map<std::int64_t, Captured> captured;
  // Numbers of samples that have run: first runs are not captured, since drivers load kernels and
  // libraries choose them when they first run.
  std::set<std::int64_t> warm;

  const QueueHandle& queue_handle() const {
    return options.queue ? options.queue : parameters->queue();
  }
  Queue& queue() const { return *queue_handle(); }
  View stored_input(std::size_t index, std::int64_t n) const {
    return View(stored[index].data(), options.input_type,
                nodes[static_cast<std::size_t>(graph.inputs()[index])].shapes.output)
        .first(n);
  }
  bool training() const { return options.mode == Mode::train; }
  PlannedNode& at(int index) { return nodes[static_cast<std::size_t>(index)]; }
  PlannedTensor& slot(int index) { return slots[static_cast<std::size_t>(index)]; }
  bool is_input(const PlannedNode& c) const { return c.node->inputs.empty(); }
  bool ends_chain(std::size_t node) const {
    return !chain.empty() && static_cast<int>(node) == chain.back();
  }

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
  void find_weights(std::size_t node, const std::map<std::string, FoldedNorm>& norms);
  void fold(std::size_t node, const FoldedNorm& norm);
  void run_folds();
  bool is_watched(const std::string& name) const {
    return std::find(options.watch.begin(), options.watch.end(), name) != options.watch.end();
  }
  // Of the nodes whose value is read once, those that nobody watches.
  std::vector<bool> private_values() const;
  std::vector<int> first_convolutions() const;
  ConvChain chain_of(const std::vector<int>& convolutions, std::int64_t n) const;
  void find_chain();
  void run_chain();
  void place_values();
  void place_gradients();
  void allocate();
  void bind();
  View gradient_of(const Parameters::Place& place) const {
    return {static_cast<char*>(gradients.data()) +
                static_cast<std::size_t>(place.offset) * size_of(parameters->dtype()),
            parameters->dtype(), place.shape};
  }
  void bind_gradients(std::size_t index);
  void survey(std::int64_t n);
  void set_batch_to(std::int64_t n);
  void convert_input(int node);
  void run_forward(std::size_t node);
  void run_backward(std::size_t node);
  View random() const { return training() ? View(random_key.data(), DType::i64, {2}) : View(); }
  void check_batch(std::int64_t n) const {
    require(n >= 1 && n <= options.batch, "a batch of ", n, " does not fit a plan for 1 to ",
            options.batch);
  }
};

}  // namespace ratnet::inline v1
