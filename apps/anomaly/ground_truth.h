// What is known to be true of a subject's slices.
#pragma once

#include <cstdint>

#include "prepared_subject.h"

namespace ratnet::inline v1 {

// Lesions of 1 to so many pixels make a slice neither healthy nor a lesion's.
constexpr std::int64_t kUnclearLesion = 12;

enum class LesionTruth : std::uint8_t { healthy, lesion, unclear };

struct TrueSlice {
  LesionTruth truth = LesionTruth::unclear;
  std::int64_t lesion_pixels = 0;  // of the judged grid; 0 where the subject has no masks
};

bool has_masks(const PreparedSubject& subject);
// Of some of its slices a mask or a label tells whether they have a lesion.
bool is_known(const PreparedSubject& subject);

// The mask decides; where there is none, the label: 0, 1, else unclear. A slice labelled 1 whose
// mask is empty is unclear.
TrueSlice truth_of(const PreparedSubject& subject, std::int64_t slice);

}  // namespace ratnet::inline v1
