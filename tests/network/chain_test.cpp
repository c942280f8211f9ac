// Convolutions that a plan computes as one operation.
#include "../../apps/dark_slices/ratnet.h"
#include "../catch.h"
#include "plan_runs.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

int chains_in(const Plan& plan) {
  int chains = 0;
  for (const Plan::Step& step : plan.steps()) chains += step.operation == "conv_chain";
  return chains;
}

double multiply_adds_of(const Plan& plan) {
  double sum = 0;
  for (const Plan::Step& step : plan.steps()) sum += step.multiply_adds;
  return sum;
}

Doubles outputs_of(Plan& plan, const Tensor& pixels, const Tensor& scales) {
  const std::int64_t n = pixels.shape()[0];
  const auto bring = [&](const View& to, const Tensor& from) {
    upload(plan.queue(), to.data, from.data(), from.bytes());
  };
  bring(plan.input_scales(n), scales);
  bring(plan.input(0, n), pixels);
  plan.forward(n);
  return read_from(plan.queue(), plan.output(0, n));
}

}  // namespace

TEST_CASE("RatNet's convolutions are one operation where that pays, with the same outputs",
          "[device]") {
  const Graph graph = ratnet_graph(64);
  const auto parameters =
      std::make_shared<Parameters>(test_queue(2), random_weights(graph, DType::f32, 3));
  const bool pays = !on_cpu();
  Random random(4);
  const Tensor pixels = random_tensor({1, 64, 64, 1}, DType::u8, random, 0, 255);
  const Tensor scales = tensor_of({1}, DType::f32, {0.01});
  Plan plain(graph, parameters, {.batch = 1, .fuse = false, .input_type = DType::u8});
  CHECK(chains_in(plain) == 0);
  const Doubles expected = outputs_of(plain, pixels, scales);
  for (const Precision precision : {Precision::f32, Precision::bf16}) {
    if (precision != Precision::f32 && on_cpu()) continue;
    INFO(name_of(precision));
    Plan plan(graph, parameters, {.batch = 2, .precision = precision, .input_type = DType::u8});
    CHECK(chains_in(plan) == (pays ? 1 : 0));
    CHECK(multiply_adds_of(plan) == 2 * multiply_adds_of(plain));  // of the largest batch
    const double error = relative(outputs_of(plan, pixels, scales), expected);
    CHECK(error < (precision == Precision::f32 ? 1e-5 : 2e-2));
    if (precision == Precision::bf16) CHECK(error > 1e-6);
    // What lies between the convolutions has no memory.
    if (pays) CHECK(plan.memory().activations < plain.memory().activations / 10);
  }
}

TEST_CASE("convolutions that somebody else reads, or that are trained, are not made one",
          "[device]") {
  const auto plan_of = [](const Graph& graph, PlanOptions options) {
    return Plan(graph, std::make_shared<Parameters>(test_queue(), Weights::initialised(graph, 1)),
                options);
  };
  const Graph ratnet = ratnet_graph(64);
  CHECK(chains_in(plan_of(ratnet, {.mode = Mode::train})) == 0);
  CHECK(chains_in(plan_of(ratnet, {.precision = Precision::f32, .input_type = DType::u16})) ==
        (on_cpu() ? 0 : 1));
  CHECK(chains_in(plan_of(ratnet.up_to({"pool1", "logits"}), {})) == 0);
  CHECK(chains_in(plan_of(ratnet_graph(32), {})) == 0);
}
