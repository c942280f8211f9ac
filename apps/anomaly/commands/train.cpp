// ratnet train anomaly
#include <algorithm>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "../../../core/atomic_file.h"
#include "../../../kernels/open.h"
#include "../../program/commands.h"
#include "../../program/inputs.h"
#include "../../program/interrupt.h"
#include "../../program/training_options.h"
#include "../cohort_split.h"
#include "../comparison.h"
#include "../subject_slices.h"
#include "../training.h"
#include "prepared_cohort.h"
#include "print_anomalies.h"

namespace ratnet::inline v1 {
namespace {

struct Options {
  std::string data, suffix;
  std::string method = "denoising", residual = "positive";
  std::vector<std::int64_t> patch;
  bool noise_given = false, divergence_given = false;
  AnomalyTrainingOptions training;
  TrainingCommandOptions command;
};

std::map<std::string, double> metrics_of(const AnomalyEvaluation& test) {
  const AnomalyFigures& all = test.methods.front().all;
  return {{"test_patients", static_cast<double>(test.patients)},
          {"test_pixel_auprc", all.pixel_auprc.value},
          {"test_dice_best", all.dice_best.value},
          {"test_dice_threshold", all.dice_threshold.value},
          {"test_slice_auroc", all.slice_auroc.value},
          {"test_slice_auroc_matched", all.slice_auroc_matched.value}};
}

// Sentences for the model's card where a simple rule is not beaten.
std::vector<std::string> unbeaten(const AnomalyEvaluation& test) {
  std::vector<std::string> warnings;
  for (const MethodComparison& c : test.comparisons)
    if (c.other != kPositionOnly &&
        (c.pixel_auprc.difference.value <= 0 || c.slice_auroc_matched.difference.value <= 0))
      warnings.push_back(text("on its test subjects it does not beat ", c.other, ": pixel AP ",
                              format_difference(c.pixel_auprc), ", matched AUROC ",
                              format_difference(c.slice_auroc_matched), " beside it"));
  return warnings;
}

// By the test subjects, which leave `prepared`.
AnomalyEvaluation judge(const AnomalyModel& model, PreparedCohort& prepared,
                        const std::vector<Split>& splits, const TrainerOptions& trainer) {
  std::vector<PreparedSubject> tested;
  for (std::size_t i = 0; i < splits.size(); ++i)
    if (splits[i] == Split::test) tested.push_back(std::move(prepared.subjects[i]));
  if (tested.empty())
    return no_comparison(model, "no subject was kept for testing: there are no figures");
  if (std::ranges::none_of(tested, is_known))
    return no_comparison(model,
                         "of no test subject is known where lesions are or that there are none: "
                         "there are no figures");
  const std::optional<LearntBaselines> learnt =
      calibrated_baselines(of_split(prepared.subjects, splits, Split::train),
                           of_split(prepared.subjects, splits, Split::validation), model.score);
  const QueueHandle queue = open_queue({trainer.device, trainer.threads, trainer.executor});
  Plan plan(model.model.graph, std::make_shared<Parameters>(queue, model.model.weights),
            {.batch = scoring_batch(model.model.graph)});
  ThreadPool pool(trainer.threads);
  return compare(plan, model, tested, learnt, pool);
}

void run(Options options) {
  check_suffix(options.suffix, {options.data});
  AnomalyTrainingOptions& training = options.training;
  training.method = parse_anomaly_method(options.method);
  training.score.residual = parse_residual(options.residual);
  if (!options.patch.empty()) training.network.size = options.patch;
  anomaly_graph(training.method, training.network);  // refuses sizes before the work
  TrainerOptions& trainer = options.command.finish();
  require(trainer.patience == 0 && trainer.schedule.kind != ScheduleKind::plateau,
          "the held-out subjects calibrate the model, so they cannot choose its weights too: no "
          "--patience and no --schedule plateau");
  require(!options.noise_given || training.method == AnomalyMethod::denoising,
          "--noise is for the method denoising");
  require(!options.divergence_given || training.method == AnomalyMethod::vae,
          "--divergence is for the method vae");
  require(training.noise.deviation >= 0 && training.divergence >= 0,
          "--noise and --divergence are 0 or more");
  require(!trainer.loader.balance, "--balance is for classes; anomalies have none to learn from");
  catch_interrupts();
  TrainingProgressLine line;
  line.follow(trainer);
  training.trainer = trainer;

  PreparedCohort prepared =
      prepare_cohort(options.data, training.preparation, ScanMasks::ignored, options.suffix);
  const std::vector<Split> splits = prepared.splits();
  for (const auto& [split, what] :
       {std::pair{Split::train, "to train on"}, std::pair{Split::validation, "to calibrate by"}})
    if (std::ranges::find(splits, split) == splits.end())
      fail(
          ErrorKind::input, prepared.name, ": no subject has split ", name_of(split),
          ", so nobody is left ", what,
          "; give healthy subjects that split, or leave `split` out of the file to have it chosen");
  const auto count = [&](Split split) {
    const std::vector<const PreparedSubject*> scans = of_split(prepared.subjects, splits, split);
    const std::size_t people = people_in(scans).count;
    return people == scans.size() ? text(people) : text(people, " (", scans.size(), " scans)");
  };
  line.say(text("subjects: ", count(Split::train), " to train on, ", count(Split::validation),
                " to calibrate, ", count(Split::test), " to test"));
  AnomalyTrainingResult result =
      train_anomaly(prepared.subjects, splits, prepared.hash, training,
                    [&](const TrainingProgress& p) { return line.update("training", p); });
  line.finish();
  if (result.interrupted)
    throw Interrupted{"the same command with --resume goes on from " + trainer.checkpoint_path};

  AnomalyModel& model = result.model;
  const std::string &output = options.command.output, &json = options.command.json;
  save_model(model.model, output);  // what comes now may fail, and training took long
  const AnomalyEvaluation test = judge(model, prepared, splits, trainer);
  if (test.methods.front().all.has_lesions()) {
    model.model.metrics = metrics_of(test);
    for (std::string& warning : unbeaten(test)) model.model.warnings.push_back(std::move(warning));
  }
  save_model(model.model, output);
  std::error_code ignored;
  std::filesystem::remove(trainer.checkpoint_path, ignored);
  if (test.patients > 0) std::printf("on test subjects it never saw:\n");
  print_evaluation(test, stdout);
  if (!json.empty()) write_file(json, to_json(test));
  std::printf(
      "threshold %.4f: %.3g%% of %lld held-out subjects' healthy pixels lie above it\n"
      "smallest false-positive rate that can be promised: 1 in %lld\n"
      "model: %s\n",
      model.model.threshold, 100 - model.model.calibration.at("threshold_percentile"),
      static_cast<long long>(model.reference->subjects()),
      static_cast<long long>(model.reference->subjects() + 1), output.c_str());
}

}  // namespace

void add_train_anomaly(CLI::App& train) {
  auto options = std::make_shared<Options>();
  CLI::App* command = train.add_subcommand(
      "anomaly", "an autoencoder of healthy slices, from an HDF5 file (docs/file-formats.md)");
  command
      ->add_option("data", options->data,
                   "HDF5 file of axial slices with `subject` and `slice`, of which those without a "
                   "lesion are learnt from, where it has labels or masks; or a folder of healthy "
                   "scans (.nii, .nii.gz), one or more of each subject, whom their names tell "
                   "(sub-01_ses-1_FLAIR.nii.gz); masks in it are passed over")
      ->required();
  command->add_option("--suffix", options->suffix, kSuffixHelp);
  command->add_option("--method", options->method, "denoising, ae or vae")->capture_default_str();
  command
      ->add_option(
          "--patch", options->patch,
          "D,H,W: learn from patches of volumes of so many slices and pixels, out of 128 x "
          "128, in place of slices; every step takes several times as long")
      ->delimiter(',')
      ->expected(3);
  command
      ->add_option("--noise", options->training.noise.deviation,
                   "denoising: deviation of the noise that it learns to remove, where the brain's "
                   "median is 0.5")
      ->capture_default_str()
      ->each([options](const std::string&) { options->noise_given = true; });
  command
      ->add_option("--divergence", options->training.divergence,
                   "vae: the weight of its code's divergence")
      ->capture_default_str()
      ->each([options](const std::string&) { options->divergence_given = true; });
  command
      ->add_option("--residual", options->residual,
                   "what counts as a departure from what the network makes of a slice: positive "
                   "(brighter), negative (darker), absolute (either), or ssim (structure)")
      ->capture_default_str();
  command->add_flag("!--network-alone", options->training.combined,
                    "score by the network alone, without the z-score at the position, the "
                    "asymmetry and the structure loss beside it");
  options->command.trainer = anomaly_training_defaults();
  options->command.optimiser = "adamw";
  add_training_options(*command, options->command);
  command->get_option("--output")->required();
  command->footer(
      "Example:\n"
      "  ratnet simulate anomaly --subjects 8 --slices 12 --seed 1 -o heads.h5\n"
      "  ratnet train anomaly heads.h5 -o healthy.safetensors --epochs 2");
  command->callback([options, command] {
    refuse_options_before(*command);
    run(*options);
  });
}

}  // namespace ratnet::inline v1
