#include "../../apps/anomaly/pixel_ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "../../core/error.h"
#include "../../core/random.h"
#include "../catch.h"

using namespace ratnet;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Counts = std::vector<std::uint32_t>;

struct Pixel {
  float score;
  std::int64_t patient;
  bool lesion;
};

std::vector<Pixel> some_pixels(std::uint64_t seed, int n, int patients, double steps,
                               double lesions = 0.2) {
  Random random(seed);
  std::vector<Pixel> pixels;
  for (int i = 0; i < n; ++i) {
    const bool lesion = random.chance(lesions);
    const std::int64_t patient = random.integer(patients);
    const double score =
        random.normal() + (lesion ? 1.5 : 0.0) + 0.1 * static_cast<double>(patient);
    pixels.push_back({static_cast<float>(std::floor(steps * score) / steps), patient, lesion});
  }
  return pixels;
}

PixelRanking ranked(const std::vector<Pixel>& pixels, std::int64_t patients) {
  std::vector<std::uint64_t> packed;
  for (const Pixel& pixel : pixels)
    packed.push_back(packed_pixel(pixel.score, pixel.patient, pixel.lesion));
  return PixelRanking(packed, patients);
}

// Every threshold anew, each pixel counts[patient] times.
PixelFigures by_force(const std::vector<Pixel>& pixels, const Counts& counts, double threshold) {
  std::set<float> scores;
  for (const Pixel& pixel : pixels) scores.insert(pixel.score);
  double truth = 0;
  for (const Pixel& pixel : pixels) truth += pixel.lesion ? counts[size_t(pixel.patient)] : 0;
  const auto at = [&](double least) {
    double lesion = 0, called = 0;
    for (const Pixel& pixel : pixels)
      if (pixel.score >= least) {
        called += counts[size_t(pixel.patient)];
        lesion += pixel.lesion ? counts[size_t(pixel.patient)] : 0;
      }
    return std::pair(lesion, called);
  };
  PixelFigures figures{.auprc = 0, .dice_best = -1};
  double recall = 0;
  for (auto score = scores.rbegin(); score != scores.rend(); ++score) {
    const auto [lesion, called] = at(*score);
    if (called == 0) continue;
    figures.auprc += (lesion / truth - recall) * lesion / called;
    recall = lesion / truth;
    if (const double dice = 2 * lesion / (truth + called); dice > figures.dice_best) {
      figures.dice_best = dice;
      figures.dice_best_threshold = *score;
    }
  }
  const auto [lesion, called] = at(threshold);
  figures.dice_threshold = 2 * lesion / (truth + called);
  return figures;
}

}  // namespace

TEST_CASE("pixel figures are those of every threshold tried") {
  for (const double steps : {2.0, 1000.0}) {
    const std::vector<Pixel> pixels = some_pixels(1, 700, 3, steps);
    const PixelRanking ranking = ranked(pixels, 3);
    const PixelFigures oracle = by_force(pixels, {1, 1, 1}, 1.5), got = ranking.figures(1.5);
    CHECK(got.auprc == Approx(oracle.auprc).epsilon(1e-12));
    CHECK(got.dice_best == Approx(oracle.dice_best).epsilon(1e-12));
    CHECK(got.dice_best_threshold == oracle.dice_best_threshold);
    CHECK(got.dice_threshold == Approx(oracle.dice_threshold).epsilon(1e-12));

    const BinnedPixels bins(ranking, 1.5);
    for (const Counts& counts : {Counts{1, 1, 1}, Counts{0, 2, 1}, Counts{0, 0, 3}}) {
      const PixelFigures resampled = bins.figures(counts);
      const PixelFigures expected = by_force(pixels, counts, 1.5);
      CHECK(resampled.auprc == Approx(expected.auprc).epsilon(1e-12));
      CHECK(resampled.dice_best == Approx(expected.dice_best).epsilon(1e-12));
      CHECK(resampled.dice_threshold == Approx(expected.dice_threshold).epsilon(1e-12));
    }
  }
}

TEST_CASE("bins of many lesion pixels lose less than a thousandth") {
  // 60,000 lesion pixels in 4096 bins, against the exact figures of the pixels repeated.
  const std::vector<Pixel> pixels = some_pixels(2, 400000, 4, 1e6, 0.15);
  const BinnedPixels bins(ranked(pixels, 4), 1.0);
  double worst = 0;
  for (const Counts& counts : {Counts{1, 1, 1, 1}, Counts{3, 0, 1, 0}, Counts{0, 0, 0, 4}}) {
    std::vector<Pixel> repeated;
    for (const Pixel& pixel : pixels)
      repeated.insert(repeated.end(), counts[size_t(pixel.patient)], pixel);
    const PixelFigures exact = ranked(repeated, 4).figures(1.0), got = bins.figures(counts);
    worst = std::max(
        {worst, std::abs(got.auprc - exact.auprc), std::abs(got.dice_best - exact.dice_best)});
    CHECK(got.dice_threshold == exact.dice_threshold);
  }
  INFO("worst error " << worst);
  CHECK(worst < 1e-3);
  CHECK(worst > 0);
}

TEST_CASE("pixels sort by score whatever its sign") {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> falling{infinity, 3e38f, 1, 1e-40f, 0, -1e-40f, -1, -3e38f, -infinity};
  for (std::size_t i = 0; i + 1 < falling.size(); ++i)
    CHECK(packed_pixel(falling[i], 9, true) < packed_pixel(falling[i + 1], 0, false));
  CHECK(packed_pixel(-0.0f, 5, true) == packed_pixel(0.0f, 5, true));
  // The threshold found is a score as it was given.
  for (const float score : {-2.5f, 0.0f, 0.7f})
    CHECK(PixelRanking({packed_pixel(score, 0, true)}, 1).figures(0).dice_best_threshold == score);
}

TEST_CASE("pixel figures without lesions or pixels are not defined") {
  const PixelRanking none({}, 2), healthy({packed_pixel(1, 1, false)}, 2);
  for (const PixelRanking* ranking : {&none, &healthy}) {
    CHECK(std::isnan(ranking->figures(0.5).auprc));
    CHECK(std::isnan(ranking->figures(0.5).dice_best));
    CHECK(std::isnan(BinnedPixels(*ranking, 0.5).figures(Counts{1, 1}).auprc));
  }
  CHECK(std::isnan(none.figures(0.5).dice_threshold));
  CHECK(healthy.figures(0.5).dice_threshold == 0);
  CHECK(std::isnan(healthy.figures(kNaN).dice_threshold));
  CHECK_THROWS_AS(PixelRanking({packed_pixel(1, 2, false)}, 2), Error);
  CHECK_THROWS_AS(BinnedPixels(none, 0).figures(Counts{1}), Error);
}
