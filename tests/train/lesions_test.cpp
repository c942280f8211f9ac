#include "../../train/lesions.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <set>
#include <vector>

#include "../../core/error.h"
#include "../../core/random.h"
#include "../../train/froc.h"
#include "../catch.h"

using namespace ratnet;

namespace {

constexpr Connectivity kAll[] = {Connectivity::faces, Connectivity::edges, Connectivity::corners};

Mask random_mask(int dimensions, std::array<std::int64_t, 3> sizes, double density,
                 std::uint64_t seed) {
  Random random(seed);
  Mask mask{dimensions, sizes, {}};
  for (std::int64_t i = 0; i < mask.count(); ++i) mask.voxels.push_back(random.chance(density));
  return mask;
}

// A line of voxels, 1 or 2... where the text has letters: "aa.b" are two components by hand.
Components line(std::string_view letters) {
  Mask mask{2, {1, 1, static_cast<std::int64_t>(letters.size())}, {}};
  for (const char c : letters) mask.voxels.push_back(c != '.');
  return connected_components(mask);
}

// By flooding from each voxel not yet reached, in the order of memory.
std::vector<std::int32_t> flooded(const Mask& mask, int most_steps) {
  const auto [depth, height, width] = mask.sizes;
  std::vector<std::int32_t> labels(mask.voxels.size());
  std::int32_t count = 0;
  for (std::size_t start = 0; start < labels.size(); ++start) {
    if (mask.voxels[start] == 0 || labels[start] != 0) continue;
    std::vector<std::int64_t> open{static_cast<std::int64_t>(start)};
    labels[start] = ++count;
    while (!open.empty()) {
      const std::int64_t at = open.back();
      open.pop_back();
      for (std::int64_t other = 0; other < mask.count(); ++other) {
        const auto o = static_cast<std::size_t>(other);
        const std::int64_t z = std::abs(at / (height * width) - other / (height * width));
        const std::int64_t y = std::abs(at / width % height - other / width % height);
        const std::int64_t x = std::abs(at % width - other % width);
        if (mask.voxels[o] == 0 || labels[o] != 0 || std::max({z, y, x}) > 1 ||
            z + y + x > most_steps)
          continue;
        labels[o] = count;
        open.push_back(other);
      }
    }
  }
  return labels;
}

}  // namespace

TEST_CASE("components are those of flooding") {
  std::uint64_t seed = 0;
  for (const int dimensions : {2, 3})
    for (const std::array<std::int64_t, 3>& sizes : {std::array<std::int64_t, 3>{1, 1, 1},
                                                     {1, 1, 7},
                                                     {1, 13, 1},
                                                     {1, 11, 17},
                                                     {3, 5, 7},
                                                     {5, 1, 11}}) {
      if (dimensions == 2 && sizes[0] > 1) continue;
      for (const double density : {0.0, 0.15, 0.3, 0.5, 0.8, 1.0})
        for (const Connectivity connectivity : kAll) {
          const Mask mask = random_mask(dimensions, sizes, density, ++seed);
          const Components found = connected_components(mask, connectivity);
          const auto expected = flooded(mask, 1 + static_cast<int>(connectivity));
          CHECK(found.labels == expected);
          CHECK(found.count == *std::max_element(expected.begin(), expected.end()));
        }
    }
  CHECK(connected_components({3, {0, 4, 4}, {}}).count == 0);
}

TEST_CASE("components agree with SciPy") {
  // i = np.arange(7 * 11 * 13).reshape(7, 11, 13); x = (i * i % 97 + i * 7 % 31) % 5 < 1
  // l, n = scipy.ndimage.label(x, generate_binary_structure(3, k)) for k in 1, 2, 3
  // n, np.bincount(l.ravel())[1:].max(), (l * (i % 1009)).sum(); SciPy 1.17.1
  Mask mask{3, {7, 11, 13}, {}};
  for (int i = 0; i < 7 * 11 * 13; ++i) mask.voxels.push_back((i * i % 97 + i * 7 % 31) % 5 < 1);
  CHECK(mask.inside() == 211);
  struct Expected {
    std::int32_t count;
    std::int64_t largest;
    std::int64_t sum;
  };
  const Expected expected[] = {{87, 29, 5416192}, {20, 175, 774920}, {9, 197, 153025}};
  for (const Connectivity connectivity : kAll) {
    const Expected& one = expected[static_cast<std::size_t>(connectivity)];
    const Components found = connected_components(mask, connectivity);
    CHECK(found.count == one.count);
    const auto sizes = component_sizes(found);
    CHECK(sizes[0] == 7 * 11 * 13 - 211);
    CHECK(*std::max_element(sizes.begin() + 1, sizes.end()) == one.largest);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < found.labels.size(); ++i)
      sum += found.labels[i] * static_cast<std::int64_t>(i % 1009);
    CHECK(sum == one.sum);
  }
  const auto first = mask.voxels.begin() + 2 * 11 * 13;
  const Mask slice{2, {1, 11, 13}, {first, first + 11 * 13}};
  CHECK(connected_components(slice, Connectivity::faces).count == 17);
  CHECK(connected_components(slice, Connectivity::edges).count == 12);
  CHECK(connected_components(slice, Connectivity::corners).count == 12);
}

