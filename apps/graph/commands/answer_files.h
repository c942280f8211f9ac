// What `predict` writes of the samples of one file: a table, and arrays of images.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "../../../train/loader.h"
#include "../trained_graph.h"

namespace ratnet::inline v1 {

struct AnswerPaths {
  std::string table, sidecar, arrays;
};
// FOLDER/<stem of the input>_desc-predicted_...
AnswerPaths answer_paths(const std::string& folder, const std::string& input);

// The outputs of the graph that answers are made of.
std::vector<std::string> answer_outputs(const TrainedGraph& trained);

// Throws Error (input) where two arrays of a file would go by one name. probabilities: of masks.
void check_array_names(const TrainedGraph& trained, bool probabilities);

class AnswerFiles {
 public:
  // probabilities: of masks, in an array of their own. Nothing is there before commit(). Throws
  // Error (file_system) where the table cannot be written.
  AnswerFiles(const TrainedGraph& trained, const Dataset& dataset, bool probabilities,
              const AnswerPaths& paths);
  ~AnswerFiles();

  // The next samples of the dataset in its order; outputs: answer_outputs(), [B, ...] f32.
  void add(const Batch& batch, std::span<const View> outputs);
  void commit();
  bool has_arrays() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ratnet::inline v1
