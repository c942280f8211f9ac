// ratnet evaluate, of models of anomalies
#include <algorithm>

#include "../../../kernels/open.h"
#include "../../../train/dataset.h"
#include "../../program/evaluate.h"
#include "../../program/inputs.h"
#include "../../program/progress.h"
#include "../cohort_split.h"
#include "../comparison.h"
#include "../ground_truth.h"
#include "prepared_cohort.h"
#include "print_anomalies.h"

namespace ratnet::inline v1 {
namespace {

bool trained_on(const AnomalyModel& model, const PreparedCohort& cohort) {
  return model.model.provenance.at("data_hash") == cohort.hash;
}

LearntBaselines learn(const AnomalyModel& model, const PreparedCohort& training) {
  if (!trained_on(model, training))
    fail(ErrorKind::input, training.name, ": is not what the model was trained on");
  const std::vector<Split> splits = training.splits();
  return calibrated_baselines(of_split(training.subjects, splits, Split::train),
                              of_split(training.subjects, splits, Split::validation), model.score);
}

// Throws Error (input) where nothing is known of anybody: no figure could be given.
void check_truth(const std::string& path, const std::vector<PreparedSubject>& subjects) {
  if (std::ranges::any_of(subjects, is_known)) return;
  fail(ErrorKind::input, path, ": tells of nobody where lesions are or that there are none; ",
       is_hdf5_name(path) ? std::string("add 'masks' or 'labels'")
                          : text("a mask is looked for beside each scan, in NAME",
                                 kLesionMaskEnding, ", empty where there is no lesion"));
}

}  // namespace

void evaluate_anomaly(const EvaluateOptions& options) {
  require(options.files.size() == 1,
          "evaluate takes one file of slices with lesions, or one folder of scans with masks, got ",
          options.files.size());
  check_suffix(options.suffix, {options.files[0], options.healthy});
  const AnomalyModel anomaly = load_anomaly_model(options.model);
  PreparedCohort judged =
      prepare_cohort(options.files[0], anomaly.preparation, ScanMasks::read, options.suffix);
  const bool own = trained_on(anomaly, judged);
  std::optional<LearntBaselines> learnt;
  if (!options.healthy.empty())
    learnt = learn(anomaly, prepare_cohort(options.healthy, anomaly.preparation, ScanMasks::ignored,
                                           options.suffix));
  else if (own)
    learnt = learn(anomaly, judged);
  const std::optional<Split> split = options.wanted_split(own || judged.states_splits);
  std::vector<PreparedSubject> subjects;
  if (split) {
    if (!own && !judged.states_splits)
      fail(ErrorKind::input, options.files[0], ": has no `split`; use --split all");
    const std::vector<Split> splits = judged.splits();
    for (std::size_t i = 0; i < splits.size(); ++i)
      if (splits[i] == *split) subjects.push_back(std::move(judged.subjects[i]));
    if (subjects.empty())
      fail(ErrorKind::input, options.files[0], ": has no subjects in split ", name_of(*split),
           own && options.split == "auto"
               ? "; all of them made the model, so judge it by others, or by --split all, which "
                 "flatters"
               : "");
  } else {
    subjects = std::move(judged.subjects);
  }

  check_truth(options.files[0], subjects);

  const QueueHandle queue = open_queue({.device = parse_device(options.compute.device),
                                        .threads = options.compute.threads,
                                        .executor = {},
                                        .tuner = tuning_if(options.compute.tune)});
  Plan plan(anomaly.model.graph, std::make_shared<Parameters>(queue, anomaly.model.weights),
            {.batch = scoring_batch(anomaly.model.graph),
             .precision = parse_precision(options.compute.precision)});
  ThreadPool pool(options.compute.threads);
  Progress progress("judging", "subjects", static_cast<std::int64_t>(subjects.size()));
  progress.update(0);
  AnomalyEvaluation evaluation = compare(plan, anomaly, subjects, learnt, pool,
                                         [&](std::int64_t done) { progress.update(done); });
  progress.finish();
  const bool learnt_from = std::ranges::any_of(subjects, [&](const PreparedSubject& subject) {
    return count_learnt_slices(anomaly, subject).value_or(0) > 0;
  });
  if (learnt_from || (own && split != Split::test))
    evaluation.warnings.push_back(
        "slices that the model learnt from or was calibrated on are among those judged, so these "
        "figures are flattered");
  if (!learnt)
    evaluation.warnings.push_back(
        "baselines that learn are left out: state the file that the model was trained on "
        "(--healthy)");
  for (const std::string& warning : anomaly.model.warnings)
    evaluation.warnings.push_back("the model: " + warning);
  give(evaluation, options);
}

}  // namespace ratnet::inline v1
