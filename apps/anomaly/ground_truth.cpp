#include "ground_truth.h"

#include <algorithm>

#include "../../core/error.h"

namespace ratnet::inline v1 {

bool has_masks(const PreparedSubject& subject) {
  return subject.lesions && subject.lesions.count() > 0;
}

void check_subject(const PreparedSubject& subject) {
  const std::int64_t slices = subject.slices();
  const Shape shape{slices, kJudgedSize, kJudgedSize};
  const auto count = static_cast<std::size_t>(slices);
  const auto check_mask = [&](const Tensor& mask, const char* what) {
    require(mask && mask.shape() == shape && mask.dtype() == DType::u8, "the ", what,
            " of subject ", subject.name, " is ", mask.shape(), " ", name_of(mask.dtype()),
            " where ", shape, " u8 is needed");
  };
  if (slices > 0) check_mask(subject.brain, "brain");
  if (has_masks(subject)) check_mask(subject.lesions, "lesion mask");
  require(subject.areas.size() == count && subject.judged.size() == count, "subject ", subject.name,
          " has ", subject.areas.size(), " areas and ", subject.judged.size(), " judgements for ",
          slices, " slices");
  require(subject.labels.empty() || subject.labels.size() == count, "subject ", subject.name,
          " has ", subject.labels.size(), " labels for ", slices, " slices");
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
