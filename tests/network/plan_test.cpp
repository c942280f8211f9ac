#include "../../network/plan.h"

#include "../../apps/dark_slices/ratnet.h"
#include "../../core/transfer.h"
#include "../../train/optimiser.h"
#include "../catch.h"
#include "plan_runs.h"
#include "refused.h"
#include "tangled_graph.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// Sum over all outputs of output * (what run_once takes as its gradient).
double objective(Plan& plan, std::int64_t n, std::uint64_t seed) {
  plan.forward(n);
  double sum = 0;
  for (std::size_t i = 0; i < plan.graph().outputs().size(); ++i) {
    const Doubles y = read_from(plan.queue(), plan.output(i, n));
    sum += dot(y, random_doubles(static_cast<std::int64_t>(y.size()), seed + 100 + i));
  }
  return sum;
}

std::shared_ptr<Parameters> parameters_of(const Graph& graph, DType dtype, int threads = 2) {
  return std::make_shared<Parameters>(test_queue(threads), random_weights(graph, dtype, 4));
}

}  // namespace

TEST_CASE("gradients add up where several layers read a value", "[device]") {
  const Graph graph = tangled_graph();
  const auto parameters = parameters_of(graph, DType::f64);
  for (const bool fuse : {false, true}) {
    Plan plan(graph, parameters,
              {.batch = 3, .mode = Mode::train, .fuse = fuse, .input_gradients = true});
    const std::int64_t n = 2;
    const Results results = run_once(plan, *parameters, n, 5);
    const auto load = [&] {
      for (std::size_t i = 0; i < 2; ++i)
        write_to(plan.queue(), plan.input(i, n), random_doubles(plan.input(i, n).count(), 5 + i));
    };
    for (std::size_t i = 0; i < 2; ++i) {
      INFO("input " << i);
      const Doubles slope =
          numeric_gradient(random_doubles(plan.input(i, n).count(), 5 + i), [&](const Doubles& x) {
            load();
            write_to(plan.queue(), plan.input(i, n), x);
            return objective(plan, n, 5);
          });
      CHECK(relative(results.input_gradients[i], slope) < 1e-7);
    }
    for (const auto& place : parameters->places()) {
      INFO(place.name);
      const View view = parameters->view(place);
      const Doubles value = read_from(plan.queue(), view);
      const Doubles slope = numeric_gradient(value, [&](const Doubles& moved) {
        load();
        write_to(plan.queue(), view, moved);
        return objective(plan, n, 5);
      });
      write_to(plan.queue(), view, value);
      CHECK(relative(results.gradients.at(place.name), slope) < 1e-7);
    }
  }
}

TEST_CASE("backward may be repeated with new output gradients", "[device]") {
  const Graph graph = tangled_graph();
  const auto parameters = parameters_of(graph, DType::f32);
  Plan plan(graph, parameters, {.batch = 2, .mode = Mode::train, .input_gradients = true});
  const Results once = run_once(plan, *parameters, 2, 5);
  const Results again = run_once(plan, *parameters, 2, 5);
  CHECK(once.outputs == again.outputs);
  CHECK(once.input_gradients == again.input_gradients);
  CHECK(once.gradients == again.gradients);
}

TEST_CASE("a batch gives the same bits whatever the plan's largest batch and the neighbours",
          "[device]") {
  for (const Graph& graph : {tangled_graph(), ratnet_graph(16)})
    for (const DType dtype : {DType::f32, DType::f64}) {
      const auto parameters = parameters_of(graph, dtype);
      const PlanOptions options{.batch = 1, .mode = Mode::train, .input_gradients = true};
      PlanOptions largest = options;
      largest.batch = 37;
      Plan wide(graph, parameters, largest);
      const Results all = run_once(wide, *parameters, 37, 6);
      for (const std::int64_t n : {1, 2, 7, 36}) {
        INFO(n << " samples in " << name_of(dtype));
        PlanOptions exact = options;
        exact.batch = n;
        Plan narrow(graph, parameters, exact);
        const Results a = run_once(wide, *parameters, n, 6);
        const Results b = run_once(narrow, *parameters, n, 6);
        CHECK(a.outputs == b.outputs);
        CHECK(a.input_gradients == b.input_gradients);
        CHECK(a.gradients == b.gradients);
        for (std::size_t i = 0; i < a.outputs.size(); ++i)
          CHECK(std::equal(a.outputs[i].begin(), a.outputs[i].end(), all.outputs[i].begin()));
      }
    }
}

