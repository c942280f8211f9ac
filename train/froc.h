// Sensitivity against false positives per scan, for detectors that score their candidates (free-
// response ROC; Bunch and others, SPIE 1977).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lesions.h"

namespace ratnet::inline v1 {

struct Candidate {
  std::int64_t scan = 0;
  double score = 0;          // higher = more likely a lesion
  std::int64_t lesion = -1;  // which true lesion of its scan it hits, from 0; -1: none
};

// The predicted components of a scan with their scores (predicted.count of them). Each hits the
// true lesion that it shares most voxels with. Throws Error (usage) for another number of scores.
std::vector<Candidate> lesion_candidates(std::int64_t scan, const Components& truth,
                                         const Components& predicted,
                                         std::span<const double> scores);

struct FrocPoint {
  double threshold = 0;  // candidates count when score >= threshold
  double false_positives_per_scan = 0;
  double sensitivity = 0;  // lesions hit, of those in all scans
};

// A point where no candidate counts (an infinite threshold), then one for each distinct score,
// highest first. lesions: [scans], how many each has. A lesion
// that is hit several times is found once, and none of its hits is a false positive (as in LUNA16;
// Setio and others, Medical Image Analysis 2017). Sensitivities are NaN without lesions. Throws
// Error: usage (no scans, a candidate's scan or lesion that does not exist), input (a NaN score).
std::vector<FrocPoint> froc(std::span<const Candidate> candidates,
                            std::span<const std::int64_t> lesions);

// The largest sensitivity with at most `rate` false positives per scan, without interpolation, so
// never optimistic. Throws Error (usage) for a curve without points or a rate below 0.
double sensitivity_at(std::span<const FrocPoint> curve, double rate);

// Mean sensitivity at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives per scan (competition
// performance metric; Niemeijer and others, IEEE TMI 2011). LUNA16's own program interpolates
// between points, this does not.
double mean_sensitivity(std::span<const FrocPoint> curve);

}  // namespace ratnet::inline v1
