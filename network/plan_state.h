// How a plan is laid out inside: shared by what compiles it and what runs it.
#pragma once

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include "../core/captured.h"
#include "../kernels/normalise.h"
#include "fuse.h"
#include "plan.h"

namespace ratnet::inline v1 {

struct ConvChain;

// What a step of a plan does with a node: `again` is forward once more, for backward.
enum class Phase : std::uint8_t { forward, again, backward };
struct Turn {
  std::size_t node;
  Phase phase;
};

// Nodes first..last - 1 are computed for so many samples at a time, all of them, before the next.
struct Stretch {
  std::size_t first, last;
  std::int64_t samples;
};

// One tensor of the arena, with the steps between which it must hold: places in State::schedule.
struct PlannedTensor {
  Shape shape;
  DType dtype;
  int first = -1;
  int last = -1;
  std::size_t offset = 0;
  View view;
  std::int64_t samples = 0;  // that it holds, where these are fewer than the batch

  std::size_t bytes() const {
    return samples == 0 ? view.bytes()
                        : view.bytes() / static_cast<std::size_t>(shape[0]) *
                              static_cast<std::size_t>(samples);
  }
  bool used() const { return first >= 0; }
  void need(int step) {
    first = first < 0 ? step : std::min(first, step);
    last = std::max(last, step);
  }
};

// What a forward call of a node reads and writes.
struct Computation {
  int value = 0;  // slot of the output; a node with same_memory has that of its input
  std::vector<int> kept;
  std::vector<ConstView> inputs;
  View output;
  std::vector<View> kept_views;
};

// A node with everything its calls need, so that a run builds nothing.
struct PlannedNode {
  const Node* node = nullptr;
  LayerShapes shapes;
  std::uint32_t stream = 0;
  Computation forward;
  Computation again;  // what backward reads; the same as `forward` where that still holds
  int gradient = -1;
  std::vector<int> scratch;
  // By input: a slot for its gradient where another consumer wrote first, or one of these.
  std::vector<int> spare;
  static constexpr int kDirect = -1;  // the gradient goes where the input's lies
  static constexpr int kCopied = -2;  // same memory, but the node's own gradient is watched
  static constexpr int kAdded = -3;   // same memory, and another consumer wrote first
  // By weight: a slot for its gradient where a node that shares the weights wrote first.
  std::vector<int> weight_spare;
  bool absorbed = false;      // another node computes it, and it has no memory
  std::vector<int> computes;  // several nodes, this one the last, in one operation; else empty
  std::vector<int> reads;     // nodes whose values its operation reads going forward
  bool has_trainable = false;
  bool frozen = false;          // in training: none of its weights may change
  bool needs_gradient = false;  // somebody below (or the node) can be trained
  bool goes_backward = false;   // and an output depends on it
  int segment = 0;
  bool recomputed = false;
  PreparedWeights prepared;  // of inference; without bytes where no operation wants it
  int again_step = -1;
  int backward_step = -1;

  std::vector<const Parameters::Place*> places;  // of the weights; none where they are folded
  std::vector<ConstView> weights;
  std::vector<View> statistics;
  ConstView doutput;
  std::vector<View> dinputs;
  std::vector<View> dweights;
  std::vector<ConstView> kept_reads;
  std::vector<View> scratch_views;
};

// Weights of a layer that also does the work of the normalisation after it.
struct FoldedWeights {
  std::size_t node;
  FoldNorm operation;
  int weight = 0, bias = 0;  // slots
};

// Where an arena stands while a plan is laid out and surveyed, before it has memory: no null
// pointer, and aligned as memory would be. Nobody reads or writes there.
inline char* stand_in_address() { return std::bit_cast<char*>(std::uintptr_t{4096}); }

struct Plan::State {
  Graph graph;
  std::shared_ptr<Parameters> parameters;
  PlanOptions options;
  std::vector<PlannedNode> nodes;
  std::vector<Turn> schedule;      // first all of forward, then all of backward
  std::vector<Stretch> stretches;  // all nodes
  std::vector<PlannedTensor> slots;
  int chain_end = -1;  // the convolution that computes those before it too; -1: none does
  std::vector<FoldedWeights> folded;
  std::uint64_t folded_version = 0;  // of the parameters
  std::size_t arena_bytes = 0;
  std::size_t working_bytes = 0;
  std::size_t prepared_bytes = 0;
  std::uint64_t prepared_version = 0;  // of the parameters
  Buffer arena;
  Buffer scratch;
  Buffer prepared;
  // Slots that hold as long as the plan: of training, the gradients of the parameters and
  // RandomKey; and inputs as they are stored, where that is integers, with their scales.
  int gradients = -1;
  int random_key = -1;
  std::vector<int> stored;
  int scales = -1;
  std::vector<bool> read_elsewhere;  // by input: a run may read it in the caller's memory
  std::int64_t current = 0;          // the batch that the views are set to
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
    return slot(stored[index]).view.first(n);
  }
  bool training() const { return options.mode == Mode::train; }
  PlannedNode& at(int index) { return nodes[static_cast<std::size_t>(index)]; }
  const PlannedNode& at(int index) const { return nodes[static_cast<std::size_t>(index)]; }
  PlannedTensor& slot(int index) { return slots[static_cast<std::size_t>(index)]; }
  const PlannedTensor& slot(int index) const { return slots[static_cast<std::size_t>(index)]; }
  bool is_input(const PlannedNode& c) const { return c.node->inputs.empty(); }