TEST_CASE("inference gives the same however often it is repeated, for any mix of batches",
          "[device]") {
  const Graph graph = ratnet_graph(16);
  const auto parameters = parameters_of(graph, DType::f32);
  Plan repeated(graph, parameters, {.batch = 5});
  std::uint64_t seed = 20;
  // A queue that captures work does so from the second run on, for each number of samples.
  for (const std::int64_t n : {3, 3, 1, 3, 5, 1, 5, 3}) {
    Plan fresh(graph, parameters, {.batch = 5});
    const Doubles images = random_doubles(repeated.input(0, n).count(), ++seed);
    std::vector<Doubles> results;
    for (Plan* plan : {&repeated, &fresh}) {
      write_to(plan->queue(), plan->input(0, n), images);
      plan->forward(n);
      results.push_back(read_from(plan->queue(), plan->output(0, n)));
    }
    CHECK(results[0] == results[1]);
  }
}

TEST_CASE("results have the same bits on any number of threads", "[device]") {
  const Graph graph = ratnet_graph(32);
  Results expected;
  for (const int threads : {1, 2, 3, 5}) {
    const auto parameters = parameters_of(graph, DType::f32, threads);
    Plan plan(graph, parameters, {.batch = 33, .mode = Mode::train, .input_gradients = true});
    const Results results = run_once(plan, *parameters, 33, 6);
    if (threads == 1) expected = results;
    CHECK(results.outputs == expected.outputs);
    CHECK(results.input_gradients == expected.input_gradients);
    CHECK(results.gradients == expected.gradients);
  }
}

TEST_CASE("frozen weights stay, and backward goes no further than it must", "[device]") {
  const Graph graph = ratnet_graph(16);
  Weights weights = random_weights(graph, DType::f32, 4);
  REQUIRE(weights.freeze("conv*") == 6);
  const auto parameters = std::make_shared<Parameters>(test_queue(1), weights);
  Plan plan(graph, parameters, {.batch = 4, .mode = Mode::train});
  Plan whole(graph, parameters_of(graph, DType::f32), {.batch = 4, .mode = Mode::train});
  CHECK(parameters->trainable() < weights.count());

  std::vector<std::string> backward;
  for (const auto& step : plan.steps())
    if (step.backward) backward.push_back(step.node + " " + step.operation);
  for (const std::string& step : backward) {
    INFO(step);
    CHECK(step.find("pool") == std::string::npos);
    CHECK(step.find("conv") == std::string::npos);
    CHECK(step != "dense_relu dense_backward_data");
  }
  CHECK(backward.size() > 3);
  CHECK(plan.memory().activations < whole.memory().activations);
  CHECK(plan.memory().gradients < whole.memory().gradients);

  Optimiser optimiser(parameters, {});
  for (int step = 0; step < 3; ++step) {
    write_to(plan.queue(), plan.input(0, 4), random_doubles(plan.input(0, 4).count(), 9));
    plan.forward(4);
    write_to(plan.queue(), plan.output_gradient(0, 4), random_doubles(8, 10));
    plan.backward(4);
    optimiser.step(plan.gradients(), 0.01);
  }
  const Weights after = parameters->download();
  for (const auto& entry : after.entries()) {
    INFO(entry.name);
    CHECK(entry.frozen == weights.find(entry.name).frozen);
    CHECK(same_bits(entry.value, weights.find(entry.name).value) == entry.frozen);
  }
  CHECK(refused(ErrorKind::usage, "frozen", [&] { plan.gradient("conv1/weight"); }) == "");
  CHECK(refused(ErrorKind::usage, "no weight", [&] { plan.gradient("conv9/weight"); }) == "");
}

TEST_CASE("layers between frozen ones and the inputs still learn", "[device]") {
  const Graph graph = ratnet_graph(16);
  Weights weights = random_weights(graph, DType::f64, 4);
  weights.freeze("conv2/*");
  weights.freeze("dense/*");
  const auto parameters = std::make_shared<Parameters>(test_queue(1), weights);
  const auto all = parameters_of(graph, DType::f64);
  const PlanOptions options{.batch = 2, .mode = Mode::train, .input_gradients = true};
  Plan plan(graph, parameters, options);
  Plan whole(graph, all, options);
  const Results some = run_once(plan, *parameters, 2, 3);
  const Results every = run_once(whole, *all, 2, 3);
  CHECK(some.gradients.size() == 6);
  CHECK(some.input_gradients == every.input_gradients);
  for (const auto& [name, gradient] : some.gradients) CHECK(gradient == every.gradients.at(name));
}

