// Pointwise layers in a row, which plans of inference compute in one pass.
#include <cmath>

#include "../../kernels/cpu/cpu_queue.h"
#include "../catch.h"
#include "plan_runs.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

using layers::Add;
using layers::Conv;
using layers::Dropout;
using layers::Elu;
using layers::Flatten;
using layers::Multiply;
using layers::Relu;
using layers::Sigmoid;
using layers::Softplus;
using layers::Tanh;

// A gated block with a way past it: tanh(a) * sigmoid(b) + c, then two activations with a dropout
// between them, and as it ends flat numbers with one more.
Graph gated() {
  GraphBuilder g;
  const int image = g.input("image", {6, 5, 2});
  const auto conv = [&](const char* name) {
    return g.add(name, Conv{.out = 3, .kernel = {3, 3}}, {image});
  };
  const int a = conv("a"), b = conv("b"), c = conv("c");
  const int value = g.add("value", Tanh{}, {a});
  const int gate = g.add("gate", Sigmoid{}, {b});
  const int gated = g.add("gated", Multiply{}, {value, gate});
  const int sum = g.add("sum", Add{}, {c, gated});
  const int elu = g.add("elu", Elu{.alpha = 0.5}, {sum});
  const int dropped = g.add("dropped", Dropout{}, {elu});
  const int soft = g.add("soft", Softplus{}, {dropped});
  const int flat = g.add("flat", Flatten{}, {soft});
  const int end = g.add("end", Tanh{}, {flat});
  return g.build({end, c});
}

std::vector<Doubles> outputs_of(Plan& plan, std::int64_t n) {
  write_to(plan.queue(), plan.input(0, n), random_doubles(plan.input(0, n).count(), 3));
  plan.forward(n);
  std::vector<Doubles> outputs;
  for (std::size_t i = 0; i < plan.graph().outputs().size(); ++i)
    outputs.push_back(read_from(plan.queue(), plan.output(i, n)));
  return outputs;
}

// The steps of a plan's chains, by the node that computes each.
std::map<std::string, std::string> chains_of(const Plan& plan) {
  std::map<std::string, std::string> chains;
  for (const Plan::Step& step : plan.steps())
    if (step.operation == "pointwise_chain") chains[step.node] = step.algorithm;
  return chains;
}
using Chains = std::map<std::string, std::string>;

Plan plan_of(const Graph& graph, const PlanOptions& options, DType dtype = DType::f32) {
  return {graph, std::make_shared<Parameters>(test_queue(2), random_weights(graph, dtype, 3)),
          options};
}

}  // namespace

TEST_CASE("pointwise layers in a row are one step of a plan, with the same bits", "[device]") {
  const Graph graph = gated();
  for (const DType dtype : {DType::f32, DType::f64}) {
    Plan plain = plan_of(graph, {.batch = 5, .fuse = false}, dtype);
    CHECK(chains_of(plain).empty());
    for (const std::int64_t at_once : {0, 1, 2, 5}) {
      Plan plan = plan_of(graph, {.batch = 5, .samples_at_once = at_once}, dtype);
      CHECK(chains_of(plan) == Chains{{"end", "sigmoid, multiply, add, elu, softplus, tanh"}});
      for (const std::int64_t n : {5, 1, 3, 5}) {
        const std::vector<Doubles> got = outputs_of(plan, n), expected = outputs_of(plain, n);
        if (on_cpu()) CHECK(got == expected);
        for (std::size_t i = 0; i < got.size(); ++i)
          CHECK(relative(got[i], expected[i]) < tolerance(dtype));
      }
    }
  }
}

TEST_CASE("a chain of pointwise layers ends where somebody looks, or another reads", "[device]") {
  const Graph graph = gated();
  Plan watched = plan_of(graph, {.batch = 2, .watch = {"sum", "dropped"}});
  CHECK(chains_of(watched) == Chains{{"sum", "sigmoid, multiply, add"}, {"end", "softplus, tanh"}});
  Plan plain = plan_of(graph, {.batch = 2, .fuse = false, .watch = {"sum", "dropped"}});
  CHECK(relative(outputs_of(watched, 2)[0], outputs_of(plain, 2)[0]) < 1e-6);
  for (const char* node : {"sum", "dropped"})
    CHECK(relative(read_from(watched.queue(), watched.watched(node, 2)),
                   read_from(plain.queue(), plain.watched(node, 2))) < 1e-6);

  // x * sigmoid(x), twice: what the gate and the product read is read twice.
  GraphBuilder g;
  const int dense = g.add("dense", layers::Dense{.out = 40}, {g.input("x", {3})});
  int last = dense;
  for (const char* name : {"1", "2"}) {
    const int gate = g.add(std::string("gate") + name, Sigmoid{}, {last});
    last = g.add(std::string("swish") + name, Multiply{}, {last, gate});
  }
  const Graph swish = g.build({last, dense});
  Plan plan = plan_of(swish, {.batch = 2});
  CHECK(chains_of(plan) ==
        Chains{{"swish1", "sigmoid, multiply"}, {"swish2", "sigmoid, multiply"}});
  const std::vector<Doubles> got = outputs_of(plan, 2);
  const auto expected = [](double x) { return x / (1 + std::exp(-x)); };
  for (std::size_t i = 0; i < 80; ++i)
    CHECK(got[0][i] == Approx(expected(expected(got[1][i]))).epsilon(1e-5));
}

