// What the shipped model must be able to do, on simulated animals that it never saw.
#include <algorithm>
#include <cmath>
#include <functional>

#include "../../apps/dark_slices/cohort.h"
#include "../../apps/dark_slices/evaluation.h"
#include "../../network/model.h"
#include "../catch.h"
#include "../sanitizer.h"

using namespace ratnet;

namespace {

using Image = std::span<const std::uint8_t>;
using Change = std::function<std::vector<std::uint8_t>(Image)>;

// 30 animals of 60 slices each, of another seed than the model's training.
const Cohort& cohort() {
  static const Cohort all = [] {
    ThreadPool pool(0);
    return simulate_cohort({.animals = 30, .seed = 2}, pool);
  }();
  return all;
}

// The shipped model's figures on that cohort, each image changed first.
DarkSlicesEvaluation evaluate(const Change& change = {}) {
  const Cohort& all = cohort();
  const auto pixels = static_cast<std::size_t>(all.size * all.size);
  Tensor images({all.count(), all.size, all.size}, DType::u8);
  for (std::size_t first = 0; first < all.images.size(); first += pixels) {
    const Image image = Image(all.images).subspan(first, pixels);
    const auto to = images.values<std::uint8_t>().begin() + static_cast<std::ptrdiff_t>(first);
    if (!change) {
      std::copy(image.begin(), image.end(), to);
    } else {
      const std::vector<std::uint8_t> changed = change(image);
      std::copy(changed.begin(), changed.end(), to);
    }
  }
  SampleTable table = all.table;
  table.columns["clear"] = all.clear;
  table.columns["ambiguous"] = all.ambiguous;
  TensorDataset dataset(std::move(images), table, {.scale = all.brain_level});
  const Model model = load_model(RATNET_SOURCE_DIR "/models/ratnet.safetensors");
  Predictor predictor(model, {.batch = 256});
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < all.count(); ++i) indices.push_back(i);
  const SliceScores scores =
      score_dataset(predictor, model, dataset, scale_of(dataset, {}), indices);
  return evaluate_dark_slices(scores, table, "simulated animals", logistic_of(model), {},
                              {.resamples = 200});
}

const BinaryMetrics& rule(const DarkSlicesEvaluation& e, const std::string& name) {
  const auto found = std::find_if(e.baselines.begin(), e.baselines.end(),
                                  [&](const auto& baseline) { return baseline.name == name; });
  REQUIRE(found != e.baselines.end());
  return found->metrics;
}

// The head moved by whole pixels and enlarged about the middle, by linear interpolation; what comes
// from outside is 0.
Change moved(int down, int right, double enlarged = 1) {
  return [=](Image image) {
    const int size = cohort().size;
    const auto pixel = [&](int row, int column) {
      const bool inside = row >= 0 && row < size && column >= 0 && column < size;
      return inside ? static_cast<double>(image[static_cast<std::size_t>(row * size + column)]) : 0;
    };
    std::vector<std::uint8_t> result;
    const double middle = (size - 1) / 2.0;
    for (int row = 0; row < size; ++row)
      for (int column = 0; column < size; ++column) {
        const double y = middle + (row - down - middle) / enlarged;
        const double x = middle + (column - right - middle) / enlarged;
        const int top = static_cast<int>(std::floor(y)), left = static_cast<int>(std::floor(x));
        const double v = y - top, u = x - left;
        const double value = (1 - v) * ((1 - u) * pixel(top, left) + u * pixel(top, left + 1)) +
                             v * ((1 - u) * pixel(top + 1, left) + u * pixel(top + 1, left + 1));
        result.push_back(static_cast<std::uint8_t>(std::lround(value)));
      }
    return result;
  };
}

// Each slice to the full range by itself, as careless exports do.
std::vector<std::uint8_t> stretched(Image image) {
  const int most = std::max<int>(*std::max_element(image.begin(), image.end()), 1);
  std::vector<std::uint8_t> result;
  for (const std::uint8_t x : image)
    result.push_back(static_cast<std::uint8_t>((255 * x + most / 2) / most));
  return result;
}

bool too_slow_here() {
  if (has_sanitizer_memory()) WARN("skipped: takes minutes under a sanitizer");
  return has_sanitizer_memory();
}

}  // namespace

TEST_CASE("the shipped model passes its gates on animals it never saw") {
  if (too_slow_here()) return;
  const DarkSlicesEvaluation e = evaluate();
  CHECK(e.network.auroc >= 0.99);
  CHECK(e.network.at_1pct_fpr.recall >= 0.90);
  CHECK(e.recall_clear >= 0.97);
  CHECK(e.network.calibration_error <= 0.025);
  CHECK(e.network.auroc >= rule(e, "logistic").auroc + 0.005);
  CHECK(e.network.at_1pct_fpr.recall >= rule(e, "logistic").at_1pct_fpr.recall + 0.05);
  // Simple rules must not do: the simulator would be too easy.
  CHECK(rule(e, "ghost ratio").at_1pct_fpr.recall < 0.80);
  CHECK(rule(e, "brain mean").auroc < 0.95);
  CHECK(rule(e, "whole-image mean").auroc < 0.85);
}

TEST_CASE("heads that are moved or of another size are judged as well") {
  if (too_slow_here()) return;
  double least = 1, most = 0;
  const auto check = [&](const Change& change) {
    const double auroc = evaluate(change).network.auroc;
    CHECK(auroc >= 0.985);
    least = std::min(least, auroc);
    most = std::max(most, auroc);
  };
  check(moved(4, 0));
  check(moved(-4, 0));
  check(moved(0, 4));
  check(moved(0, -4));
  check(moved(0, 0, 0.9));
  check(moved(0, 0, 1.1));
  WARN("moved by 4 pixels, 10% smaller and larger: AUROC " << least << " to " << most);
}

TEST_CASE("slices that were each stretched to their own maximum are ranked by their ghosts") {
  if (too_slow_here()) return;
  const DarkSlicesEvaluation e = evaluate(stretched);
  CHECK(e.stretched);
  WARN("recall " << e.network.at_1pct_fpr.recall << ", of the ghost ratio "
                 << rule(e, "ghost ratio").at_1pct_fpr.recall);
  CHECK(e.network.auroc > rule(e, "ghost ratio").auroc);
  CHECK(e.network.at_1pct_fpr.recall > rule(e, "ghost ratio").at_1pct_fpr.recall);
}