TEST_CASE("a network whose weights are all frozen can still give input gradients", "[device]") {
  const Graph graph = ratnet_graph(16);
  Weights weights = random_weights(graph, DType::f32, 4);
  weights.freeze("*");
  const auto parameters = std::make_shared<Parameters>(test_queue(1), weights);
  Plan plan(graph, parameters, {.batch = 2, .mode = Mode::train, .input_gradients = true});
  const Results results = run_once(plan, *parameters, 2, 3);
  CHECK(results.gradients.empty());
  CHECK(dot(results.input_gradients[0], results.input_gradients[0]) > 0);
  Optimiser optimiser(parameters, {.clip_norm = 1});
  optimiser.step(plan.gradients(), 0.1);  // nothing to do, and no fault
  CHECK(same_bits(parameters->download().find("logits/bias").value,
                  weights.find("logits/bias").value));
}

TEST_CASE("a layer is frozen whole or not at all", "[device]") {
  const Graph graph = ratnet_graph(16);
  Weights weights = random_weights(graph, DType::f32, 4);
  weights.freeze("conv2/weight");
  const auto parameters = std::make_shared<Parameters>(test_queue(1), weights);
  CHECK(refused(ErrorKind::usage, "freeze",
                [&] { Plan(graph, parameters, {.mode = Mode::train}); }) == "");
  CHECK_NOTHROW(Plan(graph, parameters, {}));  // which trains nothing
}

TEST_CASE("plans that share parameters see each other's training", "[device]") {
  const Graph graph = ratnet_graph(16);
  const auto parameters = parameters_of(graph, DType::f32);
  Plan train(graph, parameters, {.batch = 4, .mode = Mode::train});
  Plan infer(graph, parameters, {.batch = 2});
  const auto output = [&](Plan& plan) {
    write_to(plan.queue(), plan.input(0, 2), random_doubles(plan.input(0, 2).count(), 1));
    plan.forward(2);
    return read_from(plan.queue(), plan.output(0, 2));
  };
  const Doubles before = output(infer);
  Optimiser optimiser(parameters, {});
  output(train);
  write_to(train.queue(), train.output_gradient(0, 2), random_doubles(4, 10));
  train.backward(2);
  optimiser.step(train.gradients(), 0.01);
  const Doubles after = output(infer);
  CHECK(after != before);
  CHECK(relative(after, output(train)) < 1e-6);
}

TEST_CASE("a plan says what it does and what memory it takes", "[device]") {
  const Graph graph = ratnet_graph(32);
  const auto parameters = parameters_of(graph, DType::f32);
  Plan plan(graph, parameters, {.batch = 8});
  std::vector<std::string> operations;
  double multiply_adds = 0;
  for (const auto& step : plan.steps()) {
    operations.push_back(step.node + " " + step.operation);
    CHECK(!step.backward);
    CHECK(step.output[0] == 8);
    multiply_adds += step.multiply_adds;
  }
  CHECK(operations == std::vector<std::string>{"pool1 conv", "pool2 conv", "pool3 conv",
                                               "dense_relu dense", "logits dense",
                                               "probability softmax"});
  CHECK(!plan.steps()[0].algorithm.empty());
  CHECK(multiply_adds ==
        8.0 * (32 * 32 * 9 * 32 + 16 * 16 * 288 * 32 + 8 * 8 * 288 * 32 + 512 * 128 + 128 * 2));

  // At the first convolution its input and output are alive, and nothing is ever larger.
  const std::size_t floats = 8 * (32 * 32 + 16 * 16 * 32);
  CHECK(plan.memory().activations >= floats * 4);
  CHECK(plan.memory().activations < floats * 4 * 3 / 2);
  const auto numbers = static_cast<std::size_t>(parameters->download().count());
  CHECK(plan.memory().parameters >= numbers * 4);
  CHECK(plan.memory().parameters < numbers * 4 + 10 * 64 + 64);

  Plan train(graph, parameters, {.batch = 8, .mode = Mode::train});
  CHECK(plan.memory().gradients == 0);
  CHECK(train.memory().parameters == plan.memory().parameters);
  CHECK(train.memory().gradients == train.memory().parameters);
  CHECK(train.memory().activations > plan.memory().activations);
  CHECK(train.steps().size() > 2 * plan.steps().size());
}

