// The anomaly system's trainings against PyTorch in double precision (scripts/golden/anomaly.py).
#include "../../apps/anomaly/training.h"
#include "../../train/training_step.h"
#include "../catch.h"
#include "../network/golden.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

constexpr std::uint32_t kImage = 3000, kMask = 3100;  // streams of the first step
constexpr std::uint64_t kNoiseSeed = 11, kSampleSeed = 7;
constexpr int kSteps = 10, kAllSteps = 80;
// In single precision: of the largest number of a tensor; 1.3e-6 at most was seen on a CPU.
constexpr double kTolerance = 2e-5;

struct Case {
  const char* name;
  AnomalyMethod method;
  std::int64_t n;
  AnomalyNetworkOptions network;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const bool volumes : {false, true}) {
    const Sizes size = volumes ? Sizes{8, 16, 16} : Sizes{16, 16};
    const std::int64_t n = volumes ? 2 : 3;
    const AnomalyNetworkOptions narrow{.size = size, .widths = {4, 5, 6}, .code = 5};
    all.push_back({volumes ? "denoising_3d" : "denoising",
                   AnomalyMethod::denoising,
                   n,
                   {.size = size, .widths = {4, 6, 8}}});
    all.push_back({volumes ? "ae_3d" : "ae", AnomalyMethod::ae, n, narrow});
    all.push_back({volumes ? "vae_3d" : "vae", AnomalyMethod::vae, n, narrow});
  }
  return all;
}

Doubles kept(const Doubles& values) {
  return values.size() > 2000 ? every_seventh(values) : values;
}

// What the loader makes of the images of a step.
struct Samples {
  Tensor images, targets, weights, masks;
  Batch batch;

  Samples(const Shape& shape, bool noised, std::uint32_t step)
      : images(tensor_of(shape, DType::f32, mixed(shape.count(), kImage + step))),
        targets(shape, DType::f32),
        weights(shape, DType::f32),
        masks(shape, DType::u8) {
    const Doubles mask = mixed(shape.count(), kMask + step);
    for (std::size_t i = 0; i < mask.size(); ++i) masks.values<std::uint8_t>()[i] = mask[i] > 0.3;
    const SampleChange change = noise_change(noised ? CoarseNoise() : CoarseNoise{.deviation = 0});
    const std::int64_t n = shape[0];
    const Shape one(shape.sizes().subspan(1));
    const auto sample = [&](Tensor& all, std::int64_t i, std::size_t bytes) {
      return View(static_cast<std::byte*>(all.data()) + i * one.count() * std::int64_t(bytes),
                  all.dtype(), one);
    };
    for (std::int64_t i = 0; i < n; ++i) {
      Random random(kNoiseSeed,
                    step * static_cast<std::uint64_t>(n) + static_cast<std::uint64_t>(i));
      change.apply(
          {sample(images, i, 4), sample(masks, i, 1), sample(targets, i, 4), sample(weights, i, 4)},
          random);
    }
    batch.count = n;
    batch.images = images.view();
    batch.targets = targets.view();
    batch.target_weights = weights.view();
  }
};

}  // namespace

TEST_CASE("the rates of the anomaly system's trainings are PyTorch's") {
  const TrainerOptions defaults = anomaly_training_defaults();
  CHECK(defaults.optimiser.kind == OptimiserKind::adamw);
  CHECK(defaults.optimiser.weight_decay == 1e-5);
  Schedule schedule = defaults.schedule;
  schedule.total_steps = kAllSteps;
  Doubles rates;
  for (int step = 0; step < kAllSteps; ++step) rates.push_back(rate_at(schedule, step));
  CHECK(relative(rates, read(golden_file("anomaly").find("rates"))) < 1e-12);
  CHECK(rates[0] == Approx(1e-3 / 25));
}

TEST_CASE("ten training steps of every anomaly method end at PyTorch's weights", "[device]") {
  const SafetensorsFile golden = golden_file("anomaly");
  for (const Case& c : cases()) {
    // Of volumes one is enough for the emulated device, which is slow.
    if (test_device().kind == DeviceKind::cuda_emulated && c.network.size.size() == 3 &&
        c.method != AnomalyMethod::vae)
      continue;
    const auto check = [&](const Doubles& got, const std::string& key, double tolerance) {
      INFO(c.name << "/" << key);
      CHECK(relative(got, read(golden.find(std::string(c.name) + "/" + key))) < tolerance);
    };
    AnomalyTrainingOptions options;
    options.method = c.method;
    options.network = c.network;
    options.trainer = anomaly_training_defaults();
    // As large as they have to be for ten steps to show them.
    options.trainer.optimiser.weight_decay = 0.05;
    options.divergence = 0.1;
    Schedule schedule = options.trainer.schedule;
    schedule.total_steps = kAllSteps;
    const Objective objective = anomaly_objective(options, kAllSteps);

    const Graph graph = anomaly_graph(c.method, c.network);
    const auto parameters =
        std::make_shared<Parameters>(test_queue(), golden_weights(graph, DType::f32));
    Plan plan(graph, parameters,
              {.batch = c.n, .mode = Mode::train, .watch = watch_for(graph, objective)});
    Optimiser optimiser(parameters, options.trainer.optimiser);
    TrainingStep training(plan, optimiser, objective, true);
    Sizes sizes = c.network.size;
    sizes.push_back(1);
    const Shape shape = Shape(sizes).batch_of(c.n);
    Doubles losses;
    double sum = 0;
    for (std::uint32_t step = 0; step < kSteps; ++step) {
      const Samples samples(shape, c.method == AnomalyMethod::denoising, step);
      if (step == 0) check(kept(read(samples.images)), "noised", 1e-6);
      training.submit(samples.batch, {kSampleSeed, step}, rate_at(schedule, step));
      losses.push_back(training.loss_sum() - sum);
      sum += losses.back();
    }
    check(losses, "losses", kTolerance);
    for (const auto& place : parameters->places())
      check(kept(read_from(plan.queue(), parameters->view(place))), "after_ten/" + place.name,
            kTolerance);
  }
}
