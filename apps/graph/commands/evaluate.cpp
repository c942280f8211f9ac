// ratnet evaluate, of models of `train --graph`
#include <filesystem>

#include "../../../kernels/open.h"
#include "../../../train/hdf5_dataset.h"
#include "../../program/evaluate.h"
#include "../../program/inputs.h"
#include "../../program/progress.h"
#include "../../report/reliability_png.h"
#include "../evaluation.h"
#include "../known_samples.h"
#include "print_evaluation.h"

namespace ratnet::inline v1 {
namespace {

void warn_of_learnt(const TrainedGraph& trained, const Dataset& dataset,
                    const std::vector<std::int64_t>& indices, std::vector<std::string>& warnings) {
  const std::string& path = trained.name;
  const auto learnt = learnt_among(trained, dataset, indices);
  if (!learnt)
    warnings.push_back(path +
                       " does not tell which images it learnt from: whether they are among those "
                       "judged is not known");
  else if (learnt->images || learnt->subjects)
    warnings.push_back(text(
        path, " learnt from, or was validated on, ", learnt->images, " of the images judged",
        learnt->subjects ? text(" and other images of the subjects of ", learnt->subjects, " more")
                         : "",
        ": its figures are flattered"));
  for (const std::string& warning : trained.model.warnings)
    warnings.push_back(text(path, ": ", warning));
}

// A file of samples, with masks where they are read.
struct Samples {
  std::unique_ptr<Dataset> dataset, masks;
};

Samples open_samples(const std::string& path, bool masks) {
  return {open_hdf5_slices(path, {.labels_required = false}),
          masks ? open_hdf5_masks(path) : nullptr};
}

GraphEvaluation judge(const TrainedGraph& trained, const Samples& samples,
                      const std::vector<std::int64_t>& indices, const EvaluateOptions& options) {
  const QueueHandle queue = open_queue({.device = parse_device(options.compute.device),
                                        .threads = options.compute.threads,
                                        .executor = {},
                                        .tuner = tuning_if(options.compute.tune)});
  Progress progress("judging", "samples", std::ssize(indices));
  progress.update(0);
  GraphEvaluation evaluation =
      evaluate_graph(trained, queue, *samples.dataset, samples.masks.get(), indices,
                     {.precision = parse_precision(options.compute.precision),
                      .threads = options.compute.threads,
                      .window = options.window.window(options.model, trained.patch_axes()),
                      .spacing = options.spacing,
                      .progress = [&](std::int64_t done) { progress.update(done); }});
  progress.finish();
  return evaluation;
}

}  // namespace

void evaluate_graph(Model model, const EvaluateOptions& options) {
  require(options.files.size() == 1 && is_hdf5_name(options.files[0]),
          "evaluate takes one HDF5 file (.h5, .hdf5) for a model of `train --graph`");
  const TrainedGraph trained = trained_graph(std::move(model), options.model);
  const bool classes = trained.by_label.has_value();
  require(classes || (options.against.empty() && options.reliability.empty()), options.model,
          ": tells no samples apart, which --against and --reliability are for");
  require(trained.by_mask || options.spacing.empty(), options.model,
          ": finds no masks, which --spacing is for");
  options.window.window(options.model, trained.patch_axes());  // refuses before it reads the file
  // Beyond these it is another unit, and distances come out as zeros or without end.
  constexpr double kLeast = 1e-3, kMost = 1e3;
  for (const double step : options.spacing)
    require(step >= kLeast && step <= kMost, "--spacing ", step, ": expected ", kLeast, " to ",
            kMost, " mm between pixels");
  std::optional<TrainedGraph> other;
  if (!options.against.empty()) {
    other = trained_graph(load_model(options.against), options.against);
    if (!other->by_label || other->by_label->classes() != trained.by_label->classes())
      fail(ErrorKind::input, options.against, ": does not tell the same ",
           trained.by_label->classes(), " classes of samples apart");
    check_class_names(trained, other->model.class_names, other->name);
  }

  const Samples samples =
      open_samples(options.files[0], reads(trained.objective, LossTarget::masks) ||
                                         (other && reads(other->objective, LossTarget::masks)));
  std::vector<std::string> notes = samples.dataset->notes();
  const std::vector<Split> splits = known_splits(trained, *samples.dataset);
  if (samples.dataset->table().splits.empty() && !splits.empty() && options.split != "all")
    notes.push_back("the file has no `split`: the one that the model's training made is taken");
  const std::vector<std::int64_t> chosen = options.chosen(*samples.dataset, splits, notes);
  const std::vector<std::int64_t> indices =
      usable_samples(chosen, trained.objective, *samples.dataset);
  if (const std::size_t unlabelled = chosen.size() - indices.size(); unlabelled > 0)
    notes.push_back(
        text(unlabelled, " of ", chosen.size(), " samples have no label and are left out"));
  const auto note_pixels = [&](const TrainedGraph& judged) {
    if (const std::string note = pixel_note(judged, *samples.dataset); !note.empty())
      notes.push_back(note);
  };
  note_pixels(trained);
  if (other) note_pixels(*other);

  GraphEvaluation evaluation = judge(trained, samples, indices, options);
  evaluation.notes.insert(evaluation.notes.begin(), notes.begin(), notes.end());
  warn_of_learnt(trained, *samples.dataset, indices, evaluation.warnings);
  if (other) {
    GraphEvaluation second = judge(*other, samples, indices, options);
    evaluation.comparison = {compare_classes(*evaluation.calls, *second.calls), options.against,
                             std::move(second.judgement), std::move(*second.classes)};
    evaluation.notes.push_back(
        "the tests against the other model take samples as independent: where subjects have "
        "several, p-values are too small");
    warn_of_learnt(*other, *samples.dataset, indices, evaluation.warnings);
  }
  if (!options.reliability.empty()) {
    const bool two = trained.by_label->classes() == 2;
    write_reliability_png(
        options.reliability,
        {.name = std::filesystem::path(options.model).filename().string(),
         .notes = {text(indices.size(), " samples of ", base_of(options.files[0])),
                   two ? "of class '" + evaluation.class_names[1] + "'"
                       : "of the most likely class"},
         .calibration = evaluation.classes->calibration,
         .probability = two ? "mean predicted probability" : "mean confidence",
         .fraction = two ? "fraction of the class" : "accuracy"});
  }
  give(evaluation, options);
}

}  // namespace ratnet::inline v1
