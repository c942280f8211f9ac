#include "../../train/optimiser.h"

#include "../../apps/dark_slices/ratnet.h"
#include "../catch.h"
#include "../network/plan_runs.h"
#include "../network/refused.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

std::shared_ptr<Parameters> fresh_parameters(DType dtype = DType::f32) {
  return std::make_shared<Parameters>(test_queue(1),
                                      Weights::initialised(ratnet_graph(16), 1, dtype));
}

// A step with gradients that depend only on the step's number.
void step(Optimiser& optimiser, const Parameters& parameters, std::uint64_t number) {
  const Shape shape = parameters.block().shape;
  const Buffer memory(parameters.queue(),
                      static_cast<std::size_t>(shape.count()) * size_of(parameters.dtype()));
  const View gradients(memory.data(), parameters.dtype(), shape);
  write_to(*parameters.queue(), gradients, random_doubles(shape.count(), number));
  optimiser.step(gradients, 0.01);
}

const OptimiserOptions kAll[] = {
    {},
    {.kind = OptimiserKind::adamw, .weight_decay = 0.1, .clip_norm = 0.5},
    {.kind = OptimiserKind::sgd, .momentum = 0.9, .nesterov = true},
    {.kind = OptimiserKind::sgd, .momentum = 0}};

}  // namespace

TEST_CASE("an optimiser goes on from its state as if it had never stopped", "[device]") {
  for (const OptimiserOptions& options : kAll)
    for (const DType dtype : {DType::f32, DType::f64}) {
      INFO(name_of(options.kind) << " " << name_of(dtype));
      const auto undisturbed = fresh_parameters(dtype);
      Optimiser whole(undisturbed, options);
      for (std::uint64_t i = 0; i < 6; ++i) step(whole, *undisturbed, i);

      const auto parameters = fresh_parameters(dtype);
      Weights kept;
      std::vector<Tensor> state;
      {
        Optimiser first(parameters, options);
        for (std::uint64_t i = 0; i < 4; ++i) step(first, *parameters, i);
        CHECK(first.steps() == 4);
        state = first.state();
        kept = parameters->download();
      }
      const auto again = std::make_shared<Parameters>(test_queue(1), kept);
      Optimiser second(again, options);
      std::vector<ConstView> views;
      for (const Tensor& tensor : state) views.push_back(tensor);
      second.restore(4, views);
      for (std::uint64_t i = 4; i < 6; ++i) step(second, *again, i);
      CHECK(second.steps() == 6);
      const Weights ends = again->download(), expected = undisturbed->download();
      for (const auto& entry : expected.entries()) {
        INFO(entry.name);
        CHECK(same_bits(entry.value, ends.find(entry.name).value));
      }
      const std::vector<Tensor> a = whole.state(), b = second.state();
      REQUIRE(a.size() == b.size());
      for (std::size_t i = 0; i < a.size(); ++i) CHECK(same_bits(a[i], b[i]));
    }
}

TEST_CASE("an optimiser refuses the state of another", "[device]") {
  const auto parameters = fresh_parameters();
  Optimiser adam(parameters, {});
  const std::vector<Tensor> state = adam.state();
  REQUIRE(state.size() == 2);
  const Tensor small({16}, DType::f32), doubled(state[0].shape(), DType::f64);
  using Views = std::vector<ConstView>;
  for (const Views& views : {Views{}, Views{state[0]}, Views{state[0], small},
                             Views{state[0], doubled}, Views{state[0], state[1], state[0]}})
    CHECK(refused(ErrorKind::input, "", [&] { adam.restore(1, views); }) == "");
  CHECK(refused(ErrorKind::input, "", [&] { adam.restore(-1, {state[0], state[1]}); }) == "");
  CHECK(adam.steps() == 0);
}

TEST_CASE("optimisers are known by name and their options checked", "[device]") {
  for (const char* name : {"sgd", "adam", "adamw"})
    CHECK(name_of(parse_optimiser_kind(name)) == name);
  CHECK(refused(ErrorKind::usage, "use sgd", [] { parse_optimiser_kind("lion"); }) == "");
  for (const OptimiserOptions& bad : {OptimiserOptions{.momentum = 1},
                                      {.momentum = -0.1},
                                      {.beta1 = 1},
                                      {.beta2 = -1},
                                      {.epsilon = 0},
                                      {.weight_decay = -1},
                                      {.clip_norm = -1},
                                      {.epsilon = std::nan("")}})
    CHECK(refused(ErrorKind::usage, "expected", [&] { bad.check(); }) == "");
}
