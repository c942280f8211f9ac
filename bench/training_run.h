// A network in training by itself, without a dataset: its plan, its optimiser and the step made of
// them.
#pragma once

#include <memory>

#include "../kernels/open.h"
#include "../train/training_step.h"

namespace ratnet::inline v1 {

class TrainingRun {
 public:
  // graph: graph_for() the objective; weights: those it starts from.
  TrainingRun(const Graph& graph, const Weights& weights, const Objective& objective,
              std::int64_t batch, const OptimiserOptions& options, int threads,
              bool recompute = false)
      : parameters_(std::make_shared<Parameters>(
            open_queue({.device = {DeviceKind::cpu, 0}, .threads = threads, .executor = {}}),
            weights)),
        plan_(graph, parameters_,
              {.batch = batch,
               .mode = Mode::train,
               .watch = watch_for(graph, objective),
               .recompute = recompute}),
        optimiser_(parameters_, options),
        step_(plan_, optimiser_, objective) {}

  // The loss of the batch before the step.
  double step(const Batch& batch, RandomKey key, double rate) {
    step_.set_loss_sum(0);
    step_.submit(batch, key, rate);
    step_.release();
    return step_.loss_sum();
  }
  const Plan& plan() const { return plan_; }
  std::size_t moments() const { return optimiser_.bytes(); }

 private:
  std::shared_ptr<Parameters> parameters_;
  Plan plan_;
  Optimiser optimiser_;
  TrainingStep step_;
};

// What the network takes, and the mask of it: a label for every pixel.
inline Shape images_of(const Graph& graph, std::int64_t batch) {
  return graph.infer(batch, true)[static_cast<std::size_t>(graph.inputs().at(0))].output;
}
inline Shape masks_of(const Shape& images) {
  return Shape(images.sizes().first(static_cast<std::size_t>(images.rank() - 1)));
}

}  // namespace ratnet::inline v1
