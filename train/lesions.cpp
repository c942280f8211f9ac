#include "lesions.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::vector<LesionPair> overlapping_lesions(const Components& truth, const Components& predicted) {
  require(truth.sizes == predicted.sizes && truth.labels.size() == predicted.labels.size(),
          "lesions in an image of ", predicted.sizes[0], " x ", predicted.sizes[1], " x ",
          predicted.sizes[2], " voxels for true ones in ", truth.sizes[0], " x ", truth.sizes[1],
          " x ", truth.sizes[2]);
  std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> shared;
  for (std::size_t i = 0; i < truth.labels.size(); ++i)
    if (truth.labels[i] != 0 && predicted.labels[i] != 0)
      ++shared[{truth.labels[i], predicted.labels[i]}];
  const std::vector<std::int64_t> true_sizes = component_sizes(truth);
  const std::vector<std::int64_t> predicted_sizes = component_sizes(predicted);
  std::vector<LesionPair> pairs;
  for (const auto& [labels, voxels] : shared) {
    const std::int64_t both = true_sizes[static_cast<std::size_t>(labels.first)] +
                              predicted_sizes[static_cast<std::size_t>(labels.second)];
    pairs.push_back({labels.first, labels.second, voxels, ratio(voxels, both - voxels)});
  }
  std::sort(pairs.begin(), pairs.end(), [](const LesionPair& a, const LesionPair& b) {
    return std::tuple(-a.voxels, -a.iou, a.truth, a.predicted) <
           std::tuple(-b.voxels, -b.iou, b.truth, b.predicted);
  });
  return pairs;
}

double LesionMatches::sensitivity() const {
  return ratio(true_positives, true_positives + false_negatives);
}

double LesionMatches::precision() const {
  return ratio(true_positives, true_positives + false_positives);
}

double LesionMatches::f1() const {
  return ratio(2 * true_positives, 2 * true_positives + false_positives + false_negatives);
}

LesionMatches match_lesions(const Components& truth, const Components& predicted,
                            double minimum_iou) {
  require(minimum_iou >= 0 && minimum_iou <= 1, "a minimum IoU of ", minimum_iou,
          " is not between 0 and 1");
  std::vector<bool> found(static_cast<std::size_t>(truth.count) + 1);
  std::vector<bool> used(static_cast<std::size_t>(predicted.count) + 1);
  LesionMatches matches;
  for (const LesionPair& pair : overlapping_lesions(truth, predicted)) {
    const auto t = static_cast<std::size_t>(pair.truth);
    const auto p = static_cast<std::size_t>(pair.predicted);
    if (pair.iou < minimum_iou || found[t] || used[p]) continue;
    found[t] = used[p] = true;
    matches.pairs.push_back(pair);
  }
  matches.true_positives = static_cast<std::int64_t>(matches.pairs.size());
  matches.false_positives = predicted.count - matches.true_positives;
  matches.false_negatives = truth.count - matches.true_positives;
  return matches;
}

}  // namespace ratnet::inline v1