TEST_CASE("a plan refuses what does not fit", "[device]") {
  const Graph graph = ratnet_graph(16);
  const auto parameters = parameters_of(graph, DType::f32);
  const auto plan_with = [&](const Graph& g, PlanOptions options) { Plan(g, parameters, options); };
  CHECK(refused(ErrorKind::usage, "batch", [&] { plan_with(graph, {.batch = 0}); }) == "");
  CHECK(refused(ErrorKind::usage, "shape", [&] { plan_with(ratnet_graph(32), {}); }) == "");
  CHECK(refused(ErrorKind::usage, "no weight", [&] { plan_with(tangled_graph(), {}); }) == "");
  Plan plan(graph, parameters, {.batch = 4});
  CHECK(refused(ErrorKind::usage, "batch", [&] { plan.forward(5); }) == "");
  CHECK(refused(ErrorKind::usage, "batch", [&] { plan.forward(0); }) == "");
  CHECK(refused(ErrorKind::usage, "no input", [&] { plan.input(1, 1); }) == "");
  CHECK(refused(ErrorKind::usage, "no output", [&] { plan.output(1, 1); }) == "");
  CHECK(refused(ErrorKind::usage, "training", [&] { plan.backward(1); }) == "");
  CHECK(refused(ErrorKind::usage, "training", [&] { plan.output_gradient(0, 1); }) == "");
  CHECK(refused(ErrorKind::usage, "training", [&] { plan.gradients(); }) == "");
  CHECK(refused(ErrorKind::usage, "asked", [&] { plan.input_gradient(0, 1); }) == "");
  const Tensor wrong({2, 16, 15, 1}, DType::f32), doubled({2, 16, 16, 1}, DType::f64);
  Tensor out({2, 2}, DType::f32);
  for (const Tensor* in : {&wrong, &doubled}) {
    const ConstView inputs[] = {*in};
    const View outputs[] = {out};
    CHECK(refused(ErrorKind::usage, "expected", [&] { plan.run(inputs, outputs); }) == "");
  }
}

TEST_CASE("inputs in host memory give what copied ones give, and stay as they are", "[device]") {
  // What reads the image: a convolution and a sum with it; an activation; another shape of the same
  // numbers; pointwise steps in a row; a convolution alone, the image being an output too.
  const auto conv = layers::Conv{.out = 8, .kernel = {3}};
  std::vector<Graph> graphs = {ratnet_graph(16)};
  for (int kind = 0; kind < 5; ++kind) {
    GraphBuilder b;
    const int image = b.input("image", {12, 10, 8});
    int last = image;
    if (kind == 1) last = b.add("relu", layers::Relu{}, {image});
    if (kind == 2) last = b.add("shape", layers::Reshape{.shape = {10, 12, 8}}, {image});
    if (kind == 3)
      last = b.add("sigmoid", layers::Sigmoid{}, {b.add("tanh", layers::Tanh{}, {image})});
    last = b.add("conv", conv, {last});
    if (kind == 0) last = b.add("sum", layers::Add{}, {last, image});
    graphs.push_back(b.build(kind == 4 ? std::vector<int>{last, image} : std::vector<int>{last}));
  }
  for (std::size_t g = 0; g < graphs.size(); ++g)
    for (const std::int64_t samples_at_once : {0, 2}) {
      INFO("graph " << g << ", " << samples_at_once << " samples at once");
      Plan plan(graphs[g], parameters_of(graphs[g], DType::f32),
                {.batch = 5, .samples_at_once = samples_at_once});
      Random random(3);
      for (const std::int64_t n : {5, 3}) {
        const Tensor image = random_tensor(plan.input(0, n).shape, DType::f32, random);
        // One number further than memory is aligned.
        std::vector<float> moved(static_cast<std::size_t>(image.shape().count()) + 1);
        std::ranges::copy(image.values<float>(), moved.begin() + 1);
        const std::vector<float> before = moved;
        std::vector<Doubles> copied;
        upload_and_wait(plan.queue(), plan.input(0, n), image);
        plan.forward(n);
        for (std::size_t i = 0; i < graphs[g].outputs().size(); ++i)
          copied.push_back(read_from(plan.queue(), plan.output(i, n)));
        const ConstView inputs[] = {{moved.data() + 1, DType::f32, image.shape()}};
        plan.forward(inputs);
        for (std::size_t i = 0; i < copied.size(); ++i)
          CHECK(read_from(plan.queue(), plan.output(i, n)) == copied[i]);
        CHECK(moved == before);
        // And afterwards what is written to its own memory counts again.
        std::ranges::fill(moved, 7.0f);
        upload_and_wait(plan.queue(), plan.input(0, n), image);
        plan.forward(n);
        CHECK(read_from(plan.queue(), plan.output(0, n)) == copied[0]);
      }
    }
}

