// What a model that `train --graph` made tells of its training and of its outputs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../../network/model.h"
#include "../../train/class_output.h"
#include "../../train/dataset.h"
#include "../../train/patches.h"

namespace ratnet::inline v1 {

struct TrainedGraph {
  std::string name;                   // the model's file
  Model model;                        // class names and warnings without control characters
  Objective objective;                // every output by its name
  double scale = 1;                   // what pixels are multiplied by
  std::int64_t batch = 1;             // of the training: a loss over whole batches depends on it
  std::optional<std::uint64_t> seed;  // of the training, where the model tells it
  std::optional<ClassOutput> by_label, by_mask;  // what tells samples apart, and pixels
  std::vector<std::string> images;               // outputs that a loss compares with the image
  LossTerm ssim;                                 // by which their SSIM is told
  // These, and outputs of the graph that neither tell apart nor are made of such alone.
  std::vector<std::string> others;
  // That it was trained on, with their size; absent where it takes images as they are.
  std::optional<Patches> patches;
  // Of the images that it learnt from and was validated on, marks_of(); absent where the model does
  // not tell.
  std::optional<std::vector<double>> learnt;

  // Axes of the patches that it was trained on; absent where it takes images as they are.
  std::optional<std::size_t> patch_axes() const;
  // Whether images of that shape are volumes that it sees slice by slice.
  bool by_slices(const Shape& image) const;
  // Of the labels: the model's names where there are as many, else their numbers.
  std::vector<std::string> class_names() const;
};

// Throws Error (input), beginning with the name, where the model is of something else or does not
// say how it was trained.
TrainedGraph trained_graph(Model model, const std::string& name);

// Throws Error (input) unless the graph takes images of the dataset's size, or patches of them.
void check_images(const TrainedGraph& trained, const Dataset& dataset);

// Throws Error (input) where both sides name the classes of labels, and otherwise: then labels mean
// something else. Names as class names of a TrainedGraph are, or of a dataset.
void check_class_names(const TrainedGraph& trained, const std::vector<std::string>& others,
                       const std::string& whose);

// The same error, with the model and the file in front where it names neither.
Error about(const Error& error, const TrainedGraph& trained, const Dataset& dataset);

// What a user must know where pixels are stored otherwise than those of the training; else empty.
std::string pixel_note(const TrainedGraph& trained, const Dataset& dataset);

}  // namespace ratnet::inline v1
