// A trained network with all that is needed to use and to judge it: one safetensors file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph.h"
#include "weights.h"

namespace ratnet::inline v1 {

// One thing done to an image before the network sees it, by name with its numbers, in order:
// {"resample", {{"rows", 64}, {"columns", 64}}}, {"divide_by_brain_level", {{"times", 64}}}. What
// depends on a whole run, such as its scale, is an input of the analysis and not stored.
struct PreprocessingStep {
  std::string name;
  std::map<std::string, double> values;
};

struct Model {
  std::string system;  // which analysis it is for: "dark_slices"
  Graph graph;
  Weights weights;
  // What stands beside the network and is too large for `coefficients`: f32, by name.
  std::map<std::string, Tensor> arrays;
  std::vector<PreprocessingStep> preprocessing;
  std::vector<std::string> class_names;       // by output of the network
  double threshold = 0.5;                     // on the probability of the last class
  std::map<std::string, double> calibration;  // how the threshold and temperature came about
  std::map<std::string, double> metrics;      // on held-out data
  std::map<std::string, std::vector<double>> coefficients;  // of what stands beside the network
  std::map<std::string, std::string> provenance;            // data hash, seed, version, settings
  std::vector<std::string> warnings;  // what a user must be told: "trained with ..."
};

// Throws Error: file_system where it cannot be written; usage for weights or arrays that are not
// f32, or a threshold or coefficient that is not finite, input for weights that are not the
// graph's. Metrics may be NaN (infinities become NaN).
void save_model(const Model& model, const std::string& path);

// Throws Error, beginning with the path: file_system where it cannot be read, input where it is
// not a model of ours, is damaged, or comes from a newer version.
Model load_model(const std::string& path);

}  // namespace ratnet::inline v1
