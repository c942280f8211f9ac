#include "training.h"

#include <algorithm>
#include <cmath>

#include "../../train/score.h"
#include "../../train/split.h"
#include "../../train/training_provenance.h"
#include "ratnet.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kGrid = 64;

// Slices that can be learned from or judged by: labelled good or dark, and not empty.
std::vector<std::int64_t> usable(const std::vector<std::int64_t>& indices, const Dataset& dataset,
                                 const DatasetScale& scale) {
  std::vector<std::int64_t> kept;
  for (const std::int64_t index : indices) {
    const auto i = static_cast<std::size_t>(index);
    if (dataset.table().labels[i] <= 1 && !scale.measures[i].empty) kept.push_back(index);
  }
  return kept;
}

void check_labels(const Dataset& dataset) {
  const auto& labels = dataset.table().labels;
  if (labels.empty()) fail(ErrorKind::input, dataset.name(), ": has no labels to train from");
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] > 1 && labels[i] != kUnlabelled)
      fail(ErrorKind::input, dataset.name(), ": image ", i, " has label ", int(labels[i]),
           "; dark slices are labelled 0 (good), 1 (dark) or 255 (unlabelled)");
}

void check_both_classes(const Dataset& dataset, const std::vector<std::int64_t>& indices,
                        const char* split) {
  std::array<std::int64_t, 2> counts{};
  for (const std::int64_t index : indices)
    ++counts[dataset.table().labels[static_cast<std::size_t>(index)]];
  if (counts[0] == 0 || counts[1] == 0)
    fail(ErrorKind::input, dataset.name(), ": the ", split, " split has ", counts[0], " good and ",
         counts[1], " dark slices; both are needed");
}

std::vector<std::uint8_t> labels_of(const Dataset& dataset,
                                    const std::vector<std::int64_t>& indices) {
  std::vector<std::uint8_t> labels;
  for (const std::int64_t index : indices)
    labels.push_back(dataset.table().labels[static_cast<std::size_t>(index)]);
  return labels;
}

// One training from data to result, with what its parts share.
class Work {
 public:
  Work(Dataset& dataset, const DarkSlicesTrainingOptions& options,
       const DarkSlicesTrainingCallbacks& callbacks)
      : dataset_(dataset), options_(options), callbacks_(callbacks) {
    check_labels(dataset);
    choose_splits();
    scale_ = scale_of(dataset, options.brain_level);
    say(text("scale: brain level ", scale_.brain_level, " (", name_of(scale_.source), ")"));
    for (const std::string& note : scale_.notes) say(note);
    train_ = usable(indices_of(splits_, Split::train), dataset, scale_);
    validation_ = usable(indices_of(splits_, Split::validation), dataset, scale_);
    test_ = usable(indices_of(splits_, Split::test), dataset, scale_);
    check_both_classes(dataset, train_, "training");
    check_both_classes(dataset, validation_, "validation");
    say(text("slices: ", train_.size(), " to train on, ", validation_.size(), " to validate, ",
             test_.size(), " to test"));
  }

  DarkSlicesTrainingResult run();

 private:
  void say(const std::string& sentence) const {
    if (callbacks_.say) callbacks_.say(sentence);
  }
  void choose_splits();
  TrainerOptions trainer_options() const;
  TrainingResult train(const std::string& stage, const std::vector<std::int64_t>& train,
                       const std::vector<std::int64_t>& validation, const TrainerOptions& options);
  bool cross_validate(DarkSlicesTrainingResult& result);
  Model finished_model(const TrainingResult& trained);
  void calibrate(Model& model);

  Dataset& dataset_;
  const DarkSlicesTrainingOptions& options_;
  const DarkSlicesTrainingCallbacks& callbacks_;
  std::vector<Split> splits_;
  std::vector<std::string> warnings_;
  DatasetScale scale_;
  std::vector<std::int64_t> train_, validation_, test_;
};

void Work::choose_splits() {
  ChosenSplits chosen = v1::choose_splits(
      dataset_, {.seed = options_.trainer.loader.seed, .allow_leakage = options_.allow_leakage});
  if (chosen.made)
    say(text("the file has no `split`: 70% of the ",
             dataset_.table().subjects.empty() ? "slices" : "subjects",
             " train, 15% validate, 15% test"));
  splits_ = std::move(chosen.splits);
  if (chosen.flattered)
    warnings_.push_back(
        "trained without knowing that held-out slices are of other animals: its figures on them "
        "are flattered and say nothing about new animals");
  for (const std::string& warning : warnings_) say("warning: " + warning);
}

