// The pixels of many patients sorted by score once, and figures of them for any resample of the
// patients.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ratnet::inline v1 {

// A pixel as one number; numbers ascend as scores fall. score: not NaN; patient: below 2^31.
std::uint64_t packed_pixel(float score, std::int64_t patient, bool lesion);

struct PixelFigures {
  double auprc = 0;      // average precision, as auprc() of train/roc.h; NaN without lesion
  double dice_best = 0;  // over all thresholds; NaN without lesion
  double dice_best_threshold = 0;  // a lesion where score >= threshold; the highest of equals
  double dice_threshold = 0;       // at the threshold given; NaN where that is NaN
};

class PixelRanking {
 public:
  // Throws Error (usage): a pixel's patient is not below `patients`.
  PixelRanking(std::vector<std::uint64_t> pixels, std::int64_t patients);

  std::int64_t patients() const { return patients_; }
  std::int64_t pixels() const { return static_cast<std::int64_t>(pixels_.size()); }
  std::int64_t lesion_pixels() const { return lesion_pixels_; }

  // Exact.
  PixelFigures figures(double threshold) const;

 private:
  friend class BinnedPixels;
  std::vector<std::uint64_t> pixels_;
  std::int64_t patients_ = 0;
  std::int64_t lesion_pixels_ = 0;
};

// The same pixels counted by patient in bins of neighbouring scores, so that a resample costs the
// bins and not the pixels. A bin ends with the score at which it holds 1 in kPixelBins of all
// lesion pixels: figures of up to kPixelBins lesion pixels are exact. Beyond, all of a bin counts
// as its lowest score: average precision is off by at most the largest bin's share of the lesion
// pixels times the total variation of the precision over scores (1e-4 measured with 60,000 lesion
// pixels), far below the width of any interval. The Dice at a threshold is exact.
constexpr std::int64_t kPixelBins = 4096;

class BinnedPixels {
 public:
  BinnedPixels(const PixelRanking& ranking, double threshold);

  // counts: [patients], how often each is taken. dice_best_threshold is NaN. Throws Error (usage)
  // for another number of counts.
  PixelFigures figures(std::span<const std::uint32_t> counts) const;

 private:
  struct AtThreshold {
    std::int64_t truth = 0, predicted = 0, both = 0;
  };
  double threshold_ = 0;
  std::size_t bins_ = 0;
  std::vector<std::uint32_t> lesion_, healthy_;  // [patients, bins], highest scores first
  std::vector<AtThreshold> at_threshold_;        // [patients]
};

}  // namespace ratnet::inline v1