  int new_slot(const Shape& shape, DType dtype) {
    slots.push_back({.shape = shape, .dtype = dtype, .view = View(nullptr, dtype, shape)});
    return static_cast<int>(slots.size()) - 1;
  }
  int new_lasting_slot(const Shape& shape, DType dtype) {
    const int made = new_slot(shape, dtype);
    slot(made).need(0);
    slot(made).need(last_step());
    return made;
  }

  // The step at which a node runs forward.
  int forward_step(std::size_t node) const { return static_cast<int>(node); }
  int last_step() const { return static_cast<int>(schedule.size()); }

  void compile(const Graph& original);
  // All of it but the memory.
  void lay_out(const Graph& original);
  Memory memory() const;
  std::size_t bytes() const { return arena_bytes + working_bytes + prepared_bytes; }
  std::int64_t largest_batch(const Graph& original, PlanOptions trial_options,
                             std::size_t room) const;
  void check_memory(const Graph& original);
  void find_weights(std::size_t node, const std::map<std::string, FoldedNorm>& norms);
  void fold(std::size_t node, const FoldedNorm& norm);
  void bind_folds();
  void run_folds();
  bool keeps_prepared() const { return !training() && options.keep_prepared; }
  void lay_out_prepared();
  void forget_prepared();
  void begin_forward(std::int64_t n);
  bool is_watched(const std::string& name) const {
    return std::find(options.watch.begin(), options.watch.end(), name) != options.watch.end();
  }
  std::vector<int> first_convolutions() const;
  ConvChain chain_of(const std::vector<int>& convolutions, std::int64_t n) const;
  // Lets the last of these nodes compute them all, from what `reads` says.
  void take_together(const std::vector<int>& several, std::vector<int> reads);
  void find_chain();
  void run_chain();
  void find_pointwise();
  void run_pointwise(const PlannedNode& last);
  void cut_into_segments(int count);
  void find_recomputed();
  void make_schedule();
  void arrange(int segments);
  void arrange();
  std::int64_t bytes_per_sample(std::size_t node) const;
  void find_stretches();
  void place_stretches();
  void set_share(const Stretch& stretch, std::int64_t first, std::int64_t n);
  // All nodes forward for n samples; done(node) after each share of one.
  void run_stretches(std::int64_t n, const std::function<void(std::size_t)>& done);
  void place_values();
  void place_again(std::size_t index);
  void place_gradients();
  void place_lasting();
  void allocate();
  void bind(char* base);
  View gradient_of(const Parameters::Place& place) const {
    return {static_cast<char*>(slot(gradients).view.data) +
                static_cast<std::size_t>(place.offset) * size_of(parameters->dtype()),
            parameters->dtype(), place.shape};
  }
  void bind_computation(std::size_t index, Computation PlannedNode::*which);
  void bind_gradients(std::size_t index);
  std::size_t survey(std::int64_t n);
  void widen_scratch(std::int64_t n);
  void set_batch_to(std::int64_t n);
  void convert_input(int node);
  bool can_read_elsewhere(int input) const;
  void find_read_elsewhere();
  void read_from(int input, const void* data);
  void run(const Turn& turn);
  void run_forward(std::size_t node, const Computation& computation,
                   std::span<const View> statistics);
  void run_backward(std::size_t node);
  View random() const { return training() ? slot(random_key).view : View(); }
  void check_batch(std::int64_t n) const {
    require(n >= 1 && n <= options.batch, "a batch of ", n, " does not fit a plan for 1 to ",
            options.batch);
  }
};

}  // namespace ratnet::inline v1
