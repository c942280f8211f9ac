// Networks on one thread: RatNet's inference, one step of its training, and what pointwise layers
// between convolutions cost, one by one and in a row.
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

// Three convolutions of 32 channels at 64 x 64, each with those layers behind it (decision 0014).
// The first ReLU becomes part of its convolution; a second one stays a pass of its own.
void between_convolutions(benchmark::State& state, const std::vector<Layer>& pointwise) {
  constexpr std::int64_t kBatch = 32;
  GraphBuilder builder;
  int last = builder.input("image", {64, 64, 16});
  const auto then = [&](const Layer& layer) {
    last = builder.add("layer" + std::to_string(last), layer, {last});
  };
  for (int conv = 0; conv < 3; ++conv) {
    then(layers::Conv{.out = 32, .kernel = {3, 3}});
    for (const Layer& layer : pointwise) then(layer);
  }
  const Graph graph = builder.build({last});
  Plan plan(graph, std::make_shared<Parameters>(bench_queue(), Weights::initialised(graph, 1)),
            {.batch = kBatch});
  const Tensor images = bench_tensor({kBatch, 64, 64, 16});
  for (auto _ : state) {
    write_input(plan, images);
    plan.forward(kBatch);
  }
}
#define BETWEEN(name, ...) \
  BENCHMARK_CAPTURE(between_convolutions, name, std::vector<Layer>{__VA_ARGS__})
BETWEEN(nothing);
BETWEEN(relu, layers::Relu{});
BETWEEN(relu_twice, layers::Relu{}, layers::Relu{});
BETWEEN(elu, layers::Elu{});
BETWEEN(sigmoid, layers::Sigmoid{});
BETWEEN(tanh, layers::Tanh{});
BETWEEN(softplus, layers::Softplus{});

// A gated block with a way past it: elu(tanh(conv) * sigmoid(conv) + conv). in_one_pass: sigmoid,
// product, sum and ELU, or each by itself.
void gated_block(benchmark::State& state) {
  const std::int64_t batch = 32, size = state.range(0);
  GraphBuilder builder;
  const int image = builder.input("image", {size, size, 32});
  const auto conv = [&](const char* name) {
    return builder.add(name, layers::Conv{.out = 32, .kernel = {1, 1}}, {image});
  };
  const int past = conv("past");
  const int value = builder.add("value", layers::Tanh{}, {conv("for_value")});
  const int gate = builder.add("gate", layers::Sigmoid{}, {conv("for_gate")});
  const int gated = builder.add("gated", layers::Multiply{}, {value, gate});
  const int sum = builder.add("sum", layers::Add{}, {gated, past});
  const Graph graph = builder.build({builder.add("elu", layers::Elu{}, {sum})});
  Plan plan(graph, std::make_shared<Parameters>(bench_queue(), Weights::initialised(graph, 1)),
            {.batch = batch, .fuse = state.range(1) != 0});
  const Tensor images = bench_tensor({batch, size, size, 32});
  for (auto _ : state) {
    write_input(plan, images);
    plan.forward(batch);
  }
}
BENCHMARK(gated_block)
    ->ArgNames({"size", "in_one_pass"})
    ->Args({64, 0})
    ->Args({64, 1})
    ->Args({256, 0})
    ->Args({256, 1});

// Residual blocks: relu(conv(relu(conv(x))) + x), four of them. added_inside: by the convolution,
// or by a layer of its own, which the ReLU goes into.
void residual_blocks(benchmark::State& state) {
  const std::int64_t batch = 32, channels = state.range(0), size = state.range(1);
  const bool inside = state.range(2) != 0;
  GraphBuilder builder;
  int last = builder.input("image", {size, size, channels});
  const layers::Conv conv{.out = channels, .kernel = {3, 3}};
  for (int i = 0; i < 4; ++i) {
    const std::string block = "block" + std::to_string(i);
    layers::Conv first = conv;
    first.activation = Activation::relu;
    const int between = builder.add(block + "/a", first, {last});
    if (inside) {
      last = builder.add(block + "/b", first, {between, last});
    } else {
      const int sum = builder.add(block + "/b", conv, {between});
      last = builder.add(block + "/sum", layers::Add{.activation = Activation::relu}, {sum, last});
    }
  }
  const Graph graph = builder.build({last});
  Plan plan(graph, std::make_shared<Parameters>(bench_queue(), Weights::initialised(graph, 1)),
            {.batch = batch, .fuse = false});
  const Tensor images = bench_tensor({batch, size, size, channels});
  for (auto _ : state) {
    write_input(plan, images);
    plan.forward(batch);
  }
}
BENCHMARK(residual_blocks)
    ->ArgNames({"channels", "size", "added_inside"})
    ->Args({16, 64, 0})
    ->Args({16, 64, 1})
    ->Args({32, 64, 0})
    ->Args({32, 64, 1})
    ->Args({64, 32, 0})
    ->Args({64, 32, 1});

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
