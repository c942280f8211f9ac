// What every training command asks, files beside its model, and its line of progress.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../../train/trainer.h"
#include "progress.h"

namespace CLI {
class App;
}

namespace ratnet::inline v1 {

struct TrainingCommandOptions {
  TrainerOptions trainer;
  std::string output;  // model file
  std::string json;    // file for the test figures, or empty
  std::string optimiser = "adam";
  std::vector<std::string> groups;
  std::string schedule = "one-cycle";
  std::string monitor = "loss";
  std::string device = "auto";
  std::string precision = "f32";
  bool tune = false;
  bool plateau_given = false;  // an option that only the schedule plateau reads
  bool monitor_given = false;

  // Turns the texts into trainer's options, which it returns, with the checkpoint and the log
  // beside the model file. Says on stderr what becomes of a checkpoint that is there. Throws Error:
  // usage for values that make no sense, file_system where model or figures cannot be written.
  TrainerOptions& finish();
};
// The options' defaults are what `options` holds; -o is not required.
void add_training_options(CLI::App& command, TrainingCommandOptions& options);

// Throws Error (usage) where options stand before the name of a system's training, which are those
// of train --graph.
void refuse_options_before(const CLI::App& command);

// A progress bar over the steps of a stage, with a sentence for every finished epoch.
class TrainingProgressLine {
 public:
  // False where the user has interrupted: what a TrainingCallback returns.
  bool update(const std::string& stage, const TrainingProgress& training);
  // Lets a training tell here what it takes and how far it has judged its validation samples.
  void follow(TrainerOptions& training);
  // The same of test samples that are judged.
  bool testing(std::int64_t done, std::int64_t of);
  void say(const std::string& sentence);
  void finish() { progress_.reset(); }

 private:
  void tell(const TrainingMemory& memory);
  bool judging(std::int64_t done, std::int64_t of);
  bool count(const std::string& stage, std::int64_t done, std::int64_t of);

  std::unique_ptr<Progress> progress_;
  std::string stage_;
  std::int64_t step_ = 0;
};

}  // namespace ratnet::inline v1
