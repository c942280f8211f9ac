// Losses of images within the dataset's masks, against sums by hand.
#include "../../train/judge.h"
#include "../../train/training_step.h"
#include "../network/plan_runs.h"
#include "small_training.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

constexpr std::int64_t kN = 23, kSide = 6, kChannels = 2;
constexpr std::int64_t kPixels = kSide * kSide;

// Noise, with masks of 0, 1, 2 and 255: of every third image all 255, of the first batch too.
struct Masked {
  TensorDataset images, masks;
  Doubles x;       // [N, pixels, channels]
  Doubles counts;  // [N, pixels]: 1 or 0

  Masked() : images(noise(), {}), masks(labels(), {}) {
    Tensor all({kN, kSide, kSide, kChannels}, DType::f32), mask({kN, kSide, kSide, 1}, DType::u8);
    images.read(0, all.view());
    masks.read(0, mask.view());
    x = doubles(all);
    for (const std::uint8_t value : mask.values<std::uint8_t>())
      counts.push_back(value == 1 || value == 2);
  }

  static Tensor noise() {
    Random random(31);
    return random_tensor({kN, kSide, kSide, kChannels}, DType::f32, random);
  }
  static Tensor labels() {
    Random random(32);
    Tensor masks({kN, kSide, kSide}, DType::u8);
    auto values = masks.values<std::uint8_t>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      constexpr std::uint8_t kinds[] = {0, 1, 2, 255};
      const bool none = static_cast<std::int64_t>(i) / kPixels % 3 == 2;
      values[i] = none ? kUnlabelled : kinds[random.integer(4)];
    }
    return masks;
  }
};

// y = weight x + bias, of each channel.
Graph line() {
  GraphBuilder b;
  const int x = b.input("image", {kSide, kSide, kChannels});
  return b.build(
      {b.add("y", layers::Conv{.out = kChannels, .kernel = {1, 1}, .groups = kChannels}, {x})});
}
Weights line_weights(double weight, double bias) {
  Weights weights = Weights::initialised(line(), 1);
  for (auto& entry : weights.entries())
    for (float& value : entry.value.values<float>())
      value = static_cast<float>(entry.name == "y/bias" ? bias : weight);
  return weights;
}

Objective within(const char* kind) {
  return objective_from_json(text(R"([{"kind": ")", kind, R"(", "mask": true}])"));
}

// Of images first .. last - 1: the loss and its slopes in weight and bias, which all channels have
// in common here, and how many pixels it is of.
struct ByHand {
  double loss = 0, weight = 0, bias = 0, pixels = 0;
};
ByHand by_hand(const Masked& data, bool squared, std::int64_t first, std::int64_t last,
               double weight, double bias) {
  ByHand sums;
  for (std::int64_t p = first * kPixels; p < last * kPixels; ++p)
    for (std::int64_t c = 0; c < kChannels; ++c) {
      if (data.counts[static_cast<std::size_t>(p)] == 0) continue;
      const double x = data.x[static_cast<std::size_t>(p * kChannels + c)];
      const double off = weight * x + bias - x;
      const double slope = squared ? 2 * off : off > 0 ? 1 : -1;
      sums.loss += squared ? off * off : std::abs(off);
      sums.weight += slope * x;
      sums.bias += slope;
      sums.pixels += 1.0 / kChannels;
    }
  for (double* sum : {&sums.loss, &sums.weight, &sums.bias})
    *sum /= std::max(1.0, sums.pixels * kChannels);
  return sums;
}

std::vector<std::int64_t> all_of(const Masked& data) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < data.images.size(); ++i) indices.push_back(i);
  return indices;
}

}  // namespace