TEST_CASE("a row that reads much stays in the stretch of what it reads") {
  GraphBuilder g;
  const int image = g.input("image", {64, 64, 1});
  std::vector<int> convs;
  for (const char* name : {"a", "b", "c", "d"})
    convs.push_back(g.add(name, Conv{.out = 32, .kernel = {3, 3}}, {image}));
  int last = convs[0];
  for (std::size_t i = 1; i < 4; ++i)
    last = g.add("product" + std::to_string(i), Multiply{}, {last, convs[i]});
  const Graph graph = g.build({g.add("mean", layers::GlobalPool{}, {last})});
  const auto parameters =
      std::make_shared<Parameters>(open_cpu(1), random_weights(graph, DType::f32, 3));
  const Plan plan(graph, parameters, {.batch = 32});
  CHECK(chains_of(plan) == Chains{{"product3", "multiply, multiply, multiply"}});
  for (const Plan::Step& step : plan.steps())
    CHECK(step.nodes == (step.node == "product3"
                             ? std::vector<std::string>{"product1", "product2", "product3"}
                             : std::vector<std::string>{}));
  // The whole batch of one convolution's output is 16 MiB.
  CHECK(plan.memory().activations < std::size_t{8} << 20);
}

TEST_CASE("rows begin at inputs, at sums of a value with itself and behind folded layers",
          "[device]") {
  GraphBuilder g;
  const int image = g.input("image", {4, 4, 3}), other = g.input("other", {4, 4, 3});
  const int product = g.add("product", Multiply{}, {image, other});
  const int early = g.add("early", Sigmoid{}, {product});
  int last = g.add("conv", Conv{.out = 3, .kernel = {3, 3}}, {early});
  last = g.add("norm", layers::BatchNorm{}, {last});
  last = g.add("relu", Relu{}, {last});
  last = g.add("twice", Add{}, {last, last});
  last = g.add("squashed", Tanh{}, {last});
  const int sum = g.add("sum", Add{}, {other, last});
  const int end = g.add("end", layers::LeakyRelu{.slope = 0.1}, {sum});
  const Graph graph = g.build({end});
  Plan plain = plan_of(graph, {.batch = 3, .fuse = false});
  for (const DType stored : {DType::f32, DType::u8}) {
    Plan plan = plan_of(graph, {.batch = 3, .input_type = stored});
    CHECK(chains_of(plan) ==
          Chains{{"early", "multiply, sigmoid"}, {"end", "add, tanh, add + leaky_relu"}});
    for (int run = 0; run < 3; ++run) {  // the second is captured on a GPU
      for (std::size_t i = 0; i < 2; ++i) {
        const Doubles numbers = random_doubles(3 * 48, 5 + i, 0, 255);
        Doubles whole = numbers;
        for (double& number : whole) number = std::floor(number) / 64;
        write_to(plain.queue(), plain.input(i, 3), whole);
        if (stored == DType::f32) {
          write_to(plan.queue(), plan.input(i, 3), whole);
          continue;
        }
        const std::vector<std::uint8_t> bytes(numbers.begin(), numbers.end());
        upload(plan.queue(), plan.input(i, 3).data, bytes.data(), bytes.size());
        wait(plan.queue());
      }
      if (stored == DType::u8) {
        const View scales = plan.input_scales(3);
        write_to(plan.queue(), scales, {1 / 64.0, 1 / 64.0, 1 / 64.0});
      }
      plan.forward(3);
      plain.forward(3);
      CHECK(relative(read_from(plan.queue(), plan.output(0, 3)),
                     read_from(plain.queue(), plain.output(0, 3))) < 1e-5);
    }
  }
}

TEST_CASE("longer rows of pointwise layers are several chains, and no plan for training has one",
          "[device]") {
  GraphBuilder g;
  int last = g.add("dense", layers::Dense{.out = 30}, {g.input("x", {3})});
  for (int i = 0; i < 11; ++i) last = g.add("tanh" + std::to_string(i), Tanh{}, {last});
  const Graph graph = g.build({last});
  Plan plan = plan_of(graph, {.batch = 3});
  REQUIRE(chains_of(plan).size() == 2);
  CHECK(chains_of(plan).at("tanh10") == "tanh, tanh, tanh");
  Plan plain = plan_of(graph, {.batch = 3, .fuse = false});
  CHECK(relative(outputs_of(plan, 3)[0], outputs_of(plain, 3)[0]) < 1e-6);
  CHECK(chains_of(plan_of(graph, {.batch = 3, .mode = Mode::train})).empty());
}
