// The slices of prepared subjects: on other grids, and which of them show what is healthy.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "prepared_subject.h"

namespace ratnet::inline v1 {

// Throws Error (usage), beginning with `who`, unless all that a subject has is there, of the types
// and sizes that prepared_subject.h states.
void check_subject(const char* who, const PreparedSubject& subject);

// Slice n of [S, H, W].
template <class T>
std::span<T> slice_of(Tensor& slices, std::int64_t n) {
  const auto pixels = static_cast<std::size_t>(slices.shape()[1] * slices.shape()[2]);
  return slices.values<T>().subspan(static_cast<std::size_t>(n) * pixels, pixels);
}
template <class T>
std::span<const T> slice_of(const Tensor& slices, std::int64_t n) {
  const auto pixels = static_cast<std::size_t>(slices.shape()[1] * slices.shape()[2]);
  return slices.values<T>().subspan(static_cast<std::size_t>(n) * pixels, pixels);
}

// Square images [S, from, from] f32 as [S, to, to]: means over areas on a smaller grid, linear
// between pixel centres on a larger one.
Tensor resample_slices(const Tensor& images, std::int64_t to);

// [S, 128, 128] f32: 1 in the brain, 0 outside.
Tensor brain_as_floats(const Tensor& brain);

// A copy in which every slice with brain counts as judged: maps of what lies outside of the judged
// zone may be looked at all the same.
PreparedSubject with_all_brain(const PreparedSubject& subject);

// Whose scans they are.
struct People {
  std::vector<std::size_t> of;  // of each scan, the place of its person in the order of first scans
  std::size_t count = 0;
};
// persons: of each scan.
People people_in(std::span<const std::string> persons);
People people_in(std::span<const PreparedSubject* const> scans);

// One slice that a model of the healthy learns from.
struct HealthySlice {
  std::size_t subject;
  std::int64_t slice;
};

// All judged slices that are known to be healthy (ground_truth.h), or are of subjects of whom
// nothing is known, in order. Throws Error: usage for subjects that fail check_subject, input where
// there is no such slice.
std::vector<HealthySlice> healthy_slices(const char* who,
                                         std::span<const PreparedSubject* const> subjects);

}  // namespace ratnet::inline v1
