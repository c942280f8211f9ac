// Plans that compute values again in place of keeping them.
#include <cstring>

#include "../catch.h"
#include "plan_runs.h"
#include "refused.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

using layers::BatchNorm;
using layers::Conv;

// Skips over short and long ways, dropout, normalisation, flatten in the middle and at the end,
// weights of three nodes in one, a value that several read, two inputs, three outputs.
Graph tangled() {
  GraphBuilder b;
  const Conv conv{.out = 4, .kernel = {3, 3}, .bias = false};
  const int x = b.input("x", {8, 6, 4});
  int last = b.add("first", conv, {x});
  last = b.add("first_norm", BatchNorm{}, {last});
  const int early = last = b.add("first_relu", layers::Relu{}, {last});
  for (int i = 0; i < 4; ++i) {
    const std::string name = "block" + std::to_string(i);
    int inner = b.add(name + "_a", conv, {last}, i % 2 ? "first" : "");
    inner = b.add(name + "_norm", BatchNorm{}, {inner});
    inner = b.add(name + "_leaky", layers::LeakyRelu{.slope = 0.2}, {inner});
    inner = b.add(name + "_dropout", layers::Dropout{.probability = 0.3}, {inner});
    inner = b.add(name + "_tanh", layers::Tanh{}, {inner});
    last = b.add(name, layers::Add{}, {inner, last});
  }
  const int second = b.input("y", {96});
  const int pooled = b.add("pool", layers::MaxPool{.kernel = {2, 2}}, {last});
  const int joined = b.add("joined", layers::Concat{}, {last, early});
  const int narrow = b.add("narrow", Conv{.out = 2, .kernel = {1, 1}}, {joined});
  const int flat = b.add("flat", layers::Flatten{}, {narrow});
  const int sum = b.add("sum", layers::Add{}, {flat, second});
  const int hidden = b.add("hidden", layers::Dense{.out = 7}, {sum});
  const int gate = b.add("gate", layers::Sigmoid{}, {hidden});
  const int flat_pool = b.add("flat_pool", layers::Flatten{}, {pooled});
  const int end = b.add("end", layers::Dense{.out = 3}, {flat_pool});
  return b.build({b.add("logits", layers::Dense{.out = 2}, {gate}), end, narrow});
}

// Volumes: each of the layers that have a third dimension, and a skip over all of them.
Graph volumes() {
  GraphBuilder b;
  const int x = b.input("x", {4, 4, 8, 2});
  const int y = b.input("y", {4, 4, 8, 2});
  int last = b.add("joined", layers::Concat{}, {x, y});
  last = b.add("first", Conv{.out = 4, .kernel = {3}, .bias = false}, {last});
  last = b.add("first_norm", BatchNorm{}, {last});
  const int skip = last = b.add("first_relu", layers::Relu{}, {last});
  last = b.add("pool", layers::MaxPool{.kernel = {2}}, {last});
  for (int i = 0; i < 3; ++i) {
    const std::string name = "block" + std::to_string(i);
    int inner = b.add(name + "_conv", Conv{.out = 4, .kernel = {3, 1, 3}, .bias = false}, {last});
    inner = b.add(name + "_norm", layers::InstanceNorm{}, {inner});
    inner = b.add(name + "_elu", layers::Elu{}, {inner});
    inner = b.add(name + "_dropout", layers::SpatialDropout{.probability = 0.3}, {inner});
    last = b.add(name, layers::Add{}, {inner, last});
  }
  last = b.add("deep", Conv{.out = 4, .kernel = {3}, .stride = {2}}, {last});
  last = b.add("deep_tanh", layers::Tanh{}, {last});
  last = b.add("larger", layers::Upsample{.mode = Interpolation::linear}, {last});
  last = b.add("up", layers::ConvTranspose{.out = 4}, {last});
  last = b.add("both", layers::Concat{}, {last, skip});
  last = b.add("logits", Conv{.out = 3, .kernel = {1}}, {last});
  return b.build({b.add("probability", layers::Softmax{}, {last}), last});
}

// 32 convolutions of equal size in a row.
Graph deep(std::int64_t side = 16) {
  GraphBuilder b;
  int last = b.input("x", {side, side, 4});
  for (int i = 0; i < 32; ++i)
    last = b.add("conv" + std::to_string(i),
                 Conv{.out = 4, .kernel = {3, 3}, .activation = Activation::relu}, {last});
  return b.build({last});
}

struct Run {
  Results first, second;
  Weights after;
  Plan::Memory memory;
  std::size_t again = 0;  // steps
};

