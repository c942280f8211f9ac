// Trains RatNet: from a dataset of labelled slices to a model that can be used and judged.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../../network/model.h"
#include "../../train/trainer.h"
#include "evaluation.h"

namespace ratnet::inline v1 {

struct DarkSlicesTrainingOptions {
  // Epochs, batch, rate, seed, device, checkpoint; scales, data hash and augmentation are set here.
  TrainerOptions trainer;
  std::optional<double> brain_level;  // of the file, in its pixel units
  double false_positive_rate = 0.01;  // the threshold is chosen for it, on validation subjects
  bool allow_leakage = false;         // train without subjects, slice by slice
  int folds = 0;                      // 0: none; else also k-fold cross-validation by subject
};

struct DarkSlicesTrainingCallbacks {
  // stage: "training", "fold 2 of 5". Returning false interrupts.
  std::function<bool(const std::string& stage, const TrainingProgress&)> progress;
  std::function<void(const std::string& sentence)> say;
};

struct DarkSlicesTrainingResult {
  Model model;
  bool interrupted = false;  // the model is then empty; the checkpoint tells where to go on
  std::optional<DarkSlicesEvaluation> test;  // where there are test subjects
  std::vector<double> fold_auroc;
};

// The settings that were measured to work: 5 epochs, Adam, one-cycle 1e-3, batch 64, flips
// left-right, shifts of 2 pixels, and gains of +-17%, without which an error in the scale of a file
// costs false alarms.
TrainerOptions dark_slices_defaults();

// dataset: grey labelled slices on the 64 x 64 grid (train/resampled_dataset.h). Throws Error:
// input where labels, subjects or splits do not allow it.
DarkSlicesTrainingResult train_dark_slices(Dataset& dataset,
                                           const DarkSlicesTrainingOptions& options,
                                           const DarkSlicesTrainingCallbacks& callbacks = {});

}  // namespace ratnet::inline v1
