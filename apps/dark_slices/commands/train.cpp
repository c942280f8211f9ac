// ratnet train dark-slices
#include <filesystem>

#include <CLI/CLI.hpp>

#include "../../../core/atomic_file.h"
#include "../../../train/hdf5_dataset.h"
#include "../../../train/resampled_dataset.h"
#include "../../program/commands.h"
#include "../../program/interrupt.h"
#include "../../program/options.h"
#include "../../program/output.h"
#include "../../program/progress.h"
#include "../training.h"
#include "print_evaluation.h"

namespace ratnet::inline v1 {
namespace {

struct Options {
  std::string data;
  std::string output;
  std::string json;
  DarkSlicesTrainingOptions training{.trainer = dark_slices_defaults()};
  std::string optimiser = "adam";
  std::vector<std::string> groups;
  std::string schedule = "one-cycle";
  std::string monitor = "loss";
  std::string device = "auto";
  std::string precision = "f32";
};

// model.safetensors -> model.checkpoint.safetensors, model.log.jsonl
std::string beside(const std::string& output, const char* ending) {
  constexpr std::string_view extension = ".safetensors";
  const std::size_t stem = output.size() - (output.ends_with(extension) ? extension.size() : 0);
  return output.substr(0, stem) + ending;
}

void remove_checkpoints(const TrainerOptions& trainer, int folds) {
  std::error_code ignored;
  std::filesystem::remove(trainer.checkpoint_path, ignored);
  for (int fold = 1; fold <= folds; ++fold)
    std::filesystem::remove(trainer.checkpoint_path + ".fold" + std::to_string(fold), ignored);
}

void run(Options options) {
  TrainerOptions& trainer = options.training.trainer;
  trainer.optimiser.kind = parse_optimiser_kind(options.optimiser);
  trainer.schedule.kind = parse_schedule_kind(options.schedule);
  for (const std::string& group : options.groups)
    trainer.optimiser.groups.push_back(parse_optimiser_group(group));
  require(options.monitor == "loss" || options.monitor == "auroc", "unknown measure '",
          options.monitor, "' to monitor: use loss or auroc");
  trainer.monitor = options.monitor == "loss" ? Monitor::loss : Monitor::auroc;
  trainer.device = parse_device(options.device);
  trainer.precision = parse_precision(options.precision);
  require(options.output.ends_with(".safetensors"), "the model file '", options.output,
          "' must end in .safetensors: by that the other commands know a model");
  check_can_write(options.output);
  if (!options.json.empty()) check_can_write(options.json);
  trainer.checkpoint_path = beside(options.output, ".checkpoint.safetensors");
  trainer.log_path = beside(options.output, ".log.jsonl");
  if (std::filesystem::exists(trainer.checkpoint_path) && !trainer.resume)
    std::fprintf(stderr,
                 "note: training starts afresh; %s of an unfinished training is replaced "
                 "(--resume would have continued it)\n",
                 trainer.checkpoint_path.c_str());
  else if (trainer.resume && !std::filesystem::exists(trainer.checkpoint_path))
    std::fprintf(stderr, "note: there is no %s to go on from; training starts at the beginning\n",
                 trainer.checkpoint_path.c_str());

  const auto dataset = resampled(open_hdf5_slices(options.data), 64, 64);
  for (const std::string& note : dataset->notes()) std::fprintf(stderr, "note: %s\n", note.c_str());

  catch_interrupts();
  std::unique_ptr<Progress> progress;
  std::string current;
  DarkSlicesTrainingCallbacks callbacks;
  callbacks.say = [&](const std::string& sentence) {
    if (progress)
      progress->say(sentence);
    else
      std::fprintf(stderr, "%s\n", sentence.c_str());
  };
  callbacks.progress = [&](const std::string& stage, const TrainingProgress& p) {
    if (stage != current) {
      progress = std::make_unique<Progress>(stage, "steps", p.steps);
      current = stage;
      progress->update(p.step - 1);
    }
    char extra[96];
    std::snprintf(extra, sizeof extra, "epoch %lld of %lld, loss %.4f",
                  static_cast<long long>(p.epoch + 1), static_cast<long long>(p.epochs), p.loss);
    progress->update(p.step, extra);
    if (p.finished) {
      const EpochRecord& e = *p.finished;
      progress->say(text("epoch ", e.epoch + 1, ": training loss ", e.training_loss,
                         ", validation loss ", e.validation_loss, ", AUROC ", e.validation_auroc));
    }
    if (p.step == p.steps) progress->finish();
    return !was_interrupted();
  };
  const DarkSlicesTrainingResult result = train_dark_slices(*dataset, options.training, callbacks);
  progress.reset();
  if (result.interrupted)
    throw Interrupted{"the same command with --resume goes on from " + trainer.checkpoint_path};
  save_model(result.model, options.output);
  remove_checkpoints(trainer, options.training.folds);
  if (result.test) {
    std::printf("on test subjects it never saw:\n");
    print_evaluation(*result.test, stdout);
    if (!options.json.empty()) write_file(options.json, to_json(*result.test));
  }
  std::printf(
      "threshold %.4f, chosen for %.3g%% false positives on validation subjects\n"
      "model: %s\n",
      result.model.threshold, 100 * options.training.false_positive_rate, options.output.c_str());
}

}  // namespace

void add_train_dark_slices(CLI::App& train) {
  auto options = std::make_shared<Options>();
  TrainerOptions& trainer = options->training.trainer;
  CLI::App* command = train.add_subcommand(
      "dark-slices", "RatNet, from labelled slices in HDF5 (docs/file-formats.md)");
  command->add_option("data", options->data, "HDF5 file of slices, labelled 0 good, 1 dark")
      ->required();
  command->add_option("-o,--output", options->output, "model file to write (.safetensors)")
      ->required();
  command->add_option("--epochs", trainer.epochs, "passes over the training slices")
      ->capture_default_str();
  command->add_option("--batch", trainer.loader.batch, "slices of a step")->capture_default_str();
  command->add_option("--learning-rate", trainer.schedule.rate, "the highest of the schedule")
      ->capture_default_str();
  command
      ->add_option("--schedule", options->schedule, "constant, step, cosine, one-cycle or plateau")
      ->capture_default_str();
  PlateauOptions& plateau = trainer.schedule.plateau;
  command
      ->add_option("--plateau-patience", plateau.patience,
                   "epochs without improvement before the rate falls")
      ->capture_default_str();
  command->add_option("--plateau-factor", plateau.factor, "what the rate is then multiplied by")
      ->capture_default_str();
  command
      ->add_option("--plateau-threshold", plateau.threshold,
                   "an improvement is larger than this share of the best")
      ->capture_default_str();
  command->add_option("--plateau-cooldown", plateau.cooldown, "epochs not counted after a fall")
      ->capture_default_str();
  command->add_option("--plateau-least", plateau.least_rate, "the rate falls no further")
      ->capture_default_str();
  command->add_option("--optimiser", options->optimiser, "sgd, adam or adamw")
      ->capture_default_str();
  command->add_option("--weight-decay", trainer.optimiser.weight_decay, "")->capture_default_str();
  command
      ->add_option("--group", options->groups,
                   "PATTERN=DECAY or PATTERN=DECAY:RATE_FACTOR, such as '*/bias=0': weights with "
                   "another decay and a multiple of the learning rate (may be repeated; the first "
                   "that fits counts)")
      ->allow_extra_args(false);
  command
      ->add_option("--accumulate", trainer.accumulate,
                   "batches whose gradients make one step, as one larger batch would")
      ->capture_default_str();
  CLI::Option* ema =
      command
          ->add_option("--ema", trainer.averaging.decay,
                       "decay of averaged weights, which are then validated and kept (0: none)")
          ->capture_default_str();
  command
      ->add_flag("--ema-warm-up", trainer.averaging.warm_up,
                 "a smaller decay in early steps: (1 + step) / (10 + step)")
      ->needs(ema);
  command
      ->add_option("--clip", trainer.optimiser.clip_norm,
                   "longest gradient; longer ones are shortened to it (0: never)")
      ->capture_default_str();
  command->add_flag("--balance", trainer.loader.balance, "good and dark slices equally often");
  command
      ->add_option("--patience", trainer.patience,
                   "epochs without improvement before it ends, with the best epoch's weights "
                   "(0: all epochs)")
      ->capture_default_str();
  command
      ->add_option("--monitor", options->monitor, "what patience and plateau watch: loss or auroc")
      ->capture_default_str();
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
  command
      ->add_option("--seed", trainer.loader.seed, "the same seed gives the same model, bit for bit")
      ->capture_default_str();
  command->add_flag("--resume", trainer.resume, "go on from the checkpoint beside the output");
  command
      ->add_option("--checkpoint-every", trainer.checkpoint_every,
                   "steps between checkpoints (also after every epoch)")
      ->capture_default_str();
  command->add_option("--json", options->json, "write the test figures to this file");
  add_device_option(*command, options->device);
  add_precision_option(*command, options->precision);
  add_threads_option(*command, trainer.threads);
  command->footer(
      "Beside MODEL.safetensors it keeps MODEL.checkpoint.safetensors while it works, and\n"
      "MODEL.log.jsonl, one JSON object a line.\n"
      "Example:\n"
      "  ratnet simulate dark-slices --animals 12 --seed 1 -o cohort.h5\n"
      "  ratnet train dark-slices cohort.h5 -o model.safetensors --epochs 2");
  command->callback([options, command] {
    const auto given = command->get_options([](const CLI::Option* option) {
      return option->count() > 0 && option->get_name().starts_with("--plateau-");
    });
    require(given.empty() || options->schedule == "plateau",
            "--plateau-... are for --schedule plateau, not for ", options->schedule);
    run(*options);
  });
}

}  // namespace ratnet::inline v1
