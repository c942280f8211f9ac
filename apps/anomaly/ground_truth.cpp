#include "ground_truth.h"

#include <algorithm>

namespace ratnet::inline v1 {

bool has_masks(const PreparedSubject& subject) {
  return subject.lesions && subject.lesions.count() > 0;
}

bool is_known(const PreparedSubject& subject) {
  return has_masks(subject) ||
         std::ranges::any_of(subject.labels, [](std::uint8_t label) { return label <= 1; });
}

TrueSlice truth_of(const PreparedSubject& subject, std::int64_t slice) {
  if (has_masks(subject)) {
    const std::int64_t pixels = kJudgedSize * kJudgedSize;
    const auto mask = subject.lesions.values<std::uint8_t>().subspan(
        static_cast<std::size_t>(slice * pixels), static_cast<std::size_t>(pixels));
    const std::int64_t lesion = pixels - std::count(mask.begin(), mask.end(), std::uint8_t{0});
    // Labelled as ill, but not outlined.
    if (lesion == 0 && !subject.labels.empty() &&
        subject.labels[static_cast<std::size_t>(slice)] == 1)
      return {};
    return {lesion == 0               ? LesionTruth::healthy
            : lesion > kUnclearLesion ? LesionTruth::lesion
                                      : LesionTruth::unclear,
            lesion};
  }
  if (subject.labels.empty()) return {};
  const std::uint8_t label = subject.labels[static_cast<std::size_t>(slice)];
  return {label == 0   ? LesionTruth::healthy
          : label == 1 ? LesionTruth::lesion
                       : LesionTruth::unclear,
          0};
}

}  // namespace ratnet::inline v1
