// ratnet train --graph
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>

#include "../../core/atomic_file.h"
#include "../../train/graph_training.h"
#include "../../train/hdf5_dataset.h"
#include "commands.h"
#include "graph_file.h"
#include "interrupt.h"
#include "judgement.h"
#include "options.h"
#include "training_options.h"

namespace ratnet::inline v1 {
namespace {

struct Options {
  std::string graph, data, start;
  std::optional<double> scale;  // by the type of the pixels where it is not given
  bool allow_leakage = false;
  TrainingCommandOptions training;
};

void print(const Judgement& test, bool doubtful) {
  std::printf("on %lld test images%s: loss %.5g", static_cast<long long>(test.samples),
              doubtful ? "" : " that it never saw", test.loss);
  if (!test.scores.empty()) std::printf(", accuracy %.4f, AUROC %.4f", test.accuracy, test.auroc);
  if (!test.overlap.empty()) std::printf(", Dice %.4f", test.dice);
  std::printf("\n");
}

void run(Options options) {
  require(
      !options.graph.empty() && !options.data.empty() && !options.training.output.empty(),
      "train needs --graph FILE, an HDF5 file and -o FILE, or the name of a system (ratnet train "
      "--help)");
  GraphFile file = read_graph_file(options.graph);
  std::shared_ptr<const Model> start;
  if (!options.start.empty()) start = std::make_shared<const Model>(load_model(options.start));
  TrainerOptions& trainer = options.training.finish();

  const auto dataset = open_hdf5_slices(options.data, {.labels_required = false});
  for (const std::string& note : dataset->notes()) std::fprintf(stderr, "note: %s\n", note.c_str());
  // Masks are read only where a loss needs them.
  const bool labelled = !dataset->table().labels.empty();
  const bool chosen = file.objective.has_value();
  if (!chosen) file.objective = default_objective(file.graph, labelled, true);
  const auto masks =
      reads(*file.objective, LossTarget::masks) ? open_hdf5_masks(options.data) : nullptr;
  if (!chosen && reads(*file.objective, LossTarget::masks) && !masks)
    file.objective = default_objective(file.graph, labelled, false);
  trainer.loader.masks = masks.get();
  if (file.augmentation) trainer.loader.change = sample_change(*file.augmentation);
  if (!chosen)
    std::fprintf(stderr, "note: %s names no losses; trained with %s\n", options.graph.c_str(),
                 to_json(*file.objective).c_str());

  catch_interrupts();
  TrainingProgressLine line;
  line.follow(trainer);
  const GraphTrainingResult result = train_graph(
      file.graph, *file.objective, *dataset,
      {.trainer = trainer,
       .scale = options.scale,
       .patches = file.patches,
       .start = start,
       .start_name = std::filesystem::path(options.start).filename().string(),
       .allow_leakage = options.allow_leakage},
      {.progress = [&](const TrainingProgress& p) { return line.update("training", p); },
       .testing = [&](std::int64_t done, std::int64_t of) { return line.testing(done, of); },
       .say = [&](const std::string& sentence) { line.say(sentence); }});
  line.finish();
  if (result.interrupted)
    throw Interrupted{"the same command with --resume goes on from " + trainer.checkpoint_path};
  save_model(result.model, options.training.output);
  std::error_code ignored;
  std::filesystem::remove(trainer.checkpoint_path, ignored);
  if (result.test) print(*result.test, !result.model.warnings.empty());
  if (const std::string& json = options.training.json; !json.empty())
    write_file(json, to_json(result.test.value_or(Judgement())) + "\n");
  std::printf("model: %s\n", options.training.output.c_str());
}

}  // namespace

void add_train_graph(CLI::App& train) {
  auto options = std::make_shared<Options>();
  train.add_option("--graph", options->graph,
                   "a network as JSON (docs/graphs.md), trained on images with labels, masks or "
                   "nothing");
  train.add_option("data", options->data, "HDF5 file of images (docs/file-formats.md)");
  train.add_option(
      "--scale", options->scale,
      "what pixels are multiplied by (by default 1/255 for u8, 1/65535 for u16, 1/32767 "
      "for i16, 1 for f32)");
  train.add_option("--start", options->start,
                   "model whose weights it starts with, by their names; those that it does not "
                   "have are drawn");
  train
      .add_option("--freeze", options->training.trainer.freeze,
                  "names of weights that stay as they start, such as 'encoder*' (may be repeated)")
      ->allow_extra_args(false);
  train.add_flag("--allow-leakage", options->allow_leakage,
                 "train although the file names no subjects; the model will say so for ever");
  add_training_options(train, options->training);
  train.footer(
      "Example, where unet.json holds a graph:\n"
      "  ratnet train --graph unet.json slices.h5 -o unet.safetensors --epochs 20");
  train.callback([options, &train] {
    if (train.get_subcommands().empty()) run(*options);
  });
}

}  // namespace ratnet::inline v1