TEST_CASE("a plan on a CPU copies an input only where somebody else needs it") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    INFO(name_of(dtype));
    GraphBuilder b;
    const int image = b.input("image", {6, 5, 8}), beside = b.input("beside", {6, 5, 8});
    const int conv = b.add("conv", layers::Conv{.out = 8, .kernel = {3}}, {image});
    const Graph graph = b.build({b.add("sum", layers::Add{}, {conv, beside}), beside});
    for (const bool watched : {false, true}) {
      PlanOptions options{.batch = 2};
      if (watched) options.watch = {"image"};
      Plan plan(graph, parameters_of(graph, dtype), options);
      const Doubles mark(480, 5.0);
      for (const std::size_t i : {0, 1}) write_to(plan.queue(), plan.input(i, 2), mark);
      Random random(6);
      const Tensor first = random_tensor({2, 6, 5, 8}, dtype, random);
      const Tensor second = random_tensor({2, 6, 5, 8}, dtype, random);
      const ConstView inputs[] = {first, second};
      plan.forward(inputs);
      CHECK(read_from(plan.queue(), plan.output(1, 2)) == doubles(second));
      CHECK(read_from(plan.queue(), plan.input(0, 2)) == (watched ? doubles(first) : mark));
      CHECK(read_from(plan.queue(), plan.input(1, 2)) == doubles(second));
      const Doubles sum = read_from(plan.queue(), plan.output(0, 2));
      write_to(plan.queue(), plan.input(0, 2), doubles(first));
      plan.forward(2);
      CHECK(read_from(plan.queue(), plan.output(0, 2)) == sum);
      const ConstView one[] = {first};
      CHECK(refused(ErrorKind::usage, "2 inputs", [&] { plan.forward(one); }) == "");
    }
  }
}

TEST_CASE("inputs stored as integers are scaled sample by sample", "[device]") {
  const Graph graph = ratnet_graph(16);
  const auto parameters = parameters_of(graph, DType::f32);
  constexpr std::int64_t n = 3;
  Random random(8);
  const Tensor scales = random_tensor({n}, DType::f32, random, 0.001, 0.02);
  for (const DType stored : {DType::u8, DType::u16, DType::i16}) {
    INFO(name_of(stored));
    const Tensor pixels = random_tensor({n, 16, 16, 1}, stored, random, 0, 255);
    Tensor scaled({n, 16, 16, 1}, DType::f32);
    for (std::int64_t i = 0; i < scaled.count(); ++i)
      scaled.values<float>()[std::size_t(i)] = static_cast<float>(doubles(pixels)[std::size_t(i)]) *
                                               scales.values<float>()[std::size_t(i / 256)];
    Plan plan(graph, parameters, {.batch = 4, .input_type = stored});
    Plan plain(graph, parameters, {.batch = 4});
    CHECK(plan.input(0, n).dtype == stored);
    const auto bring = [&](const View& to, const Tensor& from) {
      upload(plan.queue(), to.data, from.data(), from.bytes());
    };
    const auto same = [&] {  // more often than once, since later runs may be replays
      for (int i = 0; i < 3; ++i) {
        plan.forward(n);
        bring(plain.input(0, n), scaled);
        plain.forward(n);
        CHECK(read_from(plan.queue(), plan.output(0, n)) ==
              read_from(plain.queue(), plain.output(0, n)));
      }
    };
    bring(plan.input_scales(n), scales);
    bring(plan.input(0, n), pixels);
    same();
    // Nothing is multiplied where no scale was written.
    Plan unscaled(graph, parameters, {.batch = 4, .input_type = stored});
    bring(unscaled.input(0, n), pixels);
    unscaled.forward(n);
    const Tensor as_they_are = tensor_of({n, 16, 16, 1}, DType::f32, doubles(pixels));
    bring(plain.input(0, n), as_they_are);
    plain.forward(n);
    CHECK(read_from(unscaled.queue(), unscaled.output(0, n)) ==
          read_from(plain.queue(), plain.output(0, n)));
    CHECK(refused(ErrorKind::usage, "scales", [&] { plain.input_scales(1); }) == "");
  }
  CHECK(refused(ErrorKind::usage, "u8, u16, i16",
                [&] { Plan(graph, parameters, {.input_type = DType::i32}); }) == "");
}

TEST_CASE("a plan that is too large says what wanted how much, and smaller ones still fit",
          "[device]") {
  const Graph graph = ratnet_graph(64);
  const auto parameters = parameters_of(graph, DType::f32);
  CHECK(refused(ErrorKind::device, "a plan for 1000000 samples to train on: ", [&] {
          Plan(graph, parameters, {.batch = 1000000, .mode = Mode::train});
        }) == "");
  Plan plan(graph, parameters, {.batch = 1, .mode = Mode::train});
  plan.forward(1);
  wait(plan.queue());
}