TrainerOptions Work::trainer_options() const {
  TrainerOptions options = options_.trainer;
  options.loader.scales = scale_.factors;
  options.data_hash = combined_hash(dataset_.hashes());
  return options;
}

TrainingResult Work::train(const std::string& stage, const std::vector<std::int64_t>& train,
                           const std::vector<std::int64_t>& validation,
                           const TrainerOptions& options) {
  TrainingCallback callback;
  if (callbacks_.progress)
    callback = [&](const TrainingProgress& progress) {
      return callbacks_.progress(stage, progress);
    };
  return train_classifier(ratnet_graph(kGrid), dataset_, train, validation, options, callback);
}

// True where all folds were trained.
bool Work::cross_validate(DarkSlicesTrainingResult& result) {
  const std::vector<int> folds =
      fold_by_subject(dataset_, {.folds = options_.folds,
                                 .seed = options_.trainer.loader.seed,
                                 .allow_leakage = options_.allow_leakage});
  std::vector<std::int64_t> all = train_;
  all.insert(all.end(), validation_.begin(), validation_.end());
  std::sort(all.begin(), all.end());
  for (int fold = 0; fold < options_.folds; ++fold) {
    std::vector<std::int64_t> inside, outside;
    for (const std::int64_t index : all)
      (folds[static_cast<std::size_t>(index)] == fold ? outside : inside).push_back(index);
    check_both_classes(dataset_, inside, "training part of a fold's");
    check_both_classes(dataset_, outside, "judging part of a fold's");
    TrainerOptions options = trainer_options();
    options.patience = 0;  // the fold that judges must not also choose
    const std::string number = std::to_string(fold + 1);
    if (!options.checkpoint_path.empty()) options.checkpoint_path += ".fold" + number;
    if (!options.log_path.empty()) options.log_path += ".fold" + number;
    if (!options.events_folder.empty()) options.events_folder += "/fold" + number;
    const TrainingResult trained =
        train("fold " + number + " of " + std::to_string(options_.folds), inside, outside, options);
    if (trained.interrupted) return false;
    result.fold_auroc.push_back(trained.history.back().validation_auroc);
    say(text("fold ", number, ": AUROC ", result.fold_auroc.back(), " on ", outside.size(),
             " slices of subjects it did not see"));
  }
  return true;
}

// Temperature and threshold, from the validation subjects.
void Work::calibrate(Model& model) {
  Model uncalibrated;
  uncalibrated.graph = logits_graph(model.graph);
  uncalibrated.weights = model.weights.clone();
  Predictor logits(uncalibrated, {.batch = 256,
                                  .threads = options_.trainer.threads,
                                  .device = options_.trainer.device,
                                  .executor = options_.trainer.executor});
  const std::vector<float> outputs =
      score(logits.plan(), dataset_, validation_, {.scales = scale_.factors});
  const std::vector<double> values(outputs.begin(), outputs.end());
  const std::vector<std::uint8_t> labels = labels_of(dataset_, validation_);
  const TemperatureFit fit = fit_temperature(values, labels, 2);
  model.graph = model.graph.with_layer("probability", layers::Softmax{fit.temperature});
  const std::vector<double> probability = softmax_probabilities(values, 2, 1, fit.temperature);
  const OperatingPoint point =
      point_at_false_positive_rate(rank_scores(probability, labels), options_.false_positive_rate);
  model.threshold = std::clamp(point.threshold, 0.0, 1.0);
  model.calibration = {{"temperature", fit.temperature},
                       {"false_positive_rate_wanted", options_.false_positive_rate},
                       {"false_positive_rate", point.false_positive_rate},
                       {"recall", point.recall},
                       {"validation_slices", static_cast<double>(labels.size())},
                       {"loss_before", fit.loss_before},
                       {"loss_after", fit.loss_after}};
  if (fit.at_bound) say("warning: the temperature that calibrates best lies outside its bounds");
}

