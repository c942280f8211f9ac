// Who trains and who judges: splits and folds that keep a subject on one side, and the checks that
// nothing leaks from one to the other.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataset.h"

namespace ratnet::inline v1 {

struct SplitOptions {
  std::array<double, 3> fractions = {0.70, 0.15, 0.15};  // train, validation, test
  std::uint64_t seed = 0;
  // Without subjects, split image by image (identical images stay together) in place of an error.
  bool allow_leakage = false;
};

// A split for every sample. Each subject goes to one split; the fractions count subjects (at least
// one each), and among them labels are spread evenly. Throws Error (input) when the dataset names
// no subjects and allow_leakage is not set, or names fewer than three.
std::vector<Split> split_by_subject(const Dataset& dataset, const SplitOptions& options);

struct FoldOptions {
  int folds = 5;
  std::uint64_t seed = 0;
  bool allow_leakage = false;  // as in SplitOptions
};

// The fold 0..folds-1 that every sample is judged in. Errors as in split_by_subject, and Error
// (usage) for fewer than 2 folds.
std::vector<int> fold_by_subject(const Dataset& dataset, const FoldOptions& options);

struct ChosenSplits {
  std::vector<Split> splits;  // of every sample
  bool made = false;          // here, by split_by_subject: the dataset has none
  bool flattered = false;     // held-out images may be of subjects that train (check_leakage)
};

// The dataset's splits, or such as split_by_subject makes, and checked for leaks. Throws Error
// (input) as those two do, and without subjects or allow_leakage whoever made the splits.
ChosenSplits choose_splits(const Dataset& dataset, const SplitOptions& options);

// Tells one choice of splits from another.
std::string hash_of(const std::vector<Split>& splits);

// The positions of one split, in order.
std::vector<std::int64_t> indices_of(const std::vector<Split>& splits, Split which);

// Throws Error (input) with an example when two splits share an identical image (never allowed;
// images of a single value do not count), or a subject (allowed with allow_leakage).
// splits: [N] for this dataset, whether from its file or made here. Returns whether nobody can know
// that subjects are apart: the dataset names none, or some stand in two splits.
bool check_leakage(const Dataset& dataset, const std::vector<Split>& splits,
                   bool allow_leakage = false);

}  // namespace ratnet::inline v1
