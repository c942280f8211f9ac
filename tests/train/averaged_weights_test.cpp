#include "../../train/averaged_weights.h"

#include "../../core/transfer.h"
#include "../../train/optimiser.h"
#include "../catch.h"
#include "../network/refused.h"
#include "../network/temporary_folder.h"
#include "small_training.h"
#include "small_weights.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// Moves the weights at random, without an optimiser.
void move(const Parameters& parameters, std::uint64_t seed) {
  write_to(*parameters.queue(), parameters.block(), random_doubles(parameters.trainable(), seed));
}

}  // namespace

TEST_CASE("averaged weights are PyTorch's over ten steps of AdamW", "[device]") {
  // The AdamW of the groups in optimiser_test.cpp, and
  // ema = torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)
  // avg = [p.detach().clone() for p in w.values()]  # before the first step
  // after every step: ema(avg, [p.detach() for p in w.values()], None)
  Sequence sequence;
  const auto parameters =
      std::make_shared<Parameters>(test_queue(1), two_layers(sequence, DType::f64));
  Optimiser optimiser(parameters, {.kind = OptimiserKind::adamw,
                                   .weight_decay = 0.1,
                                   .groups = {{"*/bias"}, {"b/*", 0.3, 0.5}}});
  AveragedWeights averaged(parameters, {.decay = 0.9});
  for (int step = 0; step < 10; ++step) {
    const Buffer gradients = next_gradients(sequence, *parameters);
    optimiser.step(View(gradients.data(), DType::f64, parameters->block().shape), 0.01);
    averaged.update(step);
  }
  const Weights average = averaged.parameters()->download();
  CHECK(last_of(average, "a/weight") == Approx(-0.3352125671557836).epsilon(1e-12));
  CHECK(last_of(average, "a/bias") == Approx(-0.02040277620762698).epsilon(1e-12));
  CHECK(last_of(average, "b/weight") == Approx(0.47070517138881873).epsilon(1e-12));
  CHECK(last_of(average, "b/bias") == Approx(0.24955232623833717).epsilon(1e-12));
}

TEST_CASE("a warm-up forgets the first weights sooner", "[device]") {
  Sequence sequence;
  for (const bool warm_up : {false, true}) {
    const auto parameters =
        std::make_shared<Parameters>(test_queue(1), two_layers(sequence, DType::f64));
    AveragedWeights averaged(parameters, {.decay = 0.3, .warm_up = warm_up});
    Doubles expected = read_from(*parameters->queue(), parameters->block());
    for (int step = 0; step < 6; ++step) {
      move(*parameters, static_cast<std::uint64_t>(step));
      averaged.update(step);
      const double early = (1.0 + step) / (10.0 + step);  // 0.1, 0.18, 0.25, 0.31, ...
      const double decay = warm_up && early < 0.3 ? early : 0.3;
      const Doubles now = read_from(*parameters->queue(), parameters->block());
      for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] = decay * expected[i] + (1 - decay) * now[i];
    }
    const Doubles got = read_from(*parameters->queue(), averaged.parameters()->block());
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(std::abs(got[i] - expected[i]) < 1e-14);
  }
}

TEST_CASE("frozen weights and statistics are not averaged but taken as they are", "[device]") {
  Sequence sequence;
  Weights weights = two_layers(sequence, DType::f32);
  weights.find("a/bias").statistic = true;
  weights.find("b/bias").frozen = true;
  const auto parameters = std::make_shared<Parameters>(test_queue(1), weights);
  AveragedWeights averaged(parameters, {.decay = 0.5});
  Weights changed = weights.clone();
  for (auto& entry : changed.entries())
    entry.value = sequence.take(entry.value.shape(), DType::f32);
  parameters->upload(changed);
  averaged.update(0);
  averaged.refresh();
  const Weights got = averaged.parameters()->download();
  for (const char* name : {"a/bias", "b/bias"})
    CHECK(same_bits(got.find(name).value, changed.find(name).value));
  for (const char* name : {"a/weight", "b/weight"})
    CHECK(last_of(got, name) ==
          Approx((last_of(weights, name) + last_of(changed, name)) / 2).epsilon(1e-6));
}

TEST_CASE("an average goes on from its state, and refuses that of another network", "[device]") {
  Sequence sequence;
  const auto parameters =
      std::make_shared<Parameters>(test_queue(1), two_layers(sequence, DType::f32));
  AveragedWeights whole(parameters, {.decay = 0.9});
  move(*parameters, 1);
  whole.update(0);
  AveragedWeights again(parameters, {.decay = 0.9});
  const auto state = [&](const AveragedWeights& of) {
    return downloaded(*parameters->queue(), of.state());
  };
  CHECK(!same_bits(state(again), state(whole)));
  again.restore(state(whole));
  move(*parameters, 2);
  whole.update(1);
  again.update(1);
  CHECK(same_bits(state(again), state(whole)));
  const Tensor longer({65}, DType::f32), wide(again.state().shape, DType::f64);
  CHECK(refused(ErrorKind::input, "not those", [&] { again.restore(longer); }) == "");
  CHECK(refused(ErrorKind::input, "not those", [&] { again.restore(wide); }) == "");
  for (const AveragingOptions& bad : {AveragingOptions{.decay = 1},
                                      {.decay = -0.1},
                                      {.decay = std::nan("")},
                                      {.decay = 0, .warm_up = true}})
    CHECK(refused(ErrorKind::usage, "decay", [&] { bad.check(); }) == "");
}

TEST_CASE("a training with an average learns the same and gives the average", "[device]") {
  const TemporaryFolder folder;
  TrainerOptions o = options(1);
  const TrainingResult plain = train(o);
  o.averaging.decay = 0.7;
  o.checkpoint_path = folder / "checkpoint";
  o.checkpoint_every = 1;
  const Graph graph = logits_graph(small_graph());
  Weights expected = Weights::initialised(graph, o.loader.seed);
  const auto average = [&] {  // with what the step before left behind
    const Weights now = load_checkpoint(o.checkpoint_path).weights.clone();
    for (auto& entry : expected.entries()) {
      const auto weights = now.find(entry.name).value.values<float>();
      auto averages = entry.value.values<float>();
      for (std::size_t i = 0; i < weights.size(); ++i)
        averages[i] = 0.7f * averages[i] + 0.3f * weights[i];
    }
  };
  const TrainingResult result = train(o, [&](const TrainingProgress& progress) {
    if (progress.step > 1) average();
    return true;
  });
  average();
  CHECK(result.history[0].training_loss == plain.history[0].training_loss);
  CHECK(result.history[0].validation_loss != plain.history[0].validation_loss);
  const Checkpoint last = load_checkpoint(o.checkpoint_path);
  for (const auto& entry : plain.weights.entries()) {
    INFO(entry.name);
    CHECK(same_bits(last.weights.find(entry.name).value, entry.value));
    const Doubles got = read(result.weights.find(entry.name).value);
    const Doubles wanted = read(expected.find(entry.name).value);
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - wanted[i]) < 1e-6);
  }
  // Where next to nothing stays, the average is the weights.
  o = options(1);
  o.averaging.decay = 1e-12;
  const TrainingResult near = train(o);
  CHECK(near.history[0].validation_loss == Approx(plain.history[0].validation_loss).epsilon(1e-5));
}
