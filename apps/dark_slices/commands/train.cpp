// ratnet train dark-slices
#include <filesystem>

#include <CLI/CLI.hpp>

#include "../../../core/atomic_file.h"
#include "../../../train/hdf5_dataset.h"
#include "../../../train/resampled_dataset.h"
#include "../../program/commands.h"
#include "../../program/interrupt.h"
#include "../../program/options.h"
#include "../../program/training_options.h"
#include "../training.h"
#include "print_evaluation.h"

namespace ratnet::inline v1 {
namespace {

struct Options {
  std::string data;
  DarkSlicesTrainingOptions training;
  TrainingCommandOptions command;
};

void remove_checkpoints(const TrainerOptions& trainer, int folds) {
  std::error_code ignored;
  std::filesystem::remove(trainer.checkpoint_path, ignored);
  for (int fold = 1; fold <= folds; ++fold)
    std::filesystem::remove(trainer.checkpoint_path + ".fold" + std::to_string(fold), ignored);
}

void run(Options options) {
  TrainerOptions& trainer = options.command.finish();
  require(trainer.monitor != Monitor::dice, "dark slices have no masks: monitor loss or auroc");
  TrainingProgressLine line;
  line.follow(trainer);
  options.training.trainer = trainer;

  const auto dataset = resampled(open_hdf5_slices(options.data), 64, 64);
  for (const std::string& note : dataset->notes()) std::fprintf(stderr, "note: %s\n", note.c_str());

  catch_interrupts();
  DarkSlicesTrainingCallbacks callbacks;
  callbacks.say = [&](const std::string& sentence) { line.say(sentence); };
  callbacks.progress = [&](const std::string& stage, const TrainingProgress& p) {
    return line.update(stage, p);
  };
  const DarkSlicesTrainingResult result = train_dark_slices(*dataset, options.training, callbacks);
  line.finish();
  if (result.interrupted)
    throw Interrupted{"the same command with --resume goes on from " + trainer.checkpoint_path};
  save_model(result.model, options.command.output);
  remove_checkpoints(trainer, options.training.folds);
  if (result.test) {
    std::printf("on test subjects it never saw:\n");
    print_evaluation(*result.test, stdout);
    if (const std::string& json = options.command.json; !json.empty())
      write_file(json, to_json(*result.test));
  }
  std::printf(
      "threshold %.4f, chosen for %.3g%% false positives on validation subjects\n"
      "model: %s\n",
      result.model.threshold, 100 * options.training.false_positive_rate,
      options.command.output.c_str());
}

}  // namespace

void add_train_dark_slices(CLI::App& train) {
  auto options = std::make_shared<Options>();
  CLI::App* command = train.add_subcommand(
      "dark-slices", "RatNet, from labelled slices in HDF5 (docs/file-formats.md)");
  command->add_option("data", options->data, "HDF5 file of slices, labelled 0 good, 1 dark")
      ->required();
  options->command.trainer = dark_slices_defaults();
  add_training_options(*command, options->command);
  command->get_option("--output")->required();
  command
      ->add_option("--folds", options->training.folds,
                   "also cross-validate by subject in that many folds (0: no)")
      ->capture_default_str();
  command
      ->add_option("--false-positive-rate", options->training.false_positive_rate,
                   "for which the threshold is chosen, on validation subjects")
      ->capture_default_str();
  command->add_option("--brain-level", options->training.brain_level,
                      "mean of the brain in good slices, in the file's units; otherwise the file's "
                      "attribute `scale`, else an estimate");
  command->add_flag("--allow-leakage", options->training.allow_leakage,
                    "train although the file names no subjects; the model will say so for ever");
  command->footer(
      "Beside MODEL.safetensors it keeps MODEL.checkpoint.safetensors while it works, and\n"
      "MODEL.log.jsonl, one JSON object a line.\n"
      "Example:\n"
      "  ratnet simulate dark-slices --animals 12 --seed 1 -o cohort.h5\n"
      "  ratnet train dark-slices cohort.h5 -o model.safetensors --epochs 2");
  command->callback([options, command] {
    refuse_options_before(*command);
    run(*options);
  });
}

}  // namespace ratnet::inline v1
