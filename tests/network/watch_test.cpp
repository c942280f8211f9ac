// Values and gradients inside a network, and weights that several nodes share.
#include "../catch.h"
#include "plan_runs.h"
#include "refused.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// x -> a -> b -> c with the same convolution twice, and a sum over the skip.
Graph shared() {
  GraphBuilder builder;
  const int x = builder.input("x", {6, 5, 3});
  // Before a normalisation a bias would have no gradient.
  const layers::Conv conv{.out = 3, .kernel = {3, 3}, .bias = false};
  const int a = builder.add("a", conv, {x});
  const int norm = builder.add("norm_a", layers::BatchNorm{}, {a});
  const int relu = builder.add("relu", layers::Relu{}, {norm});
  const int b = builder.add("b", conv, {relu}, "a");
  const int norm_b = builder.add("norm_b", layers::BatchNorm{}, {b}, "norm_a");
  const int sum = builder.add("sum", layers::Add{}, {norm_b, relu});
  return builder.build({sum});
}

}  // namespace

TEST_CASE("the gradient of shared weights is the sum over their nodes", "[device][small]") {
  const QueueHandle queue = test_queue(2);
  const Graph graph = shared();
  for (const bool fuse : {false, true}) {
    const auto parameters =
        std::make_shared<Parameters>(queue, random_weights(graph, DType::f64, 5));
    Plan plan(graph, parameters,
              {.batch = 3, .mode = Mode::train, .fuse = fuse, .input_gradients = true});
    const Results results = run_once(plan, *parameters, 3, 7);
    const Doubles dy = random_doubles(plan.output(0, 3).count(), 107);
    for (const auto& place : parameters->places()) {
      if (!place.trainable()) continue;
      INFO(place.name << (fuse ? " fused" : ""));
      const View view = parameters->view(place);
      const Doubles value = read_from(*queue, view);
      const Doubles slope = numeric_gradient(value, [&](const Doubles& moved) {
        write_to(*queue, view, moved);
        write_to(*queue, plan.input(0, 3), random_doubles(plan.input(0, 3).count(), 7));
        plan.forward(3);
        return dot(read_from(*queue, plan.output(0, 3)), dy);
      });
      write_to(*queue, view, value);
      CHECK(relative(results.gradients.at(place.name), slope) < 1e-7);
    }
  }
}

TEST_CASE("what is watched is what a plan of that part gives", "[device][small]") {
  const QueueHandle queue = test_queue(2);
  const Graph graph = shared();
  const auto parameters = std::make_shared<Parameters>(queue, random_weights(graph, DType::f64, 5));
  for (const char* name : {"a", "norm_a", "relu", "b"}) {
    INFO(name);
    Plan plan(graph, parameters, {.batch = 2, .watch = {name}});
    Plan part(graph.up_to({name}), parameters, {.batch = 2});
    for (Plan* p : {&plan, &part}) {
      write_to(*queue, p->input(0, 2), random_doubles(p->input(0, 2).count(), 3));
      p->forward(2);
    }
    CHECK(relative(read_from(*queue, plan.watched(name, 2)), read_from(*queue, part.output(0, 2))) <
          1e-12);
  }
  Plan plan(graph, parameters, {.batch = 2});
  CHECK(refused(ErrorKind::usage, "'a' is not watched", [&] { plan.watched("a", 2); }) == "");
  CHECK(refused(ErrorKind::usage, "no node 'z'",
                [&] { Plan(graph, parameters, {.watch = {"z"}}); }) == "");
}

TEST_CASE("the gradient in a watched node is that of the part behind it", "[device][small]") {
  const QueueHandle queue = test_queue(2);
  const Graph graph = shared();
  const auto parameters = std::make_shared<Parameters>(queue, random_weights(graph, DType::f64, 5));
  Plan plan(graph, parameters, {.batch = 2, .mode = Mode::train, .watch = {"relu"}});
  write_to(*queue, plan.input(0, 2), random_doubles(plan.input(0, 2).count(), 3));
  plan.forward(2);
  const Doubles dy = random_doubles(plan.output(0, 2).count(), 4);
  write_to(*queue, plan.output_gradient(0, 2), dy);
  plan.backward(2);

  Plan rest(graph.part({"relu"}, {"sum"}), parameters,
            {.batch = 2, .mode = Mode::train, .input_gradients = true});
  write_to(*queue, rest.input(0, 2), read_from(*queue, plan.watched("relu", 2)));
  rest.forward(2);
  write_to(*queue, rest.output_gradient(0, 2), dy);
  rest.backward(2);
  CHECK(relative(read_from(*queue, plan.watched_gradient("relu", 2)),
                 read_from(*queue, rest.input_gradient(0, 2))) < 1e-12);
}

TEST_CASE("the gradient in a watched flatten is its own, not that of what it flattens",
          "[device][small]") {
  const QueueHandle queue = test_queue(1);
  GraphBuilder builder;
  const int x = builder.input("x", {3, 2});
  const int p = builder.add("p", layers::Conv{.out = 2, .kernel = {3}}, {x});
  const int square = builder.add("square", layers::Multiply{}, {p, p});
  const int flat = builder.add("flat", layers::Flatten{}, {p});
  const Graph graph = builder.build({square, flat});
  const auto parameters = std::make_shared<Parameters>(queue, random_weights(graph, DType::f64, 5));
  Doubles weights[2];
  for (const bool watched : {false, true}) {
    PlanOptions options{.batch = 2, .mode = Mode::train};
    if (watched) options.watch = {"flat"};
    Plan plan(graph, parameters, options);
    write_to(*queue, plan.input(0, 2), random_doubles(plan.input(0, 2).count(), 3));
    plan.forward(2);
    const Doubles dy = random_doubles(12, 4);
    for (std::size_t output = 0; output < 2; ++output)
      write_to(*queue, plan.output_gradient(output, 2), dy);
    plan.backward(2);
    if (watched) CHECK(read_from(*queue, plan.watched_gradient("flat", 2)) == dy);
    weights[watched] = read_from(*queue, plan.gradient("p/weight"));
  }
  CHECK(relative(weights[0], weights[1]) < 1e-14);
}
