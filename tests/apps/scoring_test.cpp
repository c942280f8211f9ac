// The library call that `ratnet score` and embedders make.
#include "../../apps/anomaly/scoring.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include "../../apps/anomaly/training.h"
#include "../../core/error.h"
#include "../catch.h"
#include "../network/refused.h"
#include "../network/temporary_folder.h"
#include "head_stack.h"
#include "subject_maker.h"

using namespace ratnet;
using ratnet::testing::refused;

namespace {

constexpr std::int64_t kSlices = 20;

// A model that has hardly learnt anything, calibrated on two, in a file.
struct Trained {
  ratnet::testing::TemporaryFolder folder;
  std::string path = folder / "model.safetensors";

  Trained() {
    AnomalyTrainingOptions options;
    options.trainer = anomaly_training_defaults();
    options.trainer.epochs = 1;
    options.trainer.device = {DeviceKind::cpu, 0};
    save_model(train_anomaly(healthy_cohort(4, 6),
                             {Split::train, Split::train, Split::validation, Split::validation},
                             "hash", options)
                   .model.model,
               path);
  }
};
const Trained& trained() {
  static const Trained made;
  return made;
}

// A head of 20 axial slices of 128 x 128, bottom to top, anterior in row 0.
const Tensor& head() {
  static const Tensor images = head_stack(kSlices, 8, 1).images.clone();
  return images;
}

// The same as a volume that runs to the left, to anterior and down.
Volume head_volume() {
  Volume volume;
  volume.data = Tensor({1, kSlices, 128, 128}, DType::f32);
  for (std::int64_t s = 0; s < kSlices; ++s)
    for (std::int64_t y = 0; y < 128; ++y)
      for (std::int64_t x = 0; x < 128; ++x)
        volume.data.values<float>()[voxel(kSlices - 1 - s, 127 - y, 127 - x)] =
            head().values<float>()[voxel(s, y, x)];
  ScanGeometry& geometry = volume.geometry;
  geometry.sizes = {128, 128, kSlices};
  geometry.affine = {{{-1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, -6, 0}, {0, 0, 0, 1}}};
  geometry.spacing = {1, 1, 6};
  geometry.orientation = "LAI";
  geometry.orientation_known = true;
  return volume;
}

// NaN is like NaN.
bool alike(const std::vector<double>& a, const std::vector<double>& b) {
  return std::ranges::equal(
      a, b, [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

}  // namespace

TEST_CASE("slices of a subject are scored by a library call") {
  AnomalyScorer scorer(trained().path, {.threads = 1});
  const AnomalyPromise promise = scorer.promise();
  CHECK(promise.threshold > 0);
  CHECK(promise.healthy_subjects == 2);
  CHECK(promise.rate == Approx(1.0 / 3));

  const AnomalyScores scores = scorer.score({.images = head()});
  REQUIRE(scores.slices() == kSlices);
  CHECK(scores.maps.shape() == head().shape());
  CHECK(scores.axis == 0);
  CHECK(scores.places[7] == 7);
  CHECK(scores.judged > 5);
  std::int64_t judged = 0;
  double worst = 0;
  for (std::int64_t s = 0; s < kSlices; ++s) {
    const auto i = static_cast<std::size_t>(s);
    const auto map = scores.maps.values<float>().subspan(i * 128 * 128, 128 * 128);
    if (std::isnan(scores.slice_scores[i])) {
      CHECK_FALSE(scores.is_judged(s));
      CHECK(*std::ranges::max_element(map) == 0);
    }
    if (!scores.is_judged(s)) continue;
    ++judged;
    worst = std::max(worst, scores.slice_scores[i]);
    CHECK(scores.slice_p_values[i] >= 1.0 / 3);
  }
  CHECK(judged == scores.judged);
  CHECK(worst == scores.score);
  CHECK(scores.slice_scores[static_cast<std::size_t>(scores.worst_slice)] == worst);
  CHECK(scores.p_value >= 1.0 / 3);
  CHECK(scores.unusual == (scores.p_value <= promise.rate));
  CHECK((scores.above >= 0 && scores.above <= 1));

  // The same bits again, after other slices, by other threads and by an executor of one's own.
  const Tensor blank({3, 128, 128}, DType::f32);
  CHECK(scorer.score({.images = blank}).judged == 0);
  struct Backwards final : Executor {
    int workers() const override { return 1; }
    void run(std::int64_t n, Task task, void* context) override {
      for (std::int64_t i = n - 1; i >= 0; --i) task(context, i, 0);
    }
  };
  AnomalyScorer moved = std::move(scorer);
  AnomalyScorer two(trained().path, {.threads = 2});
  AnomalyScorer own(trained().path, {.executor = std::make_shared<Backwards>()});
  for (AnomalyScorer* other : {&moved, &two, &own}) {
    const AnomalyScores again = other->score({.images = head()});
    CHECK(std::ranges::equal(again.maps.values<float>(), scores.maps.values<float>()));
    CHECK(alike(again.slice_scores, scores.slice_scores));
  }
}

TEST_CASE("a volume is scored as its axial slices are, whatever way it lies") {
  AnomalyScorer scorer(trained().path, {.threads = 1});
  const AnomalyScores slices = scorer.score({.images = head()});
  const AnomalyScores volume = scorer.score(head_volume());
  CHECK(alike(volume.slice_scores, slices.slice_scores));
  CHECK(alike(volume.slice_p_values, slices.slice_p_values));
  CHECK(volume.p_value == slices.p_value);
  REQUIRE(volume.maps.shape() == Shape{kSlices, 128, 128});
  CHECK(volume.axis == 0);
  std::size_t unlike = 0, above = 0;
  for (std::int64_t s = 0; s < kSlices; ++s) {
    REQUIRE(volume.places[static_cast<std::size_t>(s)] == kSlices - 1 - s);
    for (std::int64_t y = 0; y < 128; ++y)
      for (std::int64_t x = 0; x < 128; ++x) {
        const float map = volume.maps.values<float>()[voxel(kSlices - 1 - s, 127 - y, 127 - x)];
        unlike += map != slices.maps.values<float>()[voxel(s, y, x)];
        above += map > 0;
      }
  }
  CHECK(unlike == 0);
  CHECK(above > 1000);
}

TEST_CASE("what cannot be scored is an error, and what shows no brain is none") {
  AnomalyScorer scorer(trained().path, {.threads = 1});
  const AnomalyScores blank = scorer.score({.images = Tensor({4, 32, 32}, DType::f32)});
  CHECK(blank.judged == 0);
  CHECK(blank.worst_slice == -1);
  CHECK(std::isnan(blank.p_value));
  CHECK_FALSE(blank.unusual);

  const Tensor tall({2049, 2, 2}, DType::f32), stored({4, 32, 32}, DType::u8);
  CHECK(refused(ErrorKind::input, "'mine': has 2049 slices",
                [&] { scorer.score({.name = "mine", .images = tall}); }) == "");
  CHECK(refused(ErrorKind::usage, "u8", [&] { scorer.score({.images = stored}); }) == "");
  CHECK(refused(ErrorKind::usage, "expected f32", [&] { scorer.score(AxialSlices{}); }) == "");
  Tensor odd = head().clone();
  odd.values<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK(refused(ErrorKind::input, "the slices", [&] { scorer.score({.images = odd}); }) == "");
  for (const double spacing : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")})
    CHECK(refused(ErrorKind::input, "the slices",
                  [&] { scorer.score({.images = head(), .row_spacing = spacing}); }) == "");
  Volume run = head_volume();
  run.data = Tensor({2, kSlices, 128, 128}, DType::f32);
  run.geometry.times = 2;
  CHECK(refused(ErrorKind::input, "'func': has 2 volumes", [&] { scorer.score(run, "func"); }) ==
        "");
  Volume torn = head_volume();
  torn.geometry.sizes[0] = 64;
  CHECK(refused(ErrorKind::usage, "", [&] { scorer.score(torn); }) == "");

  CHECK(refused(ErrorKind::file_system, "nowhere", [] { AnomalyScorer("nowhere"); }) == "");
  const std::string text = trained().folder / "text.safetensors";
  std::ofstream(text) << "no model";
  CHECK(refused(ErrorKind::input, "text.safetensors", [&] { AnomalyScorer{text}; }) == "");
}
