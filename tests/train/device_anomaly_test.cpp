// The anomaly system's methods trained on the device of these tests and on the CPU.
#include "../../apps/anomaly/training.h"
#include "../apps/subject_maker.h"
#include "../catch.h"
#include "../kernels/test_device.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// AdamW's first steps are little but the gradients' signs, which rounding decides where a gradient
// is next to 0, and the rate is 4e-5 then. On the emulated device 6e-7 was seen.
constexpr double kTolerance = 1e-4;

struct Trained {
  std::vector<double> losses;  // mean of the epoch so far, after every step
  double threshold = 0;
  Tensor reconstruction;
  std::vector<double> scores;
};

Trained train(const Device& device, AnomalyMethod method, const Sizes& size) {
  const std::vector<PreparedSubject> subjects = healthy_cohort(3, 2);
  AnomalyTrainingOptions options;
  options.method = method;
  options.network = {.size = size, .widths = {3, 4}, .code = 3};
  options.divergence = 0.1;
  options.trainer = anomaly_training_defaults();
  options.trainer.epochs = 1;
  options.trainer.loader.batch = 2;
  options.trainer.threads = 1;
  options.trainer.device = device;
  options.trainer.read_loss_every = 1;
  Trained result;
  const AnomalyTrainingResult trained =
      train_anomaly(subjects, {Split::train, Split::train, Split::validation}, "hash", options,
                    [&](const TrainingProgress& progress) {
                      result.losses.push_back(progress.loss);
                      return true;
                    });
  result.threshold = trained.model.model.threshold;
  const QueueHandle queue = open_queue({.device = device, .threads = 1, .executor = {}});
  Plan plan(trained.model.model.graph,
            std::make_shared<Parameters>(queue, trained.model.model.weights), {.batch = 2});
  PreparedSubject ill = healthy_subject(2, 9);
  plant(ill, 1, 60, 70, 6, 0.6f);
  SubjectAnomalies found = find_anomalies(plan, trained.model, ill);
  result.reconstruction = std::move(found.reconstruction.images);
  result.scores = std::move(found.scores.slice_scores);
  return result;
}

}  // namespace

TEST_CASE("every anomaly method trains and scores on every device as on the CPU", "[device]") {
  for (const AnomalyMethod method :
       {AnomalyMethod::denoising, AnomalyMethod::ae, AnomalyMethod::vae}) {
    INFO(std::string(name_of(method)));
    const Trained expected = train({DeviceKind::cpu, 0}, method, {16, 16}),
                  got = train(test_device(), method, {16, 16});
    REQUIRE(expected.losses.size() == 2);
    REQUIRE(got.losses.size() == 2);
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(std::abs(got.losses[i] / expected.losses[i] - 1) < kTolerance);
    CHECK(std::abs(got.threshold / expected.threshold - 1) < kTolerance);
    const std::span<const float> a = std::as_const(expected.reconstruction).values<float>(),
                                 b = std::as_const(got.reconstruction).values<float>();
    REQUIRE(a.size() == b.size());
    double worst = 0, most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      worst = std::max(worst, static_cast<double>(std::abs(a[i] - b[i])));
      most = std::max(most, static_cast<double>(std::abs(a[i])));
    }
    CHECK(most > 0.01);
    CHECK(worst < kTolerance * most);
    REQUIRE(got.scores.size() == 2);
    for (std::size_t s = 0; s < 2; ++s)
      CHECK(std::abs(got.scores[s] / expected.scores[s] - 1) < kTolerance);
  }
}
