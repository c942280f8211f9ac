// Which predicted lesions are true ones, and which true ones were found.
#pragma once

#include <cstdint>
#include <vector>

#include "components.h"

namespace ratnet::inline v1 {

// A true and a predicted component that share voxels.
struct LesionPair {
  std::int32_t truth = 0;  // component, from 1
  std::int32_t predicted = 0;
  std::int64_t voxels = 0;  // shared
  double iou = 0;
};

// All of them, the largest overlap first; ties: the larger IoU, then the lower numbers. Throws
// Error (usage) where the images differ in size.
std::vector<LesionPair> overlapping_lesions(const Components& truth, const Components& predicted);

struct LesionMatches {
  std::vector<LesionPair> pairs;     // one-to-one
  std::int64_t true_positives = 0;   // pairs
  std::int64_t false_positives = 0;  // predicted components without a partner
  std::int64_t false_negatives = 0;  // true components without a partner

  // Of all true lesions, of all predicted, and 2 TP / (2 TP + FP + FN); NaN where there are none.
  double sensitivity() const;
  double precision() const;
  double f1() const;
};

// One-to-one: pairs are taken by falling overlap where neither side has a partner yet, so a
// prediction that runs over two lesions finds one, and a lesion in two pieces leaves one piece as a
// false positive. minimum_iou: 0 takes any shared voxel. Counts of several scans may be added up.
// Throws Error (usage) unless 0 <= minimum_iou <= 1, or where the images differ in size.
LesionMatches match_lesions(const Components& truth, const Components& predicted,
                            double minimum_iou = 0);

}  // namespace ratnet::inline v1
