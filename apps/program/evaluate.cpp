#include "evaluate.h"

#include <CLI/CLI.hpp>

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
  const Model model = load_model(named.model);
  options.check_for(model.system);
  if (model.system == "anomaly")
    evaluate_anomaly(options);
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

void EvaluateOptions::check_for(const std::string& system) const {
  if (system == "anomaly") {
    require(!brain_level, "--brain-level is for models of dark slices");
    scan.check_used(false);
  } else {
    require(healthy.empty(), "--healthy is for models of anomalies");
    require(suffix.empty(), "--suffix is for models of anomalies");
  }
}

void add_evaluate(CLI::App& program) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command = program.add_subcommand(
      "evaluate", "Judge a model on labelled slices or scans, with simple rules beside it");
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
                   "the one that a model of anomalies was trained on)")
      ->capture_default_str();
  command->add_option("--brain-level", options->brain_level,
                      "dark slices: mean of the brain in good slices, in the file's units; "
                      "otherwise the file's attribute `scale`, else an estimate; of scans, an "
                      "estimate of each");
  command->add_option("--healthy", options->healthy,
                      "anomalies: the file or folder that the model was trained on, of which "
                      "baselines learn that have to; not needed where that is what to judge");
  command->add_option("--suffix", options->suffix, "anomalies: " + std::string(kSuffixHelp));
  command->add_option("--json", options->json,
                      "write all figures to this file (- for the terminal)");
  add_scan_options(*command, options->scan);
  add_compute_options(*command, options->compute);
  command->footer(
      "Example:\n"
      "  ratnet simulate dark-slices --animals 8 --seed 5 -o slices.h5 --nifti scans\n"
      "  ratnet evaluate slices.h5 --split all --json figures.json\n"
      "  ratnet evaluate scans");
  command->callback([options] { run(*options); });
}

}  // namespace ratnet::inline v1