// Two steps, since the statistics of the first are the parameters of the second.
Run run_twice(const Graph& graph, DType dtype, bool fuse, bool recompute, const char* freeze) {
  Weights weights = random_weights(graph, dtype, 3);
  if (*freeze) REQUIRE(weights.freeze(freeze) > 0);
  const auto parameters = std::make_shared<Parameters>(test_queue(2), weights);
  Plan plan(graph, parameters,
            {.batch = 5,
             .mode = Mode::train,
             .fuse = fuse,
             .input_gradients = true,
             .watch = {"block1"},
             .recompute = recompute});
  Run run;
  run.first = run_once(plan, *parameters, 3, 8, {7, 1});
  run.second = run_once(plan, *parameters, 5, 9, {7, 2});
  for (const Results* results : {&run.first, &run.second})
    for (const Doubles& gradient : results->input_gradients) REQUIRE(dot(gradient, gradient) > 0);
  run.second.outputs.push_back(read_from(plan.queue(), plan.watched("block1", 5)));
  run.second.outputs.push_back(read_from(plan.queue(), plan.watched_gradient("block1", 5)));
  run.after = parameters->download();
  run.memory = plan.memory();
  for (const Plan::Step& step : plan.steps()) {
    run.again += step.again;
    if (step.again) CHECK(step.backward);
  }
  return run;
}

void check_same(const Results& a, const Results& b) {
  CHECK(a.outputs == b.outputs);
  CHECK(a.input_gradients == b.input_gradients);
  CHECK(a.gradients == b.gradients);
}

void check_recomputed(const Graph& graph, const std::vector<const char*>& frozen) {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const bool fuse : {false, true})
      for (const char* freeze : frozen) {
        INFO(name_of(dtype) << (fuse ? ", fused, frozen: " : ", frozen: ") << freeze);
        const Run plain = run_twice(graph, dtype, fuse, false, freeze);
        const Run run = run_twice(graph, dtype, fuse, true, freeze);
        check_same(plain.first, run.first);
        check_same(plain.second, run.second);
        for (const auto& entry : plain.after.entries()) {
          INFO(entry.name);
          CHECK(same_bits(entry.value, run.after.find(entry.name).value));
        }
        CHECK(plain.again == 0);
        CHECK(run.again > 0);
        CHECK(run.memory.activations < plain.memory.activations);
      }
}

}  // namespace

TEST_CASE("what is computed again gives the same bits as what is kept", "[device]") {
  check_recomputed(tangled(), {"", "first/*", "block2_norm/*"});
}

TEST_CASE("what is computed again of volumes gives the same bits as what is kept", "[device]") {
  check_recomputed(volumes(), {"", "first/*"});
}

TEST_CASE("a deep network needs less than half the memory, for one forward pass more at most",
          "[device]") {
  const Graph graph = deep();
  const auto parameters =
      std::make_shared<Parameters>(test_queue(2), random_weights(graph, DType::f32, 3));
  PlanOptions options{.batch = 2, .mode = Mode::train, .input_gradients = true};
  Plan plain(graph, parameters, options);
  options.recompute = true;
  Plan plan(graph, parameters, options);
  CHECK(2 * plan.memory().activations < plain.memory().activations);
  std::size_t forward = 0, again = 0;
  for (const Plan::Step& step : plan.steps()) {
    forward += !step.backward;
    again += step.again;
  }
  CHECK(again > forward / 2);
  CHECK(again < forward);
  check_same(run_once(plain, *parameters, 2, 4), run_once(plan, *parameters, 2, 4));
}

TEST_CASE("nothing is computed again that backward does not read", "[device][small]") {
  GraphBuilder b;
  int last = b.input("x", {16, 16, 4}), total = last;
  for (int i = 0; i < 20; ++i) {
    const std::string n = std::to_string(i);
    last =
        b.add("conv" + n, Conv{.out = 4, .kernel = {3, 3}, .activation = Activation::relu}, {last});
    total = b.add("total" + n, layers::Add{}, {total, last});
  }
  const Graph graph = b.build({total});
  const auto parameters =
      std::make_shared<Parameters>(test_queue(1), random_weights(graph, DType::f32, 3));
  const Plan plan(graph, parameters,
                  {.mode = Mode::train, .input_gradients = true, .recompute = true});
  std::size_t convolutions = 0;
  for (const Plan::Step& step : plan.steps()) {
    if (!step.again) continue;
    INFO(step.node);
    CHECK(step.node.starts_with("conv"));
    ++convolutions;
  }
  CHECK(convolutions > 5);
}

TEST_CASE("only training recomputes", "[device][small]") {
  const Graph graph = deep(4);
  const auto parameters =
      std::make_shared<Parameters>(test_queue(1), random_weights(graph, DType::f32, 3));
  CHECK(refused(ErrorKind::usage, "only a plan for training can recompute",
                [&] { Plan(graph, parameters, {.recompute = true}); }) == "");
}
