// Steps of the optimiser from the gradients of several batches.
#include <limits>

#include "../network/plan_runs.h"
#include "../network/temporary_folder.h"
#include "small_training.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// Whose training depends on the samples of a step alone, not on how they stand in batches.
Graph plain_graph() {
  return small_graph().with_layer("dropout", layers::Dropout{.probability = 0});
}

TrainerOptions batches_of(std::int64_t batch, std::int64_t accumulate) {
  TrainerOptions o = options(2);
  o.optimiser = {.kind = OptimiserKind::sgd, .clip_norm = 0.5};
  o.loader.batch = batch;
  o.accumulate = accumulate;
  return o;
}

TrainingResult train_plain(const TrainerOptions& o, const TrainingCallback& callback = {}) {
  TensorDataset dataset = spots();
  return train_classifier(plain_graph(), dataset, kSamples.train, kSamples.validation, o, callback);
}

double difference(const TrainingResult& a, const TrainingResult& b) {
  double worst = 0;
  for (const auto& entry : a.weights.entries()) {
    const Doubles x = read(entry.value), y = read(b.weights.find(entry.name).value);
    for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, std::abs(x[i] - y[i]));
  }
  return worst;
}

}  // namespace

TEST_CASE("batches whose gradients are accumulated make the step of one large batch", "[device]") {
  // 150 samples: 38 batches of 4, the last of 2, make 7 steps of 5 batches and one of 3; as one
  // batch each, 7 of 20 and one of 10. Class weights give every batch another weight.
  const TrainingResult one = train_plain(batches_of(20, 1)), five = train_plain(batches_of(4, 5));
  CHECK(one.steps == 16);
  CHECK(five.steps == 16);
  CHECK(difference(one, five) < 1e-5);
  CHECK(five.history[1].validation_loss == Approx(one.history[1].validation_loss).epsilon(1e-4));
  CHECK(difference(one, train_plain(batches_of(4, 1))) > 1e-3);

  // More than an epoch has: one step of all its samples, whatever the size of its batches.
  constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
  const TrainingResult whole = train_plain(batches_of(64, kAll));
  CHECK(whole.steps == 2);
  CHECK(difference(train_plain(batches_of(7, kAll)), whole) < 1e-5);
}

TEST_CASE("weights of pixels that no loss reads make no batch count more", "[device]") {
  // Of the first pixel's brightness: another area in every sample.
  const SampleChange change{.name = "area",
                            .apply =
                                [](const Sample& sample, Random&) {
                                  for (std::int64_t p = 0; p < sample.weight.count(); ++p)
                                    sample.weight.as<float>()[p] = sample.image.as<float>()[0];
                                },
                            .makes_targets = true};
  const auto with = [&](std::int64_t batch, std::int64_t accumulate) {
    TrainerOptions o = batches_of(batch, accumulate);
    o.loader.change = change;
    return train_plain(o);
  };
  CHECK(difference(with(20, 1), with(4, 5)) < 1e-5);
}

TEST_CASE("the loss is the mean over batches, however many make a step", "[device]") {
  TrainerOptions every = batches_of(16, 1), three = batches_of(16, 3);
  for (TrainerOptions* o : {&every, &three})
    o->schedule = {.kind = ScheduleKind::constant, .rate = 1e-9};
  std::vector<double> losses;
  const TrainingResult result = train_plain(three, [&](const TrainingProgress& progress) {
    CHECK(progress.steps == 8);  // of 3, 3, 3 and 1 batches
    losses.push_back(progress.loss);
    return true;
  });
  const TrainingResult expected = train_plain(every);
  REQUIRE(losses.size() == 8);
  for (std::size_t epoch = 0; epoch < 2; ++epoch) {
    CHECK(result.history[epoch].training_loss ==
          Approx(expected.history[epoch].training_loss).epsilon(1e-5));
    CHECK(losses[4 * epoch + 3] == result.history[epoch].training_loss);
  }
}

TEST_CASE("groups, an average, accumulation and plateaus resume to the same bits", "[device]") {
  TrainerOptions o = options();  // 10 batches an epoch: 4 steps, the last of 1 batch
  o.optimiser = {.kind = OptimiserKind::adamw,
                 .weight_decay = 0.1,
                 .groups = {{"*/bias"}, {"logits/*", 0.01, 0.5}}};
  o.accumulate = 3;
  o.averaging = {.decay = 0.9, .warm_up = true};
  // Nothing improves that much: from the second epoch on the rate is halved after each.
  o.schedule = {.kind = ScheduleKind::plateau,
                .rate = 0.01,
                .plateau = {.factor = 0.5, .patience = 0, .threshold = 0.99}};
  o.patience = 3;  // the best epoch's weights are kept too
  std::vector<double> rates;
  const TrainingResult whole = train(o, [&](const TrainingProgress& progress) {
    rates.push_back(progress.rate);
    return true;
  });
  REQUIRE(rates.size() == 12);
  CHECK(rates[0] == 0.01);
  CHECK(rates[7] == 0.01);
  CHECK(rates[8] == 0.005);
  for (const std::int64_t step : {3, 4, 9}) {
    INFO("interrupted after step " << step);
    const TemporaryFolder folder;
    TrainerOptions again = o;
    again.checkpoint_path = folder / "checkpoint";
    again.resume = true;
    const TrainingResult first = train(again, until(step));
    CHECK(first.interrupted);
    CHECK(first.steps == step);
    const Checkpoint kept = load_checkpoint(again.checkpoint_path);
    CHECK(kept.position.batch == std::min<std::int64_t>(step % 4 * 3, 10));
    check_same(train(again), whole);
  }
}
