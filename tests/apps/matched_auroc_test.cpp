#include "../../apps/anomaly/matched_auroc.h"

#include <cmath>
#include <vector>

#include "../../core/error.h"
#include "../../core/random.h"
#include "../../train/roc.h"
#include "../catch.h"

using namespace ratnet;

namespace {

using Counts = std::vector<std::uint32_t>;

std::vector<ComparedSlice> some_slices(std::uint64_t seed, int patients, int slices) {
  Random random(seed);
  std::vector<ComparedSlice> made;
  for (int p = 0; p < patients; ++p)
    for (int s = 0; s < slices; ++s) {
      const double position = random.uniform();
      made.push_back({p, position, random.uniform(0.4, 1), random.chance(position)});
    }
  return made;
}

// The definition on slices written out as often as their patient is drawn.
MatchedAuroc by_force(const std::vector<ComparedSlice>& slices, const std::vector<double>& scores,
                      const Counts& counts) {
  std::vector<std::size_t> drawn;
  for (std::size_t i = 0; i < slices.size(); ++i)
    drawn.insert(drawn.end(), counts[static_cast<std::size_t>(slices[i].patient)], i);
  MatchedAuroc result;
  double sum = 0;
  for (const std::size_t i : drawn) {
    const ComparedSlice& a = slices[i];
    if (!a.lesion) continue;
    double matches = 0, beaten = 0;
    for (const std::size_t j : drawn) {
      const ComparedSlice& b = slices[j];
      if (b.lesion || b.patient == a.patient || std::fabs(a.position - b.position) > 0.06 ||
          std::fabs(b.area / a.area - 1) > 0.12)
        continue;
      ++matches;
      beaten += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
    }
    if (matches < 3) {
      ++result.left_out;
      continue;
    }
    ++result.compared;
    sum += beaten / matches;
  }
  result.auroc = sum / static_cast<double>(result.compared);
  return result;
}

}  // namespace

TEST_CASE("the matched AUROC is that of its definition, drawn patients included") {
  const std::vector<ComparedSlice> slices = some_slices(7, 9, 23);
  Random random(8);
  std::vector<double> scores;
  for (const ComparedSlice& slice : slices)
    scores.push_back(std::floor(5 * (random.uniform() + 0.4 * slice.lesion)));
  const SliceMatches matches = match_slices(slices);
  const MatchedAuroc got = matched_auroc(matches, scores);
  const MatchedAuroc once = by_force(slices, scores, Counts(9, 1));
  CHECK(got.auroc == Approx(once.auroc).epsilon(1e-12));
  CHECK(got.compared == once.compared);
  CHECK(got.left_out == once.left_out);
  REQUIRE(got.left_out > 0);
  REQUIRE(got.compared > 20);
  const std::vector<Counts> draws{
      {1, 1, 1, 1, 1, 1, 1, 1, 1}, {0, 3, 1, 0, 2, 1, 1, 0, 1}, {4, 5, 0, 0, 0, 0, 0, 0, 0}};
  for (const Counts& counts : draws) {
    const MatchedAuroc drawn = matched_auroc(matches, scores, {}, counts);
    const MatchedAuroc expected = by_force(slices, scores, counts);
    CHECK(drawn.auroc == Approx(expected.auroc).epsilon(1e-12));
    CHECK(drawn.compared == expected.compared);
    CHECK(drawn.left_out == expected.left_out);
  }
  // One patient drawn for all has nobody to be compared with.
  const MatchedAuroc alone = matched_auroc(matches, scores, {}, Counts{9, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(std::isnan(alone.auroc));
  CHECK(alone.compared == 0);
}

TEST_CASE("the position alone gains in a pooled AUROC and nothing in a matched one") {
  const std::vector<ComparedSlice> slices = some_slices(9, 30, 30);
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  for (const ComparedSlice& slice : slices) {
    scores.push_back(slice.position);
    labels.push_back(slice.lesion);
  }
  CHECK(auroc(rank_scores(scores, labels)) > 0.75);
  CHECK(std::abs(matched_auroc(match_slices(slices), scores).auroc - 0.5) < 0.06);
}

TEST_CASE("chosen lesion slices are averaged alone") {
  std::vector<ComparedSlice> slices{{0, 0.5, 1, true}, {0, 0.5, 1, true}, {0, 0.5, 1, false}};
  for (const std::int64_t patient : {1, 1, 2, 2}) slices.push_back({patient, 0.5, 1, false});
  const std::vector<double> scores{3, 2, 9, 1, 2, 3, 4};
  const SliceMatches matches = match_slices(slices);
  CHECK(matched_auroc(matches, scores).auroc == (2.5 + 1.5) / 8);
  CHECK(matched_auroc(matches, scores, std::vector<std::uint8_t>{1, 0}).auroc == 2.5 / 4);
  CHECK(matched_auroc(matches, scores, std::vector<std::uint8_t>{0, 1}).auroc == 1.5 / 4);
  CHECK(std::isnan(matched_auroc(matches, scores, std::vector<std::uint8_t>{0, 0}).auroc));
  CHECK_THROWS_AS(matched_auroc(matches, std::vector<double>{1}), Error);
  CHECK_THROWS_AS(matched_auroc(matches, scores, std::vector<std::uint8_t>{1}), Error);
  CHECK_THROWS_AS(match_slices(std::vector<ComparedSlice>{{-1, 0, 1, true}}), Error);
}
