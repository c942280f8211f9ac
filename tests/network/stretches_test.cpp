// Plans that compute neighbouring layers for a few samples at a time.
#include "../../apps/dark_slices/ratnet.h"
#include "../../apps/microbleeds/unet.h"
#include "../catch.h"
#include "plan_runs.h"
#include "refused.h"
#include "tangled_graph.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

Graph small_unet() { return unet_graph(2, {.size = {16, 16}, .widths = {3, 5, 9}}); }

// Residual blocks; the way past the second leads over smaller images.
Graph residual() {
  using namespace layers;
  GraphBuilder b;
  const Conv conv{.out = 8, .kernel = {3, 3}};
  const int image = b.input("image", {12, 12, 8});
  const int one =
      b.add("one", Conv{.out = 8, .kernel = {3, 3}, .activation = Activation::relu}, {image});
  const int first =
      b.add("first", Add{.activation = Activation::relu}, {b.add("two", conv, {one}), image});
  const int small = b.add("small", MaxPool{.kernel = {6, 6}}, {first});
  const int squeezed = b.add("squeezed", Conv{.out = 8, .kernel = {1, 1}}, {small});
  const int past = b.add("past", Upsample{.factor = {6}}, {squeezed});
  const int few = b.add("few", Conv{.out = 3, .kernel = {3, 3}}, {past});
  const int second = b.add("second", Add{}, {past, b.add("three", conv, {first})});
  const int end =
      b.add("end", Add{}, {few, b.add("four", Conv{.out = 3, .kernel = {3, 3}}, {second})});
  return b.build({end});
}

std::vector<Doubles> values_of(Plan& plan, std::int64_t n, const std::vector<std::string>& watch) {
  for (std::size_t i = 0; i < plan.graph().inputs().size(); ++i)
    write_to(plan.queue(), plan.input(i, n), random_doubles(plan.input(i, n).count(), 3 + i));
  plan.forward(n);
  std::vector<Doubles> values;
  for (std::size_t i = 0; i < plan.graph().outputs().size(); ++i)
    values.push_back(read_from(plan.queue(), plan.output(i, n)));
  for (const std::string& node : watch)
    values.push_back(read_from(plan.queue(), plan.watched(node, n)));
  return values;
}

}  // namespace

TEST_CASE("a plan that computes a few samples at a time gives the same bits", "[device]") {
  struct Case {
    Graph graph;
    std::vector<std::string> watch;
  };
  for (const Case& c :
       {Case{tangled_graph(), {"twice", "flat_c"}}, Case{small_unet(), {"enc1/relu2"}},
        Case{ratnet_graph(16), {}}, Case{residual(), {}}})
    for (const DType dtype : {DType::f32, DType::f64}) {
      const auto parameters =
          std::make_shared<Parameters>(test_queue(2), random_weights(c.graph, dtype, 4));
      Plan whole(c.graph, parameters, {.batch = 7, .watch = c.watch, .samples_at_once = 7});
      for (const std::int64_t samples : {0, 1, 2, 3}) {
        Plan shares(c.graph, parameters,
                    {.batch = 7, .watch = c.watch, .samples_at_once = samples});
        for (const std::int64_t n : {7, 1, 4, 7})
          CHECK(values_of(shares, n, c.watch) == values_of(whole, n, c.watch));
      }
    }
}

TEST_CASE("inputs that are stored as integers are converted for the batch, then taken in shares",
          "[device]") {
  const Graph graph = ratnet_graph(16);
  const auto parameters =
      std::make_shared<Parameters>(test_queue(2), random_weights(graph, DType::f32, 4));
  std::vector<Doubles> outputs;
  for (const std::int64_t samples : {5, 2}) {
    Plan plan(graph, parameters, {.batch = 5, .input_type = DType::u8, .samples_at_once = samples});
    write_to(plan.queue(), plan.input(0, 5), random_doubles(plan.input(0, 5).count(), 3, 0, 255));
    write_to(plan.queue(), plan.input_scales(5), {1, 0.5, 0.25, 2, 3});
    plan.forward(5);
    outputs.push_back(read_from(plan.queue(), plan.output(0, 5)));
  }
  CHECK(outputs[0] == outputs[1]);
}

TEST_CASE("a number of samples at a time that a plan cannot follow is refused") {
  const Graph graph = ratnet_graph(16);
  const auto parameters =
      std::make_shared<Parameters>(test_queue(1), random_weights(graph, DType::f32, 4));
  for (const PlanOptions& options :
       {PlanOptions{.batch = 2, .samples_at_once = -1},
        PlanOptions{.batch = 2, .keep_prepared = false, .samples_at_once = 1},
        PlanOptions{.batch = 2, .mode = Mode::train, .samples_at_once = 1}})
    CHECK(refused(ErrorKind::usage, "samples_at_once", [&] { Plan(graph, parameters, options); }) ==
          "");
  // Nor does a plan that lacks memory stumble over it on its way to what would fit.
  CHECK(refused(ErrorKind::device, "are needed", [&] {
          Plan(graph, parameters, {.batch = 2, .samples_at_once = 1, .memory_limit = 1});
        }) == "");
}

TEST_CASE("what lies between layers takes memory for the samples that are computed at a time") {
  const Graph graph = small_unet();
  const auto parameters = std::make_shared<Parameters>(
      open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1}), Weights::initialised(graph, 1));
  const auto activations = [&](std::int64_t batch, std::int64_t samples) {
    return Plan::memory_of(graph, parameters, {.batch = batch, .samples_at_once = samples})
        .activations;
  };
  const std::size_t ends = std::size_t{64} * 16 * 16 * (3 + 2) * sizeof(float);  // of the graph
  const std::size_t between = activations(64, 64) - ends;
  CHECK(activations(64, 8) < ends + between / 4);
  CHECK(activations(64, 1) < activations(64, 8));
  CHECK(activations(64, 1) > ends);

  // Of itself: where a whole batch would not stay close.
  const Graph ratnet = ratnet_graph();
  const auto of_ratnet =
      std::make_shared<Parameters>(parameters->queue(), Weights::initialised(ratnet, 1));
  const auto bytes = [&](std::int64_t samples) {
    return Plan::memory_of(ratnet, of_ratnet, {.batch = 256, .samples_at_once = samples})
        .activations;
  };
  CHECK(bytes(0) < bytes(256) / 2);
  CHECK(Plan::memory_of(ratnet, of_ratnet, {.batch = 256, .keep_prepared = false}).activations ==
        bytes(256));
}
