// ratnet evaluate
#include <numeric>

#include <CLI/CLI.hpp>

#include "../../../core/atomic_file.h"
#include "../../../train/hdf5_dataset.h"
#include "../../../train/resampled_dataset.h"
#include "../../../train/split.h"
#include "../../program/commands.h"
#include "../../program/models.h"
#include "../../program/output.h"
#include "../../program/progress.h"
#include "print_evaluation.h"

namespace ratnet::inline v1 {
namespace {

struct Options {
  std::vector<std::string> arguments;
  std::string split = "auto";
  std::optional<double> brain_level;
  std::string json;
  std::string device = "auto";
  int threads = 0;
};

// The images of the split that was asked for; `auto` takes test where the file has splits.
std::vector<std::int64_t> chosen(const Dataset& dataset, const std::string& split,
                                 std::vector<std::string>& notes) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(dataset.size()));
  std::iota(all.begin(), all.end(), 0);
  const auto& splits = dataset.table().splits;
  if (split == "all") return all;
  if (splits.empty()) {
    if (split != "auto")
      fail(ErrorKind::input, dataset.name(), ": has no `split`; use --split all");
    notes.push_back("the file has no `split`: all of it is judged");
    return all;
  }
  for (const Split which : {Split::train, Split::validation, Split::test})
    if (split == name_of(which) || (split == "auto" && which == Split::test)) {
      std::vector<std::int64_t> indices = indices_of(splits, which);
      if (indices.empty())
        fail(ErrorKind::input, dataset.name(), ": has no slices in split ",
             std::string(name_of(which)));
      return indices;
    }
  fail(ErrorKind::usage, "unknown split '", split, "': use train, validation, test, all or auto");
}

void run(const Options& options) {
  const ModelAndInputs named = split_model(options.arguments);
  require(named.inputs.size() == 1, "evaluate takes one file of slices, got ", named.inputs.size());
  if (!options.json.empty() && options.json != "-") check_can_write(options.json);
  const Model model = load_model(named.model);
  const ModelGrid grid = grid_of(model);
  const auto dataset = resampled(open_hdf5_slices(named.inputs[0]), grid.rows, grid.columns);
  std::vector<std::string> notes = dataset->notes();
  const std::vector<std::int64_t> indices = chosen(*dataset, options.split, notes);
  for (const std::string& warning : model.warnings) notes.push_back("the model: " + warning);

  Predictor predictor(
      model, {.batch = 256, .threads = options.threads, .device = parse_device(options.device)});
  const DatasetScale scale = scale_of(*dataset, options.brain_level);
  notes.push_back(text("scale: brain level ", scale.brain_level, " (", name_of(scale.source), ")"));
  Progress progress("judging", "slices", static_cast<std::int64_t>(indices.size()));
  const SliceScores scores = score_dataset(predictor, model, *dataset, scale, indices,
                                           [&](std::int64_t done) { progress.update(done); });
  progress.finish();
  DarkSlicesEvaluation evaluation =
      evaluate_dark_slices(scores, *dataset, indices, logistic_of(model));
  evaluation.notes.insert(evaluation.notes.begin(), notes.begin(), notes.end());
  if (options.json == "-") {
    std::fputs(to_json(evaluation).c_str(), stdout);
    return;
  }
  print_evaluation(evaluation, stdout);
  if (!options.json.empty()) write_file(options.json, to_json(evaluation));
}

}  // namespace

void add_evaluate(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "evaluate", "Judge a model on labelled slices, with simple rules beside it");
  command
      ->add_option("files", options->arguments,
                   "[MODEL.safetensors] SLICES.h5; without a model, the one that ships")
      ->required();
  command
      ->add_option("--split", options->split,
                   "train, validation, test, all, or auto (test where the file has splits)")
      ->capture_default_str();
  command->add_option("--brain-level", options->brain_level,
                      "mean of the brain in good slices, in the file's units; otherwise the file's "
                      "attribute `scale`, else an estimate");
  command->add_option("--json", options->json,
                      "write all figures to this file (- for the terminal)");
  command->add_option("--device", options->device, "cpu, cuda, cuda:N or auto")
      ->capture_default_str();
  command->add_option("--threads", options->threads, "0: one for every processor")
      ->capture_default_str();
  command->footer(
      "Example:\n"
      "  ratnet simulate dark-slices --animals 8 --seed 5 -o slices.h5\n"
      "  ratnet evaluate slices.h5 --split all --json figures.json");
  command->callback([options] { run(*options); });
}

}  // namespace ratnet::inline v1
