// How well a graph finds the pixels of masks: by overlap, by borders and lesion by lesion.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "../../train/class_output.h"
#include "../../train/froc.h"
#include "../../train/segmentation.h"

namespace ratnet::inline v1 {

// Of one class; a sample is a slice, or a volume. Pixels without a label count as background, as
// what is predicted there does.
struct MaskClassFigures {
  // By sample; NaN where the class is neither there nor predicted.
  std::vector<double> dice;
  // Means over the samples with the class in both maps, of which there are `measured`.
  double hausdorff95 = 0;
  double surface_distance = 0;  // the average, ASSD
  std::int64_t measured = 0;
  // Connected pixels are a lesion; any shared pixel makes a match. Counts of all samples.
  LesionMatches lesions;
  // Of predicted lesions, each with the greatest probability of the class in it, against false
  // positives per sample.
  std::vector<FrocPoint> froc;
};

// Takes sample after sample.
class MaskFigures {
 public:
  // spacing: between the centres of pixels along D, H, W or H, W, in whatever distances are to be
  // told in. Throws Error (usage) where it is not positive.
  MaskFigures(const ClassOutput& output, std::vector<double> spacing);

  // truth: u8 [H, W] or [D, H, W], 255 for no label; scores: [pixels, output.width]. Throws Error
  // (usage) for a spacing of another length.
  void add(const ConstView& truth, const float* scores);

  // Of every class but 0, in order. Throws Error (usage) before the first sample.
  std::vector<MaskClassFigures> figures() const;

 private:
  struct Class {
    std::vector<double> dice;
    double hausdorff95 = 0, surface_distance = 0;  // sums
    std::int64_t measured = 0;
    LesionMatches lesions;
    std::vector<Candidate> candidates;
    std::vector<std::int64_t> true_lesions;  // by sample
  };
  void add_class(std::size_t k, const ConstView& truth, const ConstView& called,
                 std::span<const double> probabilities);

  ClassOutput output_;
  std::vector<double> spacing_;
  std::vector<Class> classes_;  // from class 1
};

}  // namespace ratnet::inline v1
