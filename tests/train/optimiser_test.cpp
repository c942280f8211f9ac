#include "../../train/optimiser.h"

#include "../../apps/dark_slices/ratnet.h"
#include "../../core/transfer.h"
#include "../catch.h"
#include "../network/plan_runs.h"
#include "../network/refused.h"
#include "small_weights.h"

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

std::vector<Tensor> state_of(const Optimiser& optimiser, const Parameters& parameters) {
  std::vector<Tensor> state;
  for (const ConstView& moments : optimiser.state())
    state.push_back(downloaded(*parameters.queue(), moments));
  return state;
}

const OptimiserOptions kAll[] = {
    {},
    {.kind = OptimiserKind::adamw, .weight_decay = 0.1, .clip_norm = 0.5},
    {.kind = OptimiserKind::sgd, .momentum = 0.9, .nesterov = true},
    {.kind = OptimiserKind::sgd, .momentum = 0},
    {.kind = OptimiserKind::adamw,
     .weight_decay = 0.1,
     .groups = {{"*/bias"}, {"conv2/*", 0.3, 0.5}}}};

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
        state = state_of(first, *parameters);
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
      const std::vector<Tensor> a = state_of(whole, *undisturbed), b = state_of(second, *again);
      REQUIRE(a.size() == b.size());
      for (std::size_t i = 0; i < a.size(); ++i) CHECK(same_bits(a[i], b[i]));
    }
}

TEST_CASE("an optimiser refuses the state of another", "[device]") {
  const auto parameters = fresh_parameters();
  Optimiser adam(parameters, {});
  const std::vector<Tensor> state = state_of(adam, *parameters);
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

TEST_CASE("groups decay and learn as PyTorch's parameter groups", "[device]") {
  // w, from Sequence (small_weights.h) as torch.float64 parameters; lr = 0.1 for sgd, else 0.01
  // groups = [dict(params=[w["a/weight"]], lr=lr, weight_decay=0.1),
  //           dict(params=[w["a/bias"], w["b/bias"]], lr=lr, weight_decay=0),
  //           dict(params=[w["b/weight"]], lr=lr * 0.5, weight_decay=0.3)]
  // torch.optim.AdamW(groups), Adam(groups), SGD(groups, momentum=0.9, nesterov=True)
  // ten steps with gradients from the same sequence; the last number of each weight:
  struct Expected {
    OptimiserKind kind;
    double rate, a_weight, a_bias, b_weight, b_bias;
  };
  const Expected all[] = {{OptimiserKind::adamw, 0.01, -0.33444334890222177, -0.027257836807404293,
                           0.4592031243889329, 0.23733463988456116},
                          {OptimiserKind::adam, 0.01, -0.3282893431088878, -0.027257836807404293,
                           0.4513248147873274, 0.23733463988456116},
                          {OptimiserKind::sgd, 0.1, -0.1543087232634769, -0.11030058149522101,
                           0.1320079439282639, 0.07711585015815003}};
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Expected& expected : all) {
      INFO(name_of(expected.kind) << " " << name_of(dtype));
      Sequence sequence;
      const auto parameters =
          std::make_shared<Parameters>(test_queue(1), two_layers(sequence, dtype));
      // The first pattern that fits counts.
      Optimiser optimiser(parameters, {.kind = expected.kind,
                                       .nesterov = true,
                                       .weight_decay = 0.1,
                                       .groups = {{"*/bias"}, {"b/*", 0.3, 0.5}}});
      for (int step = 0; step < 10; ++step) {
        const Buffer gradients = next_gradients(sequence, *parameters);
        optimiser.step(View(gradients.data(), dtype, parameters->block().shape), expected.rate);
      }
      const Weights weights = parameters->download();
      const double tolerance = dtype == DType::f64 ? 1e-13 : 2e-6;
      CHECK(std::abs(last_of(weights, "a/weight") - expected.a_weight) < tolerance);
      CHECK(std::abs(last_of(weights, "a/bias") - expected.a_bias) < tolerance);
      CHECK(std::abs(last_of(weights, "b/weight") - expected.b_weight) < tolerance);
      CHECK(std::abs(last_of(weights, "b/bias") - expected.b_bias) < tolerance);
    }
}

TEST_CASE("groups are written as text, and refused where they make no sense") {
  const OptimiserGroup bias = parse_optimiser_group("*/bias=0");
  CHECK(bias.pattern == "*/bias");
  CHECK(bias.weight_decay == 0);
  CHECK(bias.rate_factor == 1);
  const OptimiserGroup slow = parse_optimiser_group("a=b*=1e-2:0.5");
  CHECK(slow.pattern == "a=b*");
  CHECK(slow.weight_decay == 0.01);
  CHECK(slow.rate_factor == 0.5);
  for (const char* bad : {"", "bias", "=0", "bias=", "bias=x", "bias=0:", "bias=0:x", "bias=0 "})
    CHECK(refused(ErrorKind::usage, "PATTERN=DECAY", [&] { parse_optimiser_group(bad); }) == "");

  Sequence sequence;
  Weights weights = two_layers(sequence, DType::f32);
  weights.freeze("b/*");
  const auto parameters = std::make_shared<Parameters>(test_queue(1), weights);
  const auto with = [&](const OptimiserGroup& group) {
    return [&] { Optimiser(parameters, {.groups = {group}}); };
  };
  CHECK(refused(ErrorKind::usage, "there are a/weight, a/bias", with({"c/*"})) == "");
  CHECK(refused(ErrorKind::usage, "'b/*'", with({"b/*"})) == "");  // frozen
  CHECK(refused(ErrorKind::usage, "'a/*'", with({"a/*", -1})) == "");
  CHECK(refused(ErrorKind::usage, "'a/*'", with({"a/*", 0, -1})) == "");
  CHECK(refused(ErrorKind::usage, "'a/*'", with({"a/*", 0, std::nan("")})) == "");
}

TEST_CASE("the trainable block has matrices first, then vectors", "[device]") {
  Sequence sequence;
  Weights weights = two_layers(sequence, DType::f32);
  weights.add("c/weight", sequence.take({1, 5}, DType::f32));
  weights.freeze("a/*");
  const Parameters parameters(test_queue(1), weights);
  const auto offset = [&](const char* name) { return parameters.find(name).offset; };
  CHECK(offset("b/weight") == 0);
  CHECK(offset("c/weight") == 16);
  CHECK(offset("b/bias") == 32);
  CHECK(parameters.trainable() == 48);
  CHECK(offset("a/weight") == 48);
  CHECK(offset("a/bias") == 64);
  const Weights again = parameters.download();
  for (std::size_t i = 0; i < weights.entries().size(); ++i) {
    CHECK(again.entries()[i].name == weights.entries()[i].name);
    CHECK(same_bits(again.entries()[i].value, weights.entries()[i].value));
  }
}
