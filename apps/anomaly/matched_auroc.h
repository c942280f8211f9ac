// Whether lesion slices score above healthy ones of other patients from the same place in the
// brain: a score that sees only where a slice lies gains nothing here, as it does in a pooled
// AUROC.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ratnet::inline v1 {

// A lesion slice is compared with healthy slices of other patients whose position differs by at
// most kMatchedPosition and whose area by at most kMatchedArea of its own; where there are fewer
// than kLeastMatches it is left out.
constexpr double kMatchedPosition = 0.06;
constexpr double kMatchedArea = 0.12;
constexpr std::uint64_t kLeastMatches = 3;

struct ComparedSlice {
  std::int64_t patient = 0;  // from 0
  double position = 0;
  double area = 0;
  bool lesion = false;  // else healthy
};

// Which slices are compared: the same for every method and resample. Slices are numbered as given.
struct SliceMatches {
  std::vector<std::size_t> lesions;               // [T] the slices with a lesion
  std::vector<std::vector<std::size_t>> healthy;  // [T] what each is compared with
  std::vector<std::size_t> patients;              // [N] of all slices
};
SliceMatches match_slices(std::span<const ComparedSlice> slices);

struct MatchedAuroc {
  double auroc = 0;           // NaN where nothing is compared
  std::int64_t compared = 0;  // lesion slices
  std::int64_t left_out = 0;  // lesion slices with too few matches
};

// The mean over lesion slices of the share of its matches that each scores above, ties half.
// scores: [N], no NaN; chosen: [T], which lesion slices count, empty for all; counts: [patients],
// how often each patient is taken, empty for once each. A patient taken twice remains one patient,
// whose slices are never compared with each other. Throws Error (usage) where lengths differ.
MatchedAuroc matched_auroc(const SliceMatches& matches, std::span<const double> scores,
                           std::span<const std::uint8_t> chosen = {},
                           std::span<const std::uint32_t> counts = {});

}  // namespace ratnet::inline v1
