#include "matched_auroc.h"

#include <cmath>
#include <limits>

#include "../../core/error.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool comparable(const ComparedSlice& lesion, const ComparedSlice& healthy) {
  return !healthy.lesion && healthy.patient != lesion.patient &&
         std::abs(healthy.position - lesion.position) <= kMatchedPosition &&
         std::abs(healthy.area - lesion.area) <= kMatchedArea * lesion.area;
}

std::uint64_t times(std::span<const std::uint32_t> counts, std::size_t patient) {
  return counts.empty() ? 1 : counts[patient];
}

}  // namespace

SliceMatches match_slices(std::span<const ComparedSlice> slices) {
  SliceMatches matches;
  for (std::size_t i = 0; i < slices.size(); ++i) {
    require(slices[i].patient >= 0, "slice ", i, " has patient ", slices[i].patient);
    matches.patients.push_back(static_cast<std::size_t>(slices[i].patient));
    if (!slices[i].lesion) continue;
    matches.lesions.push_back(i);
    std::vector<std::size_t>& healthy = matches.healthy.emplace_back();
    for (std::size_t j = 0; j < slices.size(); ++j)
      if (comparable(slices[i], slices[j])) healthy.push_back(j);
  }
  return matches;
}

MatchedAuroc matched_auroc(const SliceMatches& matches, std::span<const double> scores,
                           std::span<const std::uint8_t> chosen,
                           std::span<const std::uint32_t> counts) {
  const std::size_t lesions = matches.lesions.size();
  require(scores.size() == matches.patients.size(), scores.size(), " scores for ",
          matches.patients.size(), " slices");
  require(chosen.empty() || chosen.size() == lesions, chosen.size(), " choices for ", lesions,
          " lesion slices");
  MatchedAuroc result;
  double sum = 0;
  for (std::size_t t = 0; t < lesions; ++t) {
    const std::size_t lesion = matches.lesions[t];
    const std::uint64_t drawn = times(counts, matches.patients[lesion]);
    if ((!chosen.empty() && chosen[t] == 0) || drawn == 0) continue;
    const double score = scores[lesion];
    std::uint64_t taken = 0, twice_beaten = 0;
    for (const std::size_t healthy : matches.healthy[t]) {
      const std::uint64_t count = times(counts, matches.patients[healthy]);
      taken += count;
      twice_beaten += count * (std::uint64_t{score > scores[healthy]} + (score >= scores[healthy]));
    }
    const bool enough = taken >= kLeastMatches;
    (enough ? result.compared : result.left_out) += static_cast<std::int64_t>(drawn);
    if (enough) sum += static_cast<double>(drawn * twice_beaten) / (2 * static_cast<double>(taken));
  }
  result.auroc = result.compared > 0 ? sum / static_cast<double>(result.compared) : kNaN;
  return result;
}

}  // namespace ratnet::inline v1
