#include "ground_truth.h"

#include <algorithm>

namespace ratnet::inline v1 {

bool has_masks(const PreparedSubject& subject) {
  return subject.lesions && subject.lesions.count() > 0;
}

TrueSlice truth_of(const PreparedSubject& subject, std::int64_t slice) {
  if (has_masks(subject)) {
    const std::int64_t pixels = kJudgedSize * kJudgedSize;
    const auto mask = subject.lesions.values<std::uint8_t>().subspan(
        static_cast<std::size_t>(slice * pixels), static_cast<std::size_t>(pixels));
    const std::int64_t lesion = pixels - std::count(mask.begin(), mask.end(), std::uint8_t{0});
    return {lesion == 0               ? SliceTruth::healthy
            : lesion > kUnclearLesion ? SliceTruth::lesion
                                      : SliceTruth::unclear,
            lesion};
  }
  if (subject.labels.empty()) return {};
  const std::uint8_t label = subject.labels[static_cast<std::size_t>(slice)];
  return {label == 0   ? SliceTruth::healthy
          : label == 1 ? SliceTruth::lesion
                       : SliceTruth::unclear,
          0};
}

}  // namespace ratnet::inline v1