TEST_CASE("lesions are matched one to one") {
  SECTION("a prediction over two lesions finds the one it covers most") {
    const auto m = match_lesions(line("aa..bbb."), line(".cccccc."));
    REQUIRE(m.pairs.size() == 1);
    CHECK(m.pairs[0].truth == 2);
    CHECK(m.pairs[0].voxels == 3);
    CHECK(m.pairs[0].iou == Approx(3 / 6.0));
    CHECK(m.true_positives == 1);
    CHECK(m.false_positives == 0);
    CHECK(m.false_negatives == 1);
    CHECK(m.sensitivity() == 0.5);
    CHECK(m.precision() == 1);
    CHECK(m.f1() == Approx(2 / 3.0));
  }
  SECTION("of two pieces over one lesion the other is a false positive") {
    const auto m = match_lesions(line("aaaaaaa.."), line("bb.ccc..d"));
    REQUIRE(m.pairs.size() == 1);
    CHECK(m.pairs[0].predicted == 2);
    CHECK(m.true_positives == 1);
    CHECK(m.false_positives == 2);
    CHECK(m.false_negatives == 0);
  }
  SECTION("who loses a partner takes the next one") {
    // The first prediction shares 3 with both lesions; the second has only the second lesion.
    const auto m = match_lesions(line("aaa.bbbb"), line("ccccccc."));
    CHECK(m.pairs[0].truth == 1);  // the same overlap, the better IoU
    const auto both = match_lesions(line("aaa.bbbbbb"), line("cccccc.ddd"));
    CHECK(both.true_positives == 2);
  }
  SECTION("the least IoU counts") {
    const Components truth = line("aaaa...."), predicted = line("bbbbbbbb");
    CHECK(match_lesions(truth, predicted, 0.5).true_positives == 1);
    CHECK(match_lesions(truth, predicted, 0.51).true_positives == 0);
    CHECK(match_lesions(truth, predicted, 0.51).false_positives == 1);
    CHECK_THROWS_AS(match_lesions(truth, predicted, 1.5), Error);
    CHECK_THROWS_AS(match_lesions(truth, line("bb")), Error);
  }
  SECTION("nothing is not defined") {
    const auto none = match_lesions(line("...."), line("...."));
    CHECK(std::isnan(none.sensitivity()));
    CHECK(std::isnan(none.precision()));
    CHECK(std::isnan(none.f1()));
    const auto missed = match_lesions(line("aa.."), line("...."));
    CHECK(missed.sensitivity() == 0);
    CHECK(std::isnan(missed.precision()));
    CHECK(missed.f1() == 0);
  }
}

TEST_CASE("shared voxels are counted for every pair of lesions") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Components a =
        connected_components(random_mask(3, {3, 7, 11}, 0.2, 2 * seed), Connectivity::faces);
    const Components b =
        connected_components(random_mask(3, {3, 7, 11}, 0.3, 2 * seed + 1), Connectivity::faces);
    std::set<std::pair<int, int>> seen;
    std::int64_t before = std::numeric_limits<std::int64_t>::max();
    for (const LesionPair& pair : overlapping_lesions(a, b)) {
      std::int64_t both = 0, either = 0;
      for (std::size_t i = 0; i < a.labels.size(); ++i) {
        const bool in_a = a.labels[i] == pair.truth, in_b = b.labels[i] == pair.predicted;
        both += in_a && in_b;
        either += in_a || in_b;
      }
      CHECK(pair.voxels == both);
      CHECK(both > 0);
      CHECK(pair.iou == Approx(static_cast<double>(both) / static_cast<double>(either)));
      CHECK(pair.voxels <= before);
      before = pair.voxels;
      CHECK(seen.insert({pair.truth, pair.predicted}).second);
    }
    std::set<std::pair<int, int>> expected;
    for (std::size_t i = 0; i < a.labels.size(); ++i)
      if (a.labels[i] > 0 && b.labels[i] > 0) expected.insert({a.labels[i], b.labels[i]});
    CHECK(seen == expected);
  }
}

