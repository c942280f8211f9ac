// ratnet evaluate: one command, and how each system judges its models.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "../../core/atomic_file.h"
#include "../../network/model.h"
#include "../../train/dataset.h"
#include "options.h"
#include "window_options.h"

namespace ratnet::inline v1 {

struct EvaluateOptions {
  std::string model;               // its file
  std::vector<std::string> files;  // behind it
  std::string split = "auto";
  std::optional<double> brain_level;
  std::string healthy;
  std::string suffix;
  std::string json;  // "-": standard output, in place of the table
  std::string against, reliability;
  std::vector<double> spacing;
  WindowCommandOptions window;
  ScanOptions scan;
  ComputeOptions compute;

  // The split to judge, or none: everything. `auto` is test where there are splits. Throws Error
  // (usage) for a split of another name.
  std::optional<Split> wanted_split(bool has_splits) const;
  // The samples of that split, or all. splits: as far as they are known. Says in `notes` that all
  // are judged where nobody asked for that. Throws Error (input) where there are no such samples.
  std::vector<std::int64_t> chosen(const Dataset& dataset, const std::vector<Split>& splits,
                                   std::vector<std::string>& notes) const;
  // Throws Error (usage) where an option of the other systems is given.
  void check_for(const std::string& system) const;
};

// The table and the file that were asked for, or the figures in the table's place.
template <class Evaluation>
void give(const Evaluation& evaluation, const EvaluateOptions& options) {
  if (options.json != "-") print_evaluation(evaluation, stdout);
  if (options.json == "-")
    std::fputs(to_json(evaluation).c_str(), stdout);
  else if (!options.json.empty())
    write_file(options.json, to_json(evaluation));
}

void evaluate_dark_slices(const Model& model, const EvaluateOptions& options);
void evaluate_anomaly(const EvaluateOptions& options);
void evaluate_graph(Model model, const EvaluateOptions& options);

}  // namespace ratnet::inline v1
