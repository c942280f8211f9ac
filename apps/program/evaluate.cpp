#include "evaluate.h"

#include <numeric>

#include <CLI/CLI.hpp>

#include "../../train/split.h"
#include "commands.h"
#include "inputs.h"
#include "models.h"
#include "output.h"

namespace ratnet::inline v1 {
namespace {

void run(EvaluateOptions options) {
  const ModelAndInputs named = split_model(options.files);
  options.model = named.model;
  options.files = named.inputs;
  require(!options.files.empty(), "evaluate needs a file of slices, or scans with labels");
  if (!options.json.empty() && options.json != "-") check_can_write(options.json);
  if (!options.reliability.empty()) check_can_write(options.reliability);
  Model model = load_model(named.model);
  options.check_for(model.system);
  if (model.system == "anomaly")
    evaluate_anomaly(options);
  else if (model.system == "graph")
    evaluate_graph(std::move(model), options);
  else
    evaluate_dark_slices(model, options);  // throws where the model is of something else
}

}  // namespace

std::optional<Split> EvaluateOptions::wanted_split(bool has_splits) const {
  if (split == "all") return std::nullopt;
  if (split == "auto") return has_splits ? std::optional(Split::test) : std::nullopt;
  for (const Split known : {Split::train, Split::validation, Split::test})
    if (split == name_of(known)) return known;
  fail(ErrorKind::usage, "unknown split '", split, "': use train, validation, test, all or auto");
}

std::vector<std::int64_t> EvaluateOptions::chosen(const Dataset& dataset,
                                                  const std::vector<Split>& splits,
                                                  std::vector<std::string>& notes) const {
  const std::optional<Split> wanted = wanted_split(!splits.empty());
  if (!wanted) {
    if (split != "all") notes.push_back("the file has no `split`: all of it is judged");
    std::vector<std::int64_t> all(static_cast<std::size_t>(dataset.size()));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  if (splits.empty()) fail(ErrorKind::input, dataset.name(), ": has no `split`; use --split all");
  std::vector<std::int64_t> indices = indices_of(splits, *wanted);
  if (indices.empty())
    fail(ErrorKind::input, dataset.name(), ": has no slices in split ", name_of(*wanted));
  return indices;
}

void EvaluateOptions::check_for(const std::string& system) const {
  const bool anomaly = system == "anomaly", graph = system == "graph";
  require(!brain_level || !(anomaly || graph), "--brain-level is for models of dark slices");
  require(anomaly || healthy.empty(), "--healthy is for models of anomalies");
  require(anomaly || suffix.empty(), "--suffix is for models of anomalies");
  require(graph || against.empty(), "--against is for models of `train --graph`");
  require(graph || reliability.empty(), "--reliability is for models of `train --graph`");
  require(graph || spacing.empty(), "--spacing is for models of `train --graph`");
  require(graph || !window.given(), "--overlap and --flips are for models of `train --graph`");
  if (anomaly || graph) scan.check_used(false);
}

void add_evaluate(CLI::App& program) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command = program.add_subcommand(
      "evaluate", "Judge a model on samples whose truth is known, with simple rules beside it");
  command
      ->add_option(
          "files", options->files,
          "[MODEL.safetensors] SLICES.h5, or, for dark slices, scans (.nii, .nii.gz) and "
          "folders of them with labels beside each, in NAME_desc-truth_slices.tsv; "
          "without a model, the one for dark slices that ships; for anomalies, a scan or a "
          "folder of scans with masks beside them, NAME_label-lesion_mask.nii.gz")
      ->required();
  command
      ->add_option("--split", options->split,
                   "train, validation, test, all, or auto (test where the file has splits, or is "
                   "the one that a model of anomalies or of a graph was trained on)")
      ->capture_default_str();
  command->add_option("--brain-level", options->brain_level,
                      "dark slices: mean of the brain in good slices, in the file's units; "
                      "otherwise the file's attribute `scale`, else an estimate; of scans, an "
                      "estimate of each");
  command->add_option("--healthy", options->healthy,
                      "anomalies: the file or folder that the model was trained on, of which "
                      "baselines learn that have to; not needed where that is what to judge");
  command->add_option("--suffix", options->suffix, "anomalies: " + std::string(kSuffixHelp));
  command->add_option("--against", options->against,
                      "graphs: another model that is judged on the same samples, with tests of "
                      "whether one is better (McNemar; DeLong, with two classes)");
  command->add_option("--reliability", options->reliability,
                      "graphs that tell samples apart: draw to this PNG file how often "
                      "probabilities are right");
  command
      ->add_option("--spacing", options->spacing,
                   "graphs that find masks: mm between pixels along [D,] H, W, for distances in mm "
                   "in place of pixels")
      ->delimiter(',')
      ->allow_extra_args(false);  // what follows is the model and the file
  add_window_options(*command, options->window);
  command->add_option("--json", options->json,
                      "write all figures to this file (- for the terminal)");
  add_scan_options(*command, options->scan);
  add_compute_options(*command, options->compute);
  command->footer(
      "Example:\n"
      "  ratnet simulate dark-slices --animals 8 --seed 5 -o dark.h5 --nifti scans\n"
      "  ratnet evaluate dark.h5 --split all --json figures.json\n"
      "  ratnet evaluate scans\n"
      "Example, where unet.json holds a graph and slices.h5 its images:\n"
      "  ratnet train --graph unet.json slices.h5 -o unet.safetensors --epochs 1\n"
      "  ratnet evaluate unet.safetensors slices.h5 --json unet_figures.json");
  command->callback([options] { run(*options); });
}

}  // namespace ratnet::inline v1
