// How well a model of `train --graph` does on samples: by its own losses and by what its outputs
// are.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "../../core/queue.h"
#include "../../train/judge.h"
#include "class_figures.h"
#include "image_figures.h"
#include "mask_figures.h"
#include "trained_graph.h"

namespace ratnet::inline v1 {

// Subjects, or samples, that an interval takes: one is drawn again and again as it is.
constexpr std::int64_t kLeastUnits = 2;

struct GraphEvaluation {
  Judgement judgement;  // as train_graph() gives it for the same samples
  // Where labels tell samples apart.
  std::optional<ClassCalls> calls;
  std::optional<ClassFigures> classes;
  std::vector<std::string> class_names;
  // Where there are masks, of every class but 0.
  struct MaskClass : MaskClassFigures {
    double mean_dice = 0;  // over the samples where the class is there or predicted
    Interval mean_dice_interval;
  };
  std::vector<MaskClass> masks;
  bool in_mm = false;  // distances; otherwise in pixels
  // By output that is compared with the image: its name, and means over the samples.
  struct Image : ImageFigures {
    std::string output;
  };
  std::vector<Image> images;
  LossTerm ssim;  // what SSIM was computed with

  struct Comparison : ClassComparison {
    std::string with;     // the other model
    Judgement judgement;  // its own
    ClassFigures classes;
  };
  std::optional<Comparison> comparison;
  std::vector<std::string> notes, warnings;
};

struct GraphEvaluationOptions {
  Precision precision = Precision::f32;
  int threads = 0;              // that read images and compare them; 0: one for every processor
  WindowOptions window{};       // of models of patches
  std::vector<double> spacing;  // mm between pixels along [D,] H, W; empty: distances in pixels
  BootstrapOptions bootstrap{};
  std::function<void(std::int64_t done)> progress;
};

// masks: of the dataset, or null; indices: usable_samples(). Throws Error as check_samples() does,
// and input for images of another size, other names of the classes or no samples.
GraphEvaluation evaluate_graph(const TrainedGraph& trained, const QueueHandle& queue,
                               Dataset& dataset, Dataset* masks,
                               const std::vector<std::int64_t>& indices,
                               const GraphEvaluationOptions& options = {});

}  // namespace ratnet::inline v1
