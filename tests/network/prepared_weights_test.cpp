// Plans that keep weights in the form that operations compute with.
#include "../catch.h"
#include "plan_runs.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

using layers::BatchNorm;
using layers::Conv;
using layers::ConvTranspose;
using layers::Dense;
using layers::Flatten;

// Every algorithm that prepares weights (tests/kernels names them); two layers that share theirs at
// different sizes, where different algorithms take them; a folded normalisation.
Graph all_forms() {
  GraphBuilder b;
  const Conv nine{.out = 9, .kernel = {3, 3}};
  int last = b.add("direct", nine, {b.input("x", {16, 16, 2})});
  last = b.add("shared", nine, {last});
  last = b.add("norm", BatchNorm{}, {last});
  last = b.add("sharing", Conv{.out = 9, .kernel = {3, 3}, .pool = {4, 4}}, {last});
  last = b.add("again", Conv{.out = 9, .kernel = {3, 3}}, {last}, "sharing");
  last = b.add("up", ConvTranspose{.out = 3, .kernel = {2}, .stride = {2}}, {last});
  last = b.add("turned", ConvTranspose{.out = 5, .kernel = {3}, .stride = {1}}, {last});
  last = b.add("few", Conv{.out = 3, .kernel = {3, 3}}, {last});
  last = b.add("flat", Flatten{}, {last});
  return b.build({b.add("dense", Dense{.out = 7}, {last})});
}

Doubles output_of(Plan& plan, std::int64_t n) {
  write_to(plan.queue(), plan.input(0, n), random_doubles(plan.input(0, n).count(), 3));
  plan.forward(n);
  return read_from(plan.queue(), plan.output(0, n));
}

}  // namespace

TEST_CASE("a plan that keeps prepared weights gives what one gives that does not", "[device]") {
  const Graph graph = all_forms();
  for (const DType dtype : {DType::f32, DType::f64}) {
    const auto parameters =
        std::make_shared<Parameters>(test_queue(2), random_weights(graph, dtype, 4));
    Plan keeping(graph, parameters, {.batch = 5});
    Plan keeping_too(graph, parameters, {.batch = 2, .fuse = false});
    Plan making(graph, parameters, {.batch = 5, .keep_prepared = false});
    Plan making_too(graph, parameters, {.batch = 2, .fuse = false, .keep_prepared = false});
    Doubles of_one;
    for (const std::uint64_t seed : {4, 5, 6}) {
      if (seed != 4) parameters->upload(random_weights(graph, dtype, seed));
      for (const std::int64_t n : {1, 5, 2, 2}) {
        const Doubles expected = output_of(making, n);
        CHECK(output_of(keeping, n) == expected);
        if (n <= 2) CHECK(output_of(keeping_too, n) == output_of(making_too, n));
        if (n != 1) continue;
        CHECK(expected != of_one);  // with the weights before
        of_one = expected;
      }
    }
  }
}

TEST_CASE("prepared weights are counted, and only inference keeps them") {
  if (!on_cpu()) return;
  const Graph graph = all_forms();
  const auto parameters =
      std::make_shared<Parameters>(test_queue(2), random_weights(graph, DType::f32, 4));
  const Plan::Memory keeping = Plan(graph, parameters, {.batch = 2}).memory();
  const Plan::Memory making =
      Plan(graph, parameters, {.batch = 2, .keep_prepared = false}).memory();
  // The filters of Winograd's method alone are 4 times as many numbers, in whole panels.
  CHECK(keeping.prepared >= std::size_t{36} * 9 * 9 * 4 + parameters->bytes() * 3 / 4);
  CHECK(keeping.beside_parameters() ==
        keeping.activations + keeping.scratch + keeping.gradients + keeping.prepared);
  CHECK(Plan::memory_of(graph, parameters, {.batch = 2}).prepared == keeping.prepared);
  CHECK(Plan::memory_of(graph, parameters, {.batch = 7}).prepared == keeping.prepared);
  CHECK(making.prepared == 0);
  CHECK(making.scratch > keeping.scratch);
  CHECK(Plan(graph, parameters, {.batch = 2, .mode = Mode::train}).memory().prepared == 0);

  // A refusal says that they can be done without.
  REQUIRE(keeping.beside_parameters() > making.beside_parameters());
  try {
    Plan(graph, parameters, {.batch = 2, .memory_limit = making.beside_parameters()});
    FAIL("not refused");
  } catch (const Error& error) {
    INFO(error.what());
    CHECK(std::string(error.what()).find("without keep_prepared one of up to 2") !=
          std::string::npos);
  }
}