Model Work::finished_model(const TrainingResult& trained) {
  Model model;
  model.system = "dark_slices";
  model.graph = ratnet_graph(kGrid);
  model.weights = trained.weights.clone();
  model.preprocessing = {{"resample", {{"rows", kGrid}, {"columns", kGrid}}},
                         {"divide_by_brain_level", {}}};
  model.class_names = {"good", "dark"};
  model.warnings = warnings_;
  calibrate(model);

  std::vector<SliceMeasures> measures;
  for (const std::int64_t index : train_)
    measures.push_back(scale_.measures[static_cast<std::size_t>(index)]);
  const LogisticBaseline logistic =
      fit_logistic(measures, labels_of(dataset_, train_), scale_.brain_level);
  model.coefficients["logistic"] = {logistic.intercept, logistic.level, logistic.ghost};

  const char* made = dataset_.table().subjects.empty() ? "70/15/15 by slice, made here"
                                                       : "70/15/15 by subject, made here";
  model.provenance =
      training_provenance(options_.trainer, trained, combined_hash(dataset_.hashes()));
  model.provenance.insert({{"training_slices", std::to_string(train_.size())},
                           {"brain_level", text(scale_.brain_level)},
                           {"brain_level_source", std::string(name_of(scale_.source))},
                           {"split", dataset_.table().splits.empty() ? made : "from the file"}});
  return model;
}

DarkSlicesTrainingResult Work::run() {
  DarkSlicesTrainingResult result;
  if (options_.folds && !cross_validate(result)) {
    result.interrupted = true;
    return result;
  }
  const TrainingResult trained = train("training", train_, validation_, trainer_options());
  if (trained.interrupted) {
    result.interrupted = true;
    return result;
  }
  result.model = finished_model(trained);
  Model& model = result.model;
  if (!result.fold_auroc.empty()) {
    double mean = 0, square = 0;
    const auto n = static_cast<double>(result.fold_auroc.size());
    for (const double a : result.fold_auroc) mean += a / n;
    for (const double a : result.fold_auroc) square += (a - mean) * (a - mean);
    model.metrics["folds"] = n;
    model.metrics["folds_auroc_mean"] = mean;
    model.metrics["folds_auroc_sd"] = std::sqrt(square / (n - 1));
  }
  if (test_.empty()) return result;
  check_both_classes(dataset_, test_, "test");
  const std::vector<std::int64_t> all_test = indices_of(splits_, Split::test);
  Predictor predictor(model, {.batch = 256,
                              .threads = options_.trainer.threads,
                              .device = options_.trainer.device,
                              .executor = options_.trainer.executor});
  result.test = evaluate_dark_slices(score_dataset(predictor, model, dataset_, scale_, all_test),
                                     select_rows(dataset_.table(), all_test), dataset_.name(),
                                     logistic_of(model));
  const BinaryMetrics& m = result.test->network;
  model.metrics["test_slices"] = static_cast<double>(m.n);
  model.metrics["test_auroc"] = m.auroc;
  model.metrics["test_auroc_low"] = m.auroc_interval.low;
  model.metrics["test_auroc_high"] = m.auroc_interval.high;
  model.metrics["test_auprc"] = m.auprc;
  model.metrics["test_recall_at_1pct_fpr"] = m.at_1pct_fpr.recall;
  model.metrics["test_ece"] = m.calibration_error;
  model.metrics["test_recall"] = m.at_threshold.recall;
  model.metrics["test_fpr"] = m.at_threshold.false_positive_rate;
  return result;
}

}  // namespace

TrainerOptions dark_slices_defaults() {
  TrainerOptions options;
  options.epochs = 5;
  options.schedule.rate = 1e-3;
  options.loader.batch = 64;
  options.loader.augmentation = {.shift = 2, .flip_left_right = true, .gain = 0.17};
  return options;
}

DarkSlicesTrainingResult train_dark_slices(Dataset& dataset,
                                           const DarkSlicesTrainingOptions& options,
                                           const DarkSlicesTrainingCallbacks& callbacks) {
  require(options.folds == 0 || options.folds >= 2, "cross-validation needs 2 or more folds, not ",
          options.folds);
  require(options.false_positive_rate >= 0 && options.false_positive_rate < 1,
          "the wanted false-positive rate is ", options.false_positive_rate,
          ", expected 0 or more and less than 1");
  return Work(dataset, options, callbacks).run();
}

}  // namespace ratnet::inline v1
