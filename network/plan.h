// A graph with its parameters, compiled for one device, one type, one largest batch.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph.h"
#include "parameters.h"

namespace ratnet::inline v1 {

enum class Mode : std::uint8_t { infer, train };

// Which random numbers a training step draws: the same ones for the same key, on any device.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
};

struct PlanOptions {
  std::int64_t batch = 1;  // the largest; any number up to it runs
  Mode mode = Mode::infer;
  bool fuse = true;              // rewrite the graph (fuse.h), take layers in a row as one
  bool input_gradients = false;  // backward goes on to the inputs
  // Of convolutions and dense layers. tf32 and bf16 are for GPUs; parameters, activations and sums
  // are f32 all the same.
  Precision precision = Precision::f32;
  // What inputs are stored as: the parameters' type, or u8, u16 or i16, of which every sample is
  // multiplied by a number of its own (Plan::input_scales) before the first layer.
  DType input_type = DType::f32;
  // Nodes whose values, and gradients in training, hold to the end of a run (Plan::watched).
  std::vector<std::string> watch = {};
  // In training: does not keep all values for backward but computes most of them again just before
  // it needs them. Costs one more forward pass at most, less the last part; the results are the
  // same bits. Gradient checkpointing: Chen and others, "Training deep nets with sublinear memory
  // cost", 2016; into how many parts the network is cut is chosen for the least memory.
  bool recompute = false;
  // In inference: keeps weights in the form that operations compute with (packed, or transformed
  // for Winograd's method, up to 4 times their size) for as long as the parameters' version stays
  // the same. Without it that form is made in every run; the results are the same bits.
  bool keep_prepared = true;
  // In inference: how many samples go through neighbouring layers at a time, so that what lies
  // between these stays in the cache and takes memory for so many only; 0: chosen by what layers
  // read and write. Needs keep_prepared; the results are the same bits. Devices other than CPUs
  // always take the whole batch.
  std::int64_t samples_at_once = 0;
  // The most bytes the plan may take, beside its parameters, which are there already; 0: what is
  // free on the device.
  std::size_t memory_limit = 0;
  // Bytes that whoever works with the plan is going to take on its device: they have to fit too.
  std::size_t memory_beside = 0;
  // Where it runs: by default the parameters' queue, else another queue of the same device, to
  // which their memory has to be ready.
  QueueHandle queue = nullptr;
};

// All memory is laid out here, before the first batch; a run allocates nothing (only where the
// plain paths multiply large matrices, in f64 and for unusual convolutions, Eigen takes working
// memory of its own, and where a GPU's library wants more for a smaller batch than for the largest,
// the first runs of that batch). Not for use from two threads at once; plans may share parameters.
class Plan {
 public:
  // Throws Error: usage where the parameters do not fit the graph, device where there is not
  // enough memory, with the numbers and the largest batch that fits, before any is taken.
  Plan(const Graph& graph, std::shared_ptr<Parameters> parameters, const PlanOptions& options);
  ~Plan();
  Plan(Plan&&) noexcept;
  Plan& operator=(Plan&&) noexcept;

  std::int64_t batch() const;
  bool trains() const;
  Queue& queue() const;
  const QueueHandle& queue_handle() const;

  // Device memory of the inputs and outputs in the order of the graph, for a batch of n. Inputs
  // are written by the caller before every forward(n), which may give their memory to later values
  // (that of integers it leaves alone); outputs hold until the next inputs are written.
  View input(std::size_t index, std::int64_t n) const;
  // Where inputs are integers: what samples are multiplied by, [n] f32; 1 until written.
  View input_scales(std::int64_t n) const;
  ConstView output(std::size_t index, std::int64_t n) const;

  // The value of a node that PlanOptions::watch names; holds as outputs do.
  ConstView watched(std::string_view node, std::int64_t n) const;

  // Computes the outputs of the first n samples.
  void forward(std::int64_t n);
  // The same of inputs in host memory, [n, ...] of the type of input(): a plan of inference on a
  // CPU reads them where they are, unless they are integers, outputs too, watched, or taken in
  // another shape; others copy them first. They have to hold until the queue is done. Throws Error
  // (usage) for other shapes and types.
  void forward(std::span<const ConstView> inputs);
  // The same node by node, for measurements: waits after each, then calls done(its place in
  // graph().nodes()); several times for a node that is computed in shares of the batch.
  void forward(std::int64_t n, const std::function<void(std::size_t)>& done);

  // The outputs from the inputs, both in host memory: [n, ...] of the parameters' type each.
  void run(std::span<const ConstView> inputs, std::span<const View> outputs);

  // --- mode train ---

  // What layers that draw random numbers shall draw from now on; until then, those of RandomKey{}.
  void set_random(RandomKey key);
  // Where the caller puts the gradient of the loss in an output, after every forward(n) and before
  // backward(n), which may overwrite it.
  View output_gradient(std::size_t index, std::int64_t n) const;
  // Overwrites the gradients of all trainable parameters.
  void backward(std::int64_t n);
  // The gradients of the trainable parameters, laid out as Parameters::block().
  View gradients() const;
  // One of them. Throws Error (usage) for an unknown or frozen weight.
  View gradient(std::string_view weight) const;
  // The gradient in an input after backward(n); asked for by PlanOptions::input_gradients.
  ConstView input_gradient(std::size_t index, std::int64_t n) const;
  // That of the loss in a watched node. Throws Error (usage) where nobody computes it.
  ConstView watched_gradient(std::string_view node, std::int64_t n) const;

  // --- what was decided ---

  struct Step {
    std::string node;
    std::string operation;
    std::string algorithm;  // and why others were declined
    Shape output;           // for the largest batch
    double multiply_adds = 0;
    bool backward = false;
    bool again = false;  // of those: forward once more (PlanOptions::recompute)
    // Where it computes several nodes: all of them, of which `node` is the last.
    std::vector<std::string> nodes = {};
  };
  const std::vector<Step>& steps() const;
  const Graph& graph() const;  // after fusion
  struct Memory {
    // Inputs, outputs, what backward keeps, gradients in all of it; weights folded for this plan.
    std::size_t activations = 0;
    std::size_t scratch = 0;     // working memory of operations
    std::size_t parameters = 0;  // which plans may share
    std::size_t gradients = 0;   // of the parameters
    std::size_t prepared = 0;    // weights that PlanOptions::keep_prepared keeps

    // What another plan of the same parameters adds.
    std::size_t beside_parameters() const { return activations + scratch + gradients + prepared; }
    std::size_t total() const { return beside_parameters() + parameters; }
  };
  Memory memory() const;
  // What memory() of such a plan would be; takes none.
  static Memory memory_of(const Graph& graph, std::shared_ptr<Parameters> parameters,
                          const PlanOptions& options);

 private:
  std::int64_t check_inputs(std::span<const ConstView> inputs) const;
  void forward_checked(std::span<const ConstView> inputs, std::int64_t n);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ratnet::inline v1
