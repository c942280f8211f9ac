// ratnet predict: one command, and what each system's models say.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "../../network/model.h"
#include "inputs.h"
#include "options.h"
#include "window_options.h"

namespace ratnet::inline v1 {

struct PredictOptions {
  std::string model;               // its file
  std::vector<std::string> files;  // behind it
  std::string output;
  std::optional<double> brain_level;
  bool probabilities = false;
  WindowCommandOptions window;
  ScanOptions scan;
  ComputeOptions compute;

  // Throws Error (usage) where an option of the other systems is given.
  void check_for(const std::string& system) const;
};

// Does work(input, the folder of its results) for one input after the other, until somebody
// interrupts. table(path, folder): the file that a result goes to. Throws Error (usage) where two
// inputs have one; tells, and returns, which could not be used.
UnusableInputs for_each_input(
    const std::vector<Input>& inputs, const std::string& output,
    const std::function<std::string(const std::string& path, const std::string& folder)>& table,
    const std::function<void(const Input& input, const std::string& folder)>& work);

void predict_dark_slices(const Model& model, const PredictOptions& options);
void predict_graph(Model model, const PredictOptions& options);

}  // namespace ratnet::inline v1
