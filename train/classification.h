// Figures of hard decisions, from the confusion matrix.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ratnet::inline v1 {

struct ConfusionMatrix {
  int classes = 0;
  std::vector<std::int64_t> counts;  // [true class, predicted class]

  std::int64_t at(int truth, int predicted) const;
  std::int64_t total() const;
  std::int64_t of_class(int truth) const;          // how many samples are of this class
  std::int64_t called_class(int predicted) const;  // how many were called so
};

// labels, predictions: [N], each below `classes`. Throws Error (usage) when the lengths differ, a
// class is out of range, or classes < 2.
ConfusionMatrix confusion_matrix(std::span<const std::uint8_t> labels,
                                 std::span<const std::uint8_t> predictions, int classes);

// Each is NaN where it is not defined: nothing counted, a class never seen (recall), never called
// (precision), neither seen nor called (F1).
double accuracy(const ConfusionMatrix& matrix);
double balanced_accuracy(const ConfusionMatrix& matrix);  // mean recall of the classes present
double precision(const ConfusionMatrix& matrix, int positive);
double recall(const ConfusionMatrix& matrix, int positive);
double f1(const ConfusionMatrix& matrix, int positive);
// Means of F1 over the classes that were seen or called: plain, and by how often each was seen.
double macro_f1(const ConfusionMatrix& matrix);
double weighted_f1(const ConfusionMatrix& matrix);

}  // namespace ratnet::inline v1
