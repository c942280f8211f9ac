// Trains a network from images with labels, masks or nothing.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "../core/device.h"
#include "../core/thread_pool.h"
#include "../core/tuner.h"
#include "../network/graph.h"
#include "averaged_weights.h"
#include "checkpoint.h"
#include "dataset.h"
#include "early_stopping.h"
#include "judge.h"
#include "loader.h"
#include "objective.h"
#include "optimiser.h"
#include "schedule.h"

namespace ratnet::inline v1 {

// What early stopping and the schedule `plateau` watch on the validation samples.
enum class Monitor : int { loss, auroc, dice };

// "loss", "auroc", "dice"
std::string_view name_of(Monitor monitor);
// Throws Error (usage) with the known names for any other.
Monitor parse_monitor(std::string_view name);

// What the steps of a training take on its device.
struct TrainingMemory {
  Plan::Memory plan;
  std::size_t optimiser = 0;  // its moments, averaged weights, accumulated gradients
  // Batches on their way and the plan that judges; on a CPU the best epoch's weights and those that
  // it started from too, and of a training on patches the images.
  std::size_t beside = 0;
  std::size_t total() const { return plan.total() + optimiser + beside; }
};

struct TrainerOptions {
  std::int64_t epochs = 5;
  // Where it starts: the weights of these names; those without are drawn, as all are without any.
  std::shared_ptr<const Weights> start = nullptr;
  // Names of weights that stay as they start (`*`: any characters), all of a layer's or none.
  // Frozen normalisation works with its statistics as they are, as in inference.
  std::vector<std::string> freeze = {};
  OptimiserOptions optimiser;
  Schedule schedule;  // total_steps is set by the trainer; `plateau` needs validation samples
  // Batches whose gradients make one step of the optimiser, as one batch of so many times the size
  // would (exactly so where all losses are means over the same weights: not for a Dice over the
  // batch, nor beside a loss of weighted pixels; refused where some losses take the pixels of masks
  // and others do not); the last of an epoch may be fewer. Steps are the optimiser's here and
  // everywhere.
  std::int64_t accumulate = 1;
  // Where it is on, the averaged weights are validated and are the result.
  AveragingOptions averaging;
  // Batch size, shuffling, balancing, augmentation, change, scales. Its seed is that of the whole
  // training.
  LoaderOptions loader;
  SampleChange judged_change;        // of held-out samples, the same in every epoch
  std::vector<float> class_weights;  // of train_classifier's loss; empty: all 1
  Monitor monitor = Monitor::loss;
  // Epochs without improvement before it ends; the weights of the best epoch are then the result.
  // 0: all epochs, and the weights of the last.
  int patience = 0;

  Device device{DeviceKind::any, 0};
  // Of the steps; the validation samples are judged in f32, as a model is by default.
  Precision precision = Precision::f32;
  bool recompute = false;  // PlanOptions::recompute: less memory, longer steps
  // Told before the first step.
  std::function<void(const TrainingMemory&)> tell_memory;
  // Of the validation samples. Interrupting is as in TrainingCallback; when the training resumes
  // they are judged anew.
  JudgingProgress judging;
  int threads = 0;
  std::shared_ptr<Executor> executor;
  // Chooses algorithms (network/tuning.h); absent: by rule. Results then are those of its choices,
  // and a checkpoint goes on with a tuner only if it began with one.
  std::shared_ptr<Tuner> tuner = nullptr;

  // Where the state is kept while training; empty: nowhere.
  std::string checkpoint_path;
  // Steps between readings of the loss, for which a GPU has to be waited for; 0: 1 on a CPU, else
  // 20. Epochs and checkpoints end with a reading anyway; the weights are the same.
  std::int64_t read_loss_every = 0;
  std::int64_t checkpoint_every = 500;  // steps; also after every epoch and when interrupted
  bool resume = false;                  // go on from checkpoint_path if it is there
  std::string log_path;                 // JSON lines; empty: none
  // Curves, settings, pictures of validation samples and the graph for TensorBoard; empty: none.
  std::string events_folder;
  // What its settings tell beside what stands here: names and values.
  std::vector<std::pair<std::string, std::string>> further_settings;
  // Tells one set of training data from another (its hash): part of the fingerprint by which a
  // checkpoint is known to be of this training.
  std::string data_hash;
};

// How it loads: with as many threads as it computes with, unless it says otherwise.
LoaderOptions loader_of(const TrainerOptions& options);

struct TrainingProgress {
  std::int64_t epoch = 0, epochs = 0;     // epoch counts from 0
  std::int64_t step = 0, steps = 0;       // done, and in all
  double loss = 0;                        // mean of the epoch up to the last reading
  double rate = 0;                        // learning rate
  const EpochRecord* finished = nullptr;  // set once, when an epoch is done
};
// Called after every step, and where a training resumes with a judgement after that; returning
// false interrupts: a checkpoint is written and train() returns.
using TrainingCallback = std::function<bool(const TrainingProgress&)>;

struct TrainingResult {
  Weights weights;
  std::vector<EpochRecord> history;
  bool interrupted = false;
  std::int64_t steps = 0;
};

// graph: one input [H, W, C] or [D, H, W, C], of the images' size unless loader.patches cut them;
// held-out samples are then judged as whole images (judge.h). objective: what of its outputs is
// made small, other outputs are left out. train, validation: indices into the dataset; validation
// may be empty. Masks come by options.loader. The result is the same to the bit for the same
// options on the same device, however often it was interrupted and resumed and however many threads
// worked. Throws Error: usage for options that make no sense, input where labels, masks or images
// do not fit the network, a weight to start with has another shape, or the checkpoint is not of
// this training.
TrainingResult train_network(const Graph& graph, const Objective& objective, Dataset& dataset,
                             const std::vector<std::int64_t>& train,
                             const std::vector<std::int64_t>& validation,
                             const TrainerOptions& options, const TrainingCallback& callback = {});

// By the cross-entropy of its one output with the labels; where that output is a softmax, the loss
// takes what goes into it.
TrainingResult train_classifier(const Graph& graph, Dataset& dataset,
                                const std::vector<std::int64_t>& train,
                                const std::vector<std::int64_t>& validation,
                                const TrainerOptions& options,
                                const TrainingCallback& callback = {});

// The graph without its final softmax: what gives logits.
Graph logits_graph(const Graph& graph);

}  // namespace ratnet::inline v1
