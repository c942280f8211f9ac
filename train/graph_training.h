// Trains any graph on a dataset: from its splits to a model with its figures on held-out samples.
#pragma once

#include <optional>
#include <string>

#include "../network/model.h"
#include "judge.h"
#include "trainer.h"

namespace ratnet::inline v1 {

// The coefficients by which a model knows the images again that it learnt from and was validated
// on: marks_of() them.
constexpr const char* kLearntImages = "learnt_images";

// What a model's provenance says of the patches that it was trained on: to_json() of them.
constexpr const char* kPatches = "patches";

struct GraphTrainingOptions {
  // Epochs, batch, rate, seed, device, masks, checkpoint; scales and data hash are set here.
  TrainerOptions trainer;
  // What pixels are multiplied by; by default 1/255 for u8, 1/65535 for u16, 1/32767 for i16 and 1
  // for f32.
  std::optional<double> scale;
  // Train on patches of the images, of the size of the graph's input; whole images are judged.
  std::optional<Patches> patches = {};
  // The model whose weights it starts with, by their names, and what to call it in sentences.
  std::shared_ptr<const Model> start = nullptr;
  std::string start_name;
  // Split image by image where the file names no subjects: the figures are then flattered.
  bool allow_leakage = false;
};

struct GraphTrainingCallbacks {
  TrainingCallback progress;
  // Of the test samples, after the training. Interrupting is as in `progress`.
  JudgingProgress testing;
  std::function<void(const std::string& sentence)> say;
};

struct GraphTrainingResult {
  Model model;
  bool interrupted = false;       // the model is then empty; the checkpoint tells where to go on
  std::optional<Judgement> test;  // where there are test samples
};

// Samples without a label are left out where the objective reads labels. Throws Error as
// train_network does, and input where subjects or splits do not allow it.
GraphTrainingResult train_graph(const Graph& graph, const Objective& objective, Dataset& dataset,
                                const GraphTrainingOptions& options,
                                const GraphTrainingCallbacks& callbacks = {});

}  // namespace ratnet::inline v1
