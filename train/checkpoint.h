// A training on disk: all that is needed to go on as if it had never stopped.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../network/safetensors.h"
#include "../network/weights.h"
#include "early_stopping.h"
#include "plateau.h"

namespace ratnet::inline v1 {

// What one epoch gave.
struct EpochRecord {
  std::int64_t epoch = 0;
  double training_loss = 0;     // mean over the epoch's batches, with dropout and augmentation
  double validation_loss = 0;   // NaN without validation samples
  double validation_auroc = 0;  // of the last of two classes, of more the mean; NaN without labels
  double validation_accuracy = 0;
  double validation_dice = 0;  // mean over the classes but 0; NaN unless masks are predicted
};

// Random numbers and the loader's order are functions of (seed, epoch, step), so the position is
// all there is to keep of them.
struct TrainingPosition {
  std::string fingerprint;  // of everything that shapes the run; resuming asks for the same
  // The next batch to be trained on; after all of an epoch's, the epoch is still to be judged.
  std::int64_t epoch = 0;
  std::int64_t batch = 0;
  std::int64_t steps = 0;  // of the optimiser: it never stands between the batches of one
  double loss_sum = 0;     // of the epoch so far
  std::vector<EpochRecord> history;
  EarlyStopping::State early_stopping;
  Plateau::State plateau;
  Weights best;  // of the best epoch so far; empty before the first
};

// What the steps change, wherever it is: written from there.
struct TrainedValues {
  std::vector<NamedView> weights;
  std::vector<NamedView> optimiser;  // their names do not matter
  std::optional<NamedView> average;  // of the trainable weights, where one is kept; nor does its
};

// Throws Error (file_system); the old file or the new one is there, whole, at any moment.
void save_checkpoint(const TrainingPosition& position, const TrainedValues& values,
                     const std::string& path);

struct Checkpoint {
  TrainingPosition position;
  Weights weights;
  std::vector<Tensor> optimiser;
  std::optional<Tensor> average;
};

// Throws Error, beginning with the path: file_system where it cannot be read, input where it is
// not a checkpoint.
Checkpoint load_checkpoint(const std::string& path);

}  // namespace ratnet::inline v1
