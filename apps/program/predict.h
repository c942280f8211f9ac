// ratnet predict: one command, and what each system's models say.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../../network/model.h"
#include "options.h"

namespace ratnet::inline v1 {

struct PredictOptions {
  std::string model;               // its file
  std::vector<std::string> files;  // behind it
  std::string output;
  std::optional<double> brain_level;
  bool probabilities = false;
  ScanOptions scan;
  ComputeOptions compute;

  // Throws Error (usage) where an option of the other systems is given.
  void check_for(const std::string& system) const;
};

void predict_dark_slices(const Model& model, const PredictOptions& options);
void predict_graph(Model model, const PredictOptions& options);

}  // namespace ratnet::inline v1
