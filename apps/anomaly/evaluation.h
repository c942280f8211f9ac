// How well anomaly scores find real lesions, by one fixed protocol, so that the figures of methods,
// baselines and papers' data can be compared.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../../core/thread_pool.h"
#include "../../core/view.h"
#include "../../train/bootstrap.h"
#include "detection.h"
#include "ground_truth.h"
#include "prepared_subject.h"

namespace ratnet::inline v1 {

// What one method says of every subject, in the order of the subjects.
struct MethodScores {
  std::string name;
  std::vector<ConstView> maps;  // [S, 128, 128] f32 each; empty where it has slice scores only
  std::vector<std::vector<double>> slice_scores;  // [S] each, higher = less healthy; NaN: no score
  // A pixel is called a lesion where its map is >= this (label_free_threshold.h); NaN for none.
  double threshold = std::numeric_limits<double>::quiet_NaN();
  bool position_only = false;  // the control, whose scores see nothing but a slice's position
};

// NaN where it is not defined.
struct Figure {
  double value = std::numeric_limits<double>::quiet_NaN();  // exact, on all that was judged
  Interval interval;                                        // by patients (train/bootstrap.h)
};

struct AnomalyFigures {
  bool has_lesions() const { return lesion_slices > 0 || lesion_pixels > 0; }

  // Average precision and Dice over the pixels of all patients together; NaN without maps or masks.
  Figure pixel_auprc;
  Figure dice_best;  // over all thresholds, in each resample too: a bound, not a result
  double dice_best_threshold = std::numeric_limits<double>::quiet_NaN();
  Figure dice_threshold;  // at the method's own threshold
  // Lesion slices against healthy slices: all of them, and matched ones (matched_auroc.h).
  Figure slice_auroc;
  Figure slice_auroc_matched;

  std::int64_t pixels = 0;
  std::int64_t lesion_pixels = 0;
  std::int64_t healthy_slices = 0;
  std::int64_t lesion_slices = 0;
  std::int64_t unmatched_slices = 0;  // lesion slices with too few healthy ones to compare with
};

// Lesion slices by the lesion's pixels on the judged grid: [from, to].
struct LesionSize {
  const char* name;
  std::int64_t from;
  std::int64_t to;
};
constexpr std::array<LesionSize, 3> kLesionSizes{{{"under 150 px", kUnclearLesion + 1, 149},
                                                  {"150 to 500 px", 150, 500},
                                                  {"over 500 px", 501, kJudgedSize* kJudgedSize}}};

struct MethodEvaluation {
  std::string name;
  double threshold = std::numeric_limits<double>::quiet_NaN();
  AnomalyFigures all;
  // By kLesionSizes, of the slices whose masks are known. Slice figures are against all healthy
  // slices; pixel figures are of the pixels of the size's own slices, so that they say how well
  // these lesions are outlined and not how rare they are.
  std::array<AnomalyFigures, kLesionSizes.size()> by_size;
  // By AnomalyEvaluation::lesion_kinds, in the same manner.
  std::vector<AnomalyFigures> by_kind;
};

// The first method less another on the same resamples.
struct Difference {
  Figure difference;
  bool beats = false;  // the interval of the difference lies above 0
};

struct MethodComparison {
  std::string other;
  Difference pixel_auprc;
  Difference slice_auroc_matched;
};

struct PositionOnly {
  bool present = false;
  Figure slice_auroc;
  Figure slice_auroc_matched;
  // Its matched AUROC is not within kPositionOnlyTolerance of a half, or not defined: the matching
  // does not take the position out, and no matched figure of this evaluation can be trusted.
  bool suspicious = false;
};
constexpr double kPositionOnlyTolerance = 0.06;

struct AnomalyEvaluation {
  std::vector<MethodEvaluation> methods;  // in the order given
  // Of the lesion slices, in alphabetical order; none where the subjects tell none.
  std::vector<std::string> lesion_kinds;
  std::vector<MethodComparison> comparisons;  // the first with every other
  PositionOnly slice_auroc_position_only;
  std::int64_t patients = 0;
  std::int64_t judged_slices = 0;      // that every method scores
  std::int64_t unclear_slices = 0;     // of them: 1 to 12 lesion pixels, or neither mask nor label
  std::int64_t unscored_slices = 0;    // judged, but some method has no score: left out for all
  std::optional<Detection> detection;  // of a model; evaluate_anomalies() leaves it out
  std::vector<std::string> warnings;
};

// Slices: judged ones that all methods score. A lesion slice has more than 12 lesion pixels of
// 128 x 128 (ground_truth.h), a healthy one none; where a subject has no masks his labels say.
// Pixels: brain or lesion, in such slices of subjects with masks, the unclear ones too. Scans of
// one person() are one patient; intervals resample whole patients, all methods by the same draws.
// Resampled pixel figures are binned (pixel_ranking.h). Throws Error: usage (no subject or method,
// two methods of one name, two controls, parts that do not fit), input (a map that is NaN in a
// pixel that is judged).
AnomalyEvaluation evaluate_anomalies(std::span<const PreparedSubject> subjects,
                                     std::span<const MethodScores> methods, Executor& executor,
                                     const BootstrapOptions& bootstrap = {});

}  // namespace ratnet::inline v1
