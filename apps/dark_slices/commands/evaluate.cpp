// ratnet evaluate, of models of dark slices
#include <filesystem>

#include "../../../imaging/nifti.h"
#include "../../../train/hdf5_dataset.h"
#include "../../../train/resampled_dataset.h"
#include "../../program/evaluate.h"
#include "../../program/inputs.h"
#include "../../program/progress.h"
#include "print_evaluation.h"
#include "read_labels.h"

namespace ratnet::inline v1 {
namespace {

DarkSlicesEvaluation evaluate_slices(const std::string& path, const EvaluateOptions& options,
                                     const Model& model, Predictor& predictor) {
  options.scan.check_used(false);
  const ModelGrid grid = grid_of(model);
  const auto dataset = resampled(open_hdf5_slices(path), grid.rows, grid.columns);
  std::vector<std::string> notes = dataset->notes();
  const std::vector<std::int64_t> indices =
      options.chosen(*dataset, dataset->table().splits, notes);
  const DatasetScale scale = scale_of(*dataset, options.brain_level);
  notes.push_back(text("pixels were divided by the brain level ", scale.brain_level, " (",
                       name_of(scale.source), ")"));
  Progress progress("judging", "slices", static_cast<std::int64_t>(indices.size()));
  progress.update(0);
  const SliceScores scores = score_dataset(predictor, model, *dataset, scale, indices,
                                           [&](std::int64_t done) { progress.update(done); });
  progress.finish();
  DarkSlicesEvaluation evaluation = evaluate_dark_slices(
      scores, select_rows(dataset->table(), indices), dataset->name(), logistic_of(model));
  evaluation.notes.insert(evaluation.notes.begin(), notes.begin(), notes.end());
  return evaluation;
}

// Scans with labels beside them. Of those that lie in folders, the ones without labels are left
// out.
DarkSlicesEvaluation evaluate_runs(const std::vector<Input>& inputs, const EvaluateOptions& options,
                                   const Model& model, Predictor& predictor) {
  require(options.split == "auto" || options.split == "all",
          "--split is for files of slices; of scans all are judged");
  std::vector<Input> scans;
  std::size_t without_labels = 0, slice_files = 0;
  for (const Input& input : inputs) {
    if (!is_nifti_name(input.path)) {
      require(input.from_folder,
              "evaluate takes one file of slices, or scans; this is no scan: ", input.path);
      ++slice_files;
    } else if (input.from_folder && !std::filesystem::exists(label_path(input.path))) {
      ++without_labels;
    } else {
      scans.push_back(input);
    }
  }
  if (scans.empty())
    fail(ErrorKind::input, options.files.back(), ": no scan has labels beside it; they are ",
         "looked for in ", label_path("sub-01_bold.nii.gz"), " beside sub-01_bold.nii.gz");

  LabelledRuns runs;
  Progress progress("judging", "scans", static_cast<std::int64_t>(scans.size()));
  progress.update(0);
  for (std::size_t i = 0; i < scans.size(); ++i) {
    // The labels first: they are read in no time, so a mistake in them is told in no time too.
    const std::vector<SliceLabel> labels = read_labels(label_path(scans[i].path));
    const RunScores scores =
        score_run(predictor, model, read_nifti(scans[i].path),
                  {.slices = options.scan.slices(), .brain_level = options.brain_level});
    runs.add(scores, labels, subject_of(scans[i]), scans[i].path);
    progress.update(static_cast<std::int64_t>(i + 1));
  }
  progress.finish();
  DarkSlicesEvaluation evaluation = evaluate_dark_slices(
      runs.scores, runs.truth, options.files.back(), logistic_of(model), runs.in_time);
  evaluation.notes.insert(evaluation.notes.begin(),
                          text(scans.size(), scans.size() == 1 ? " scan" : " scans",
                               ", each divided by its own brain level"));
  if (without_labels)
    evaluation.notes.push_back(text(without_labels, " more without labels were left out"));
  if (slice_files)
    evaluation.notes.push_back(
        text(slice_files, " HDF5 in the folders left out: name a file of slices by itself"));
  return evaluation;
}

}  // namespace

void evaluate_dark_slices(const Model& model, const EvaluateOptions& options) {
  try {
    grid_of(model);  // throws where the model is of something else
  } catch (const Error& error) {
    throw error.with_context(options.model);
  }
  Predictor predictor(model, {.batch = 256,
                              .threads = options.compute.threads,
                              .device = parse_device(options.compute.device),
                              .precision = parse_precision(options.compute.precision),
                              .tuner = tuning_if(options.compute.tune)});
  const std::vector<Input> inputs = find_inputs(options.files);
  const bool slices = inputs.size() == 1 && !is_nifti_name(inputs[0].path);
  DarkSlicesEvaluation evaluation = slices
                                        ? evaluate_slices(inputs[0].path, options, model, predictor)
                                        : evaluate_runs(inputs, options, model, predictor);
  for (const std::string& warning : model.warnings)
    evaluation.notes.push_back("the model: " + warning);
  give(evaluation, options);
}

}  // namespace ratnet::inline v1
