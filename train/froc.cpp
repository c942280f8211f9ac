#include "froc.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "../core/error.h"

namespace ratnet::inline v1 {

std::vector<Candidate> lesion_candidates(std::int64_t scan, const Components& truth,
                                         const Components& predicted,
                                         std::span<const double> scores) {
  require(scores.size() == static_cast<std::size_t>(predicted.count), scores.size(), " scores for ",
          predicted.count, " predicted lesions");
  std::vector<Candidate> candidates;
  for (const double score : scores) candidates.push_back({.scan = scan, .score = score});
  for (const LesionPair& pair : overlapping_lesions(truth, predicted)) {
    std::int64_t& lesion = candidates[static_cast<std::size_t>(pair.predicted) - 1].lesion;
    if (lesion < 0) lesion = pair.truth - 1;
  }
  return candidates;
}

std::vector<FrocPoint> froc(std::span<const Candidate> candidates,
                            std::span<const std::int64_t> lesions) {
  require(!lesions.empty(), "a FROC curve of no scans");
  std::int64_t total = 0;
  for (const std::int64_t count : lesions) {
    require(count >= 0, "a scan of ", count, " lesions");
    total += count;
  }
  const auto scans = static_cast<std::int64_t>(lesions.size());
  for (const Candidate& candidate : candidates) {
    require(candidate.scan >= 0 && candidate.scan < scans, "a candidate in scan ", candidate.scan,
            " of ", scans);
    const std::int64_t count = lesions[static_cast<std::size_t>(candidate.scan)];
    require(candidate.lesion >= -1 && candidate.lesion < count, "a candidate that hits lesion ",
            candidate.lesion, " of ", count, " in scan ", candidate.scan);
    if (std::isnan(candidate.score))
      fail(ErrorKind::input, "the score of a candidate in scan ", candidate.scan, " is NaN");
  }

  std::vector<Candidate> sorted(candidates.begin(), candidates.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  const double none = total > 0 ? 0 : std::numeric_limits<double>::quiet_NaN();
  std::vector<FrocPoint> curve{{std::numeric_limits<double>::infinity(), 0, none}};
  std::set<std::pair<std::int64_t, std::int64_t>> found;
  std::int64_t false_positives = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i].lesion < 0)
      ++false_positives;
    else
      found.insert({sorted[i].scan, sorted[i].lesion});
    if (i + 1 < sorted.size() && sorted[i + 1].score == sorted[i].score) continue;
    curve.push_back({sorted[i].score,
                     static_cast<double>(false_positives) / static_cast<double>(scans),
                     static_cast<double>(found.size()) / static_cast<double>(total)});
  }
  return curve;
}

double sensitivity_at(std::span<const FrocPoint> curve, double rate) {
  require(rate >= 0, "a rate of ", rate, " false positives per scan");
  require(!curve.empty(), "a sensitivity from a FROC curve without points");
  double best = 0;
  for (const FrocPoint& point : curve)
    if (point.false_positives_per_scan <= rate) best = point.sensitivity;
  return best;
}

double mean_sensitivity(std::span<const FrocPoint> curve) {
  double sum = 0;
  int rates = 0;
  for (double rate = 0.125; rate <= 8; rate *= 2, ++rates) sum += sensitivity_at(curve, rate);
  return sum / rates;
}

}  // namespace ratnet::inline v1
