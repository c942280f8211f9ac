#include "roc.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Tally {
  double positives = 0;
  double negatives = 0;
};

void check_counts(const Ranking& ranking, std::span<const std::uint32_t> counts) {
  require(counts.empty() || counts.size() == ranking.scores.size(), counts.size(), " counts for ",
          ranking.scores.size(), " samples");
}

// Calls visit(score, tally of the samples with exactly this score), highest score first.
template <class Visit>
void for_each_score(const Ranking& ranking, std::span<const std::uint32_t> counts, Visit&& visit) {
  check_counts(ranking, counts);
  const std::size_t n = ranking.scores.size();
  for (std::size_t i = 0; i < n;) {
    const double score = ranking.scores[i];
    Tally tally;
    for (; i < n && ranking.scores[i] == score; ++i) {
      const double count = counts.empty() ? 1.0 : counts[ranking.positions[i]];
      (ranking.labels[i] != 0 ? tally.positives : tally.negatives) += count;
    }
    if (tally.positives + tally.negatives > 0) visit(score, tally);
  }
}

Tally total_of(const Ranking& ranking, std::span<const std::uint32_t> counts) {
  Tally total;
  for_each_score(ranking, counts, [&](double, const Tally& tally) {
    total.positives += tally.positives;
    total.negatives += tally.negatives;
  });
  return total;
}

// A threshold that admits `admitted` and refuses `refused`, far from both where it can be.
double between(double admitted, double refused) {
  const double middle = refused + (admitted - refused) / 2;
  return std::isfinite(middle) && middle > refused ? middle : admitted;
}

}  // namespace

Ranking rank_scores(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  require(scores.size() == labels.size(), scores.size(), " scores for ", labels.size(), " labels");
  for (const std::uint8_t label : labels)
    require(label <= 1, "label ", int{label}, " where 0 or 1 is needed");
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (std::isnan(scores[i])) fail(ErrorKind::input, "the score of sample ", i, " is NaN");

  Ranking ranking;
  ranking.positions.resize(scores.size());
  std::iota(ranking.positions.begin(), ranking.positions.end(), std::size_t{0});
  std::stable_sort(ranking.positions.begin(), ranking.positions.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  for (const std::size_t position : ranking.positions) {
    ranking.scores.push_back(scores[position]);
    ranking.labels.push_back(labels[position]);
  }
  return ranking;
}

double auroc(const Ranking& ranking, std::span<const std::uint32_t> counts) {
  double area = 0;  // in pairs (positive, negative) in the right order
  Tally seen;
  for_each_score(ranking, counts, [&](double, const Tally& tally) {
    area += tally.negatives * (seen.positives + tally.positives / 2);
    seen.positives += tally.positives;
    seen.negatives += tally.negatives;
  });
  const double pairs = seen.positives * seen.negatives;
  return pairs > 0 ? area / pairs : kNaN;
}

double auprc(const Ranking& ranking, std::span<const std::uint32_t> counts) {
  double sum = 0;
  Tally seen;
  for_each_score(ranking, counts, [&](double, const Tally& tally) {
    seen.positives += tally.positives;
    seen.negatives += tally.negatives;
    sum += tally.positives * seen.positives / (seen.positives + seen.negatives);
  });
  return seen.positives > 0 ? sum / seen.positives : kNaN;
}

OperatingPoint point_at_false_positive_rate(const Ranking& ranking, double rate,
                                            std::span<const std::uint32_t> counts) {
  require(rate >= 0 && rate <= 1, "a false-positive rate of ", rate, " is not between 0 and 1");
  const Tally total = total_of(ranking, counts);
  if (total.positives == 0 || total.negatives == 0) return {kNaN, kNaN, kNaN};

  Tally admitted;
  double lowest = kInfinity;
  double refused = -kInfinity;
  bool full = false;
  for_each_score(ranking, counts, [&](double score, const Tally& tally) {
    if (full) return;
    if ((admitted.negatives + tally.negatives) / total.negatives > rate) {
      full = true;
      refused = score;
      return;
    }
    admitted.positives += tally.positives;
    admitted.negatives += tally.negatives;
    lowest = score;
  });
  const bool none = admitted.positives + admitted.negatives == 0;
  const double threshold = none ? (refused < kInfinity ? std::nextafter(refused, kInfinity) : kNaN)
                           : full ? between(lowest, refused)
                                  : lowest;
  return {threshold, admitted.positives / total.positives, admitted.negatives / total.negatives};
}

OperatingPoint point_at_threshold(const Ranking& ranking, double threshold,
                                  std::span<const std::uint32_t> counts) {
  Tally above, total;
  for_each_score(ranking, counts, [&](double score, const Tally& tally) {
    total.positives += tally.positives;
    total.negatives += tally.negatives;
    if (score < threshold) return;
    above.positives += tally.positives;
    above.negatives += tally.negatives;
  });
  return {threshold, total.positives > 0 ? above.positives / total.positives : kNaN,
          total.negatives > 0 ? above.negatives / total.negatives : kNaN};
}

}  // namespace ratnet::inline v1
