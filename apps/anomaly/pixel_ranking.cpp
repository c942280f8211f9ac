#include "pixel_ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../../core/error.h"
#include "../../core/float_order.h"
#include "../../train/segmentation.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kPatients = std::int64_t{1} << 31;

bool lesion_of(std::uint64_t pixel) { return (pixel & 1) != 0; }
std::size_t patient_of(std::uint64_t pixel) { return (pixel & 0xFFFFFFFFu) >> 1; }
float score_of(std::uint64_t pixel) {
  return float_of_rank(~static_cast<std::uint32_t>(pixel >> 32));
}
bool same_score(std::uint64_t a, std::uint64_t b) { return a >> 32 == b >> 32; }

// Average precision and the best Dice, fed with groups of equal score, highest first.
struct Curve {
  double truth = 0;  // all lesion pixels
  double lesion = 0, called = 0;
  double precision_sum = 0;
  double dice_best = 0;

  // True where the Dice is the best so far.
  bool add(double more_lesion, double more_healthy) {
    lesion += more_lesion;
    called += more_lesion + more_healthy;
    if (more_lesion == 0) return false;
    precision_sum += more_lesion * lesion / called;
    const double dice = 2 * lesion / (truth + called);
    const bool best = dice > dice_best;
    if (best) dice_best = dice;
    return best;
  }
  PixelFigures figures() const {
    if (truth == 0) return {kNaN, kNaN, kNaN, kNaN};
    return {precision_sum / truth, dice_best, kNaN, kNaN};
  }
};

}  // namespace

std::uint64_t packed_pixel(float score, std::int64_t patient, bool lesion) {
  const std::uint32_t key = float_rank(score + 0.0f);  // adding 0 makes -0 equal to 0
  return std::uint64_t{~key} << 32 | static_cast<std::uint64_t>(patient) << 1 | (lesion ? 1u : 0u);
}

PixelRanking::PixelRanking(std::vector<std::uint64_t> pixels, std::int64_t patients)
    : pixels_(std::move(pixels)), patients_(patients) {
  require(patients >= 0 && patients <= kPatients, "a ranking of ", patients, " patients");
  for (const std::uint64_t pixel : pixels_) {
    require(static_cast<std::int64_t>(patient_of(pixel)) < patients, "a pixel of patient ",
            patient_of(pixel), " among ", patients, " patients");
    lesion_pixels_ += lesion_of(pixel);
  }
  std::sort(pixels_.begin(), pixels_.end());
}

PixelFigures PixelRanking::figures(double threshold) const {
  Curve curve{.truth = static_cast<double>(lesion_pixels_)};
  Overlap overlap{.truth = lesion_pixels_};
  double best_threshold = kNaN;
  for (std::size_t i = 0; i < pixels_.size();) {
    const std::uint64_t first = pixels_[i];
    std::int64_t lesion = 0, all = 0;
    for (; i < pixels_.size() && same_score(pixels_[i], first); ++i, ++all)
      lesion += lesion_of(pixels_[i]);
    const double score = score_of(first);
    if (curve.add(static_cast<double>(lesion), static_cast<double>(all - lesion)))
      best_threshold = score;
    if (score < threshold) continue;
    overlap.predicted += all;
    overlap.both += lesion;
  }
  PixelFigures figures = curve.figures();
  figures.dice_best_threshold = best_threshold;
  figures.dice_threshold = std::isnan(threshold) ? kNaN : overlap.dice();
  return figures;
}

BinnedPixels::BinnedPixels(const PixelRanking& ranking, double threshold)
    : threshold_(threshold), at_threshold_(static_cast<std::size_t>(ranking.patients())) {
  const std::vector<std::uint64_t>& pixels = ranking.pixels_;
  const std::int64_t full = std::max<std::int64_t>(1, ranking.lesion_pixels() / kPixelBins);

  // Where bins end. Healthy pixels below the lowest lesion pixel change no figure: they get none.
  std::vector<std::size_t> ends;
  std::int64_t held = 0, seen = 0;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    held += lesion_of(pixels[i]);
    if (i + 1 < pixels.size() && same_score(pixels[i], pixels[i + 1])) continue;
    if (held == 0 || (held < full && seen + held < ranking.lesion_pixels())) continue;
    ends.push_back(i + 1);
    seen += held;
    held = 0;
  }
  bins_ = ends.size();
  lesion_.resize(at_threshold_.size() * bins_);
  healthy_.resize(at_threshold_.size() * bins_);
  std::size_t begin = 0;
  for (std::size_t bin = 0; bin < bins_; begin = ends[bin++])
    for (std::size_t i = begin; i < ends[bin]; ++i)
      ++(lesion_of(pixels[i]) ? lesion_ : healthy_)[patient_of(pixels[i]) * bins_ + bin];

  for (const std::uint64_t pixel : pixels) {
    AtThreshold& tally = at_threshold_[patient_of(pixel)];
    const bool called = static_cast<double>(score_of(pixel)) >= threshold;
    tally.truth += lesion_of(pixel);
    tally.predicted += called;
    tally.both += called && lesion_of(pixel);
  }
}

PixelFigures BinnedPixels::figures(std::span<const std::uint32_t> counts) const {
  require(counts.size() == at_threshold_.size(), counts.size(), " counts for ",
          at_threshold_.size(), " patients");
  std::vector<std::uint64_t> lesion(bins_), healthy(bins_);
  Overlap overlap;
  for (std::size_t patient = 0; patient < counts.size(); ++patient) {
    const std::uint64_t count = counts[patient];
    if (count == 0) continue;
    const std::uint32_t* lesion_of_patient = lesion_.data() + patient * bins_;
    const std::uint32_t* healthy_of_patient = healthy_.data() + patient * bins_;
    for (std::size_t bin = 0; bin < bins_; ++bin) {
      lesion[bin] += count * lesion_of_patient[bin];
      healthy[bin] += count * healthy_of_patient[bin];
    }
    const AtThreshold& tally = at_threshold_[patient];
    overlap.truth += counts[patient] * tally.truth;
    overlap.predicted += counts[patient] * tally.predicted;
    overlap.both += counts[patient] * tally.both;
  }
  Curve curve{.truth = static_cast<double>(overlap.truth)};
  for (std::size_t bin = 0; bin < bins_; ++bin)
    curve.add(static_cast<double>(lesion[bin]), static_cast<double>(healthy[bin]));
  PixelFigures figures = curve.figures();
  if (!std::isnan(threshold_)) figures.dice_threshold = overlap.dice();
  return figures;
}

}  // namespace ratnet::inline v1