TEST_CASE("a training step within masks takes the gradient of their pixels alone", "[device]") {
  Masked data;
  for (const bool squared : {true, false})
    for (const std::int64_t size : {kN, std::int64_t{4}}) {
      INFO((squared ? "mse" : "l1") << " in batches of " << size);
      const Objective objective = within(squared ? "mse" : "l1");
      const Graph graph = line();
      const auto parameters = std::make_shared<Parameters>(test_queue(), line_weights(0.7, 0.05));
      Plan plan(graph, parameters,
                {.batch = size, .mode = Mode::train, .watch = watch_for(graph, objective)});
      Optimiser optimiser(parameters, {.kind = OptimiserKind::sgd, .momentum = 0});
      TrainingStep step(plan, optimiser, objective);
      // Batches whose gradients are accumulated make the step of one, however few pixels they have.
      Loader loader(data.images, all_of(data),
                    {.batch = size, .shuffle = false, .masks = &data.masks});
      double losses = 0;
      for (std::int64_t b = 0; b < loader.batches_per_epoch(); ++b) {
        const Batch& batch = loader.next();
        step.submit(batch, {}, 0.5, b + 1 == loader.batches_per_epoch());
        step.release();
        losses += by_hand(data, squared, b * size, std::min(kN, (b + 1) * size), 0.7, 0.05).loss;
      }
      CHECK(std::abs(step.loss_sum() / losses - 1) < 1e-6);
      const ByHand expected = by_hand(data, squared, 0, kN, 0.7, 0.05);
      CHECK(expected.pixels > 0);
      CHECK(expected.pixels < kN * kPixels / 2);
      const Weights after = parameters->download();
      double weight = 0, bias = 0;  // all channels' together
      for (const float value : after.find("y/weight").value.values<float>())
        weight += (0.7 - static_cast<double>(value)) / 0.5;
      for (const float value : after.find("y/bias").value.values<float>())
        bias += (0.05 - static_cast<double>(value)) / 0.5;
      CHECK(std::abs(weight / expected.weight - 1) < 1e-5);
      CHECK(std::abs(bias / expected.bias - 1) < 1e-5);
    }
}

TEST_CASE("a judge takes the pixels of masks alone", "[device]") {
  Masked data;
  for (const bool squared : {true, false}) {
    const Graph graph = line();
    constexpr std::int64_t kBatch = 5;
    Judge judge(graph, std::make_shared<Parameters>(test_queue(), line_weights(0.7, 0.05)),
                within(squared ? "mse" : "l1"), data.images,
                {.batch = kBatch, .masks = &data.masks});
    double expected = 0;
    for (std::int64_t first = 0; first < kN; first += kBatch) {
      const std::int64_t last = std::min(kN, first + kBatch);
      expected += by_hand(data, squared, first, last, 0.7, 0.05).loss *
                  static_cast<double>(last - first) / kN;
    }
    const Judgement judged = judge.run(all_of(data));
    CHECK(std::abs(judged.loss / expected - 1) < 1e-6);
    CHECK(judged.overlap.empty());  // it compares with no mask
    CHECK(std::isnan(judged.dice));
  }
}

TEST_CASE("batches are not accumulated where only some losses are within masks", "[small]") {
  Masked data;
  const auto train = [&](const std::string& losses) {
    TrainerOptions o;
    o.epochs = 1;
    o.accumulate = 2;
    o.loader = {.batch = 2, .masks = &data.masks};
    o.device = test_device();
    train_network(line(), objective_from_json(losses), data.images, {0, 1, 2, 3}, {}, o);
  };
  CHECK_NOTHROW(train(R"([{"kind": "mse", "mask": true}, {"kind": "l1", "mask": true}])"));
  CHECK(refused(ErrorKind::usage, "cannot be accumulated where one loss takes the pixels of masks",
                [&] { train(R"([{"kind": "mse", "mask": true}, {"kind": "l1"}])"); }) == "");
}

TEST_CASE("a loss within masks needs masks, and gives no Dice to watch", "[small]") {
  Masked data;
  const auto train = [&](const Objective& objective, Dataset* masks, int patience = 0) {
    TrainerOptions o;
    o.epochs = 1;
    o.monitor = Monitor::dice;
    o.patience = patience;
    o.loader = {.batch = 8, .masks = masks};
    o.device = test_device();
    train_network(line(), objective, data.images, {0, 1, 2, 3}, {4, 5}, o);
  };
  CHECK_NOTHROW(train(within("mse"), &data.masks));
  CHECK(refused(ErrorKind::input, "has no masks, by which a loss takes its pixels",
                [&] { train(within("mse"), nullptr); }) == "");
  CHECK(refused(ErrorKind::usage, "on the Dice need a loss that reads masks",
                [&] { train(within("mse"), &data.masks, 1); }) == "");
}
