#include "predictor.h"

#include <algorithm>

#include "../kernels/open.h"

namespace ratnet::inline v1 {

Predictor::Predictor(const Model& model, const PredictorOptions& options) {
  require(model.graph.inputs().size() == 1 && model.graph.outputs().size() == 1,
          "a predictor takes models of one input and one output");
  const QueueHandle queue = open_queue(
      {.device = options.device, .threads = options.threads, .executor = options.executor});
  plan_ =
      std::make_unique<Plan>(model.graph, std::make_shared<Parameters>(queue, model.weights),
                             PlanOptions{.batch = options.batch, .precision = options.precision});
  input_size_ = plan_->input(0, 1).count();
  output_size_ = plan_->output(0, 1).count();
}

Device Predictor::device() const { return plan_->queue().device; }

std::vector<float> Predictor::run(std::span<const float> inputs) {
  std::vector<float> outputs(inputs.size() / static_cast<std::size_t>(input_size_) *
                             static_cast<std::size_t>(output_size_));
  run(inputs, outputs);
  return outputs;
}

void Predictor::run(std::span<const float> inputs, std::span<float> outputs) {
  const auto size = static_cast<std::int64_t>(inputs.size());
  const std::int64_t samples = size / input_size_;
  require(samples * input_size_ == size, size, " numbers are not whole samples of ", input_size_);
  require(static_cast<std::int64_t>(outputs.size()) == samples * output_size_,
          "the result has room for ", outputs.size(), " numbers, ", samples, " samples need ",
          samples * output_size_);
  for (std::int64_t first = 0; first < samples; first += plan_->batch()) {
    const std::int64_t n = std::min(plan_->batch(), samples - first);
    const ConstView in[] = {
        {inputs.data() + first * input_size_, DType::f32, plan_->input(0, n).shape}};
    const View out[] = {
        {outputs.data() + first * output_size_, DType::f32, plan_->output(0, n).shape}};
    plan_->run(in, out);
  }
}

}  // namespace ratnet::inline v1
