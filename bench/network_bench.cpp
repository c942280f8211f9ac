// RatNet as a whole on one thread: inference, and one step of training.
#include <benchmark/benchmark.h>

#include "../apps/dark_slices/ratnet.h"
#include "../kernels/cross_entropy.h"
#include "../kernels/submit.h"
#include "../network/plan.h"
#include "../train/optimiser.h"
#include "../train/trainer.h"
#include "setting.h"

namespace ratnet::inline v1 {
namespace {

void state_rate(benchmark::State& state, std::int64_t batch) {
  state.counters["slices/s"] =
      benchmark::Counter(static_cast<double>(batch), benchmark::Counter::kIsIterationInvariantRate);
}

// Before every run, which gives the input's memory to later values.
void write_input(const Plan& plan, const Tensor& images) {
  std::copy_n(images.values<float>().data(), images.count(),
              plan.input(0, images.shape()[0]).as<float>());
}

// From the input on the device to the probabilities there. at_once: PlanOptions::samples_at_once.
void inference(benchmark::State& state) {
  const std::int64_t batch = state.range(0);
  const Graph graph = ratnet_graph();
  Plan plan(graph, std::make_shared<Parameters>(bench_queue(), Weights::initialised(graph, 1)),
            {.batch = batch, .samples_at_once = state.range(1)});
  const Tensor images = bench_tensor({batch, 64, 64, 1});
  for (auto _ : state) {
    write_input(plan, images);
    plan.forward(batch);
  }
  state_rate(state, batch);
}
BENCHMARK(inference)
    ->ArgNames({"batch", "at_once"})
    ->Args({1, 0})
    ->Args({32, 0})
    ->Args({32, 32})
    ->Args({256, 0})
    ->Args({256, 256});

// Forward, loss, backward, Adam.
void training_step(benchmark::State& state) {
  const std::int64_t batch = state.range(0);
  const Graph graph = logits_graph(ratnet_graph());
  const QueueHandle queue = bench_queue();
  const auto parameters = std::make_shared<Parameters>(queue, Weights::initialised(graph, 1));
  Plan plan(graph, parameters, {.batch = batch, .mode = Mode::train});
  Optimiser optimiser(parameters, {});
  const Tensor images = bench_tensor({batch, 64, 64, 1});
  Tensor labels({batch}, DType::i32);
  for (std::int64_t i = 0; i < batch; ++i)
    labels.values<std::int32_t>()[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i % 2);
  Tensor loss({1}, DType::f32);
  for (auto _ : state) {
    write_input(plan, images);
    plan.forward(batch);
    submit(*queue, SoftmaxCrossEntropy{.logits = plan.output(0, batch),
                                       .labels = labels,
                                       .loss = loss,
                                       .dlogits = plan.output_gradient(0, batch)});
    plan.backward(batch);
    optimiser.step(plan.gradients(), 1e-4);
  }
  state_rate(state, batch);
}
BENCHMARK(training_step)->ArgName("batch")->Arg(32);

}  // namespace
}  // namespace ratnet::inline v1
