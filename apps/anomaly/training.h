// Trains a model of what is healthy: from prepared subjects to a model that can be used and judged.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "../../train/split.h"
#include "../../train/trainer.h"
#include "anomaly_model.h"
#include "training_slices.h"

namespace ratnet::inline v1 {

struct AnomalyTrainingOptions {
  AnomalyMethod method = AnomalyMethod::denoising;
  AnomalyNetworkOptions network;
  // Epochs, batch, rate, seed, device, checkpoint; masks, changes and data hash are set here.
  TrainerOptions trainer;
  PreparationOptions preparation;  // that the subjects were prepared with
  AnomalyScoreOptions score;
  bool combined = true;  // AnomalyModel::combined
  HealthyAugmentation augmentation;
  CoarseNoise noise;                // of the method denoising
  double divergence = 1e-4;         // of the method vae: the weight of the code's divergence,
  double divergence_warm_up = 0.5;  // which grows over this share of the steps
};

// The settings that were measured to work: 20 epochs, AdamW 1e-3 with weight decay 1e-5, a cosine
// with warm-up, batch 16, flips left-right and shifts of 2 pixels.
TrainerOptions anomaly_training_defaults();

// What a training of so many steps makes small: the squared error within the brain and, of vae, the
// divergence of its code.
Objective anomaly_objective(const AnomalyTrainingOptions& options, std::int64_t steps);

struct AnomalyTrainingResult {
  AnomalyModel model;
  bool interrupted = false;  // the model is then empty; the checkpoint tells where to go on
};

// splits: of every subject; training and validation learn from healthy slices alone, and validation
// subjects give threshold and reference. hash: of the data. Throws Error as train_network does, and
// input where a split has no healthy slice.
AnomalyTrainingResult train_anomaly(std::span<const PreparedSubject> subjects,
                                    const std::vector<Split>& splits, const std::string& hash,
                                    const AnomalyTrainingOptions& options,
                                    const TrainingCallback& progress = {});

}  // namespace ratnet::inline v1
