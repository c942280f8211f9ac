// From raw maps of departure to those that are shown and judged, and to scores of slices.
#pragma once

#include <vector>

#include "prepared_subject.h"
#include "residual.h"

namespace ratnet::inline v1 {

struct AnomalyScoreOptions {
  // Of the raw maps (reconstruct.h, baselines.h).
  Residual residual = Residual::positive;
  bool flip_average = true;  // mean over the image and its mirror image (reconstruct.h)
  // Of what becomes of them.
  int median = 9;             // pixels along both edges of the median's window: odd; 1: none
  int edge = 3;               // pixels next to the border of the brain that are not judged, 0 to 64
  bool smooth_slices = true;  // 1/4, 1/2, 1/4 over a slice and its neighbours
  int brightest = 100;        // pixels of the map whose mean is the slice's score
};

// Throws Error (usage), naming the member, for a number out of range.
void check(const AnomalyScoreOptions& options);

struct SubjectScores {
  Tensor maps;                       // [S, 128, 128] f32; 0 where not judged
  std::vector<double> slice_scores;  // [S]; NaN where not judged
};

// raw: [S, 128, 128] f32, higher is more unusual, as reconstruct() and the baselines make it. What
// lies outside of the brain counts as 0 in the median. A pixel is judged where the nearest pixel
// that is not brain, as all are outside of the image, is more than `edge` away. The weights of
// neighbours that are not there, or not judged, go to those that are: a slice at the end is 2/3 its
// own and 1/3 its neighbour's. Throws Error (usage) for wrong sizes or options.
SubjectScores score_subject(const PreparedSubject& subject, const Tensor& raw,
                            const AnomalyScoreOptions& options = {});

// Mean of the `brightest` highest pixels of a map (of all, where it has fewer).
double mean_of_brightest(std::span<const float> map, std::int64_t brightest);

// brain: [128, 128]; result: 1 where the brain's border is more than `edge` pixels away.
std::vector<std::uint8_t> inner_brain(std::span<const std::uint8_t> brain, std::int64_t edge);

}  // namespace ratnet::inline v1