TEST_CASE("the FROC curve is that of counting at each threshold") {
  Random random(7);
  for (int round = 0; round < 10; ++round) {
    std::vector<std::int64_t> lesions;
    std::vector<Candidate> candidates;
    std::int64_t total = 0;
    for (int scan = 0; scan < 7; ++scan) {
      lesions.push_back(random.integer(4));
      total += lesions.back();
      for (std::int64_t k = random.integer(30); k > 0; --k)
        candidates.push_back(
            {scan, std::floor(random.uniform() * 20) / 20, random.integer(lesions.back() + 1) - 1});
    }
    if (total == 0) continue;
    const auto curve = froc(candidates, lesions);
    std::set<double> scores;
    for (const Candidate& c : candidates) scores.insert(c.score);
    REQUIRE(curve.size() == scores.size() + 1);
    CHECK(curve[0].sensitivity == 0);
    CHECK(curve[0].false_positives_per_scan == 0);
    for (const FrocPoint& point : curve) {
      std::set<std::pair<std::int64_t, std::int64_t>> hit;
      double wrong = 0;
      for (const Candidate& c : candidates) {
        if (c.score < point.threshold) continue;
        if (c.lesion < 0)
          ++wrong;
        else
          hit.insert({c.scan, c.lesion});
      }
      CHECK(point.false_positives_per_scan == Approx(wrong / 7));
      CHECK(point.sensitivity ==
            Approx(static_cast<double>(hit.size()) / static_cast<double>(total)));
    }
    double mean = 0;
    for (const double rate : {0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0}) {
      double best = 0;
      for (const FrocPoint& point : curve)
        if (point.false_positives_per_scan <= rate) best = std::max(best, point.sensitivity);
      CHECK(sensitivity_at(curve, rate) == best);
      mean += best / 7;
    }
    CHECK(mean_sensitivity(curve) == Approx(mean));
  }
}

TEST_CASE("FROC by hand, from masks, and where something is missing") {
  // Two scans: in the first both lesions are hit, one of them twice.
  auto candidates = lesion_candidates(0, line("aaa.b..."), line("c.d.ee.f"),
                                      std::vector<double>{0.9, 0.5, 0.8, 0.7});
  REQUIRE(candidates.size() == 4);
  CHECK(candidates[0].lesion == 0);
  CHECK(candidates[1].lesion == 0);
  CHECK(candidates[2].lesion == 1);
  CHECK(candidates[3].lesion == -1);
  candidates.push_back({.scan = 1, .score = 0.85});
  const auto curve = froc(candidates, std::vector<std::int64_t>{2, 1});
  REQUIRE(curve.size() == 6);
  CHECK(sensitivity_at(curve, 0) == Approx(1 / 3.0));
  CHECK(sensitivity_at(curve, 0.5) == Approx(2 / 3.0));
  CHECK(curve.back().sensitivity == Approx(2 / 3.0));
  CHECK(curve.back().false_positives_per_scan == 1);
  CHECK(mean_sensitivity(curve) == Approx((2 * 1 / 3.0 + 5 * 2 / 3.0) / 7));

  const std::vector<std::int64_t> one{1};
  CHECK(mean_sensitivity(froc({}, one)) == 0);  // nothing found
  CHECK(std::isnan(mean_sensitivity(froc({}, std::vector<std::int64_t>{0}))));
  CHECK_THROWS_AS(froc({}, {}), Error);
  CHECK_THROWS_AS(froc(std::vector<Candidate>{{1, 0.5, -1}}, one), Error);
  CHECK_THROWS_AS(froc(std::vector<Candidate>{{0, 0.5, 1}}, one), Error);
  CHECK_THROWS_AS(froc(std::vector<Candidate>{{0, NAN, 0}}, one), Error);
  CHECK_THROWS_AS(sensitivity_at({}, 1), Error);
  CHECK_THROWS_AS(sensitivity_at(curve, -1), Error);
  CHECK_THROWS_AS(lesion_candidates(0, line("a."), line("a."), {}), Error);
}
