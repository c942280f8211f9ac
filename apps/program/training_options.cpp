#include "training_options.h"

#include <cmath>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "interrupt.h"
#include "options.h"
#include "output.h"

namespace ratnet::inline v1 {
namespace {

// model.safetensors -> model.checkpoint.safetensors, model.log.jsonl
std::string beside(const std::string& output, const char* ending) {
  constexpr std::string_view extension = ".safetensors";
  const std::size_t stem = output.size() - (output.ends_with(extension) ? extension.size() : 0);
  return output.substr(0, stem) + ending;
}

}  // namespace

TrainerOptions& TrainingCommandOptions::finish() {
  trainer.optimiser.kind = parse_optimiser_kind(optimiser);
  trainer.schedule.kind = parse_schedule_kind(schedule);
  require(!plateau_given || schedule == "plateau",
          "--plateau-... are for --schedule plateau, not for ", schedule);
  require(!monitor_given || trainer.patience > 0 || schedule == "plateau",
          "--monitor is for --patience or --schedule plateau");
  for (const std::string& group : groups)
    trainer.optimiser.groups.push_back(parse_optimiser_group(group));
  trainer.monitor = parse_monitor(monitor);
  trainer.device = parse_device(device);
  trainer.precision = parse_precision(precision);
  trainer.tuner = tuning_if(tune);
  require(output.ends_with(".safetensors"), "the model file '", output,
          "' must end in .safetensors: by that the other commands know a model");
  check_can_write(output);
  if (!json.empty()) check_can_write(json);
  trainer.checkpoint_path = beside(output, ".checkpoint.safetensors");
  trainer.log_path = beside(output, ".log.jsonl");
  if (std::filesystem::exists(trainer.checkpoint_path) && !trainer.resume)
    std::fprintf(stderr,
                 "note: training starts afresh; %s of an unfinished training is replaced "
                 "(--resume would have continued it)\n",
                 trainer.checkpoint_path.c_str());
  else if (trainer.resume && !std::filesystem::exists(trainer.checkpoint_path))
    std::fprintf(stderr, "note: there is no %s to go on from; training starts at the beginning\n",
                 trainer.checkpoint_path.c_str());
  return trainer;
}

void add_training_options(CLI::App& command, TrainingCommandOptions& options) {
  TrainerOptions& trainer = options.trainer;
  command.add_option("-o,--output", options.output, "model file to write (.safetensors)");
  command.add_option("--json", options.json, "write the test figures to this file");
  const auto monitor_given = [&options](const std::string&) { options.monitor_given = true; };
  const auto plateau_given = [&options](const std::string&) { options.plateau_given = true; };
  command.add_option("--epochs", trainer.epochs, "passes over the training images")
      ->capture_default_str();
  command.add_option("--batch", trainer.loader.batch, "images of a step")->capture_default_str();
  command.add_option("--learning-rate", trainer.schedule.rate, "the highest of the schedule")
      ->capture_default_str();
  command
      .add_option("--schedule", options.schedule, "constant, step, cosine, one-cycle or plateau")
      ->capture_default_str();
  PlateauOptions& plateau = trainer.schedule.plateau;
  command
      .add_option("--plateau-patience", plateau.patience,
                  "epochs without improvement before the rate falls")
      ->capture_default_str()
      ->each(plateau_given);
  command.add_option("--plateau-factor", plateau.factor, "what the rate is then multiplied by")
      ->capture_default_str()
      ->each(plateau_given);
  command
      .add_option("--plateau-threshold", plateau.threshold,
                  "an improvement is larger than this share of the best")
      ->capture_default_str()
      ->each(plateau_given);
  command.add_option("--plateau-cooldown", plateau.cooldown, "epochs not counted after a fall")
      ->capture_default_str()
      ->each(plateau_given);
  command.add_option("--plateau-least", plateau.least_rate, "the rate falls no further")
      ->capture_default_str()
      ->each(plateau_given);
  command.add_option("--optimiser", options.optimiser, "sgd, adam or adamw")->capture_default_str();
  command.add_option("--weight-decay", trainer.optimiser.weight_decay, "")->capture_default_str();
  command
      .add_option("--group", options.groups,
                  "PATTERN=DECAY or PATTERN=DECAY:RATE_FACTOR, such as '*/bias=0': weights with "
                  "another decay and a multiple of the learning rate (may be repeated; the first "
                  "that fits counts)")
      ->allow_extra_args(false);
  command
      .add_option("--accumulate", trainer.accumulate,
                  "batches whose gradients make one step, as one larger batch would (exactly so "
                  "where the loss is a "
                  "mean over samples; masks with unlabelled pixels count by sample all the same)")
      ->capture_default_str();
  CLI::Option* ema =
      command
          .add_option("--ema", trainer.averaging.decay,
                      "decay of averaged weights, which are then validated and kept (0: none)")
          ->capture_default_str();
  command
      .add_flag("--ema-warm-up", trainer.averaging.warm_up,
                "a smaller decay in early steps: (1 + step) / (10 + step)")
      ->needs(ema);
  command
      .add_option("--clip", trainer.optimiser.clip_norm,
                  "longest gradient; longer ones are shortened to it (0: never)")
      ->capture_default_str();
  command.add_flag("--balance", trainer.loader.balance, "every class equally often");
  command
      .add_option("--patience", trainer.patience,
                  "epochs without improvement before it ends, with the best epoch's weights "
                  "(0: all epochs)")
      ->capture_default_str();
  command
      .add_option("--monitor", options.monitor,
                  "what patience and plateau watch: loss, auroc or dice")
      ->capture_default_str()
      ->each(monitor_given);
  command
      .add_option("--seed", trainer.loader.seed, "the same seed gives the same model, bit for bit")
      ->capture_default_str();
  command.add_flag("--resume", trainer.resume, "go on from the checkpoint beside the output");
  command
      .add_option("--checkpoint-every", trainer.checkpoint_every,
                  "steps between checkpoints (also after every epoch)")
      ->capture_default_str();
  command.add_flag("--recompute", trainer.recompute,
                   "compute values again in place of keeping them: less memory, longer steps");
  command.add_option(
      "--tensorboard", trainer.events_folder,
      "folder for TensorBoard: curves, settings, the network, and samples as pictures");
  add_device_option(command, options.device);
  add_precision_option(command, options.precision);
  add_threads_option(command, trainer.threads);
  add_tune_option(command, options.tune);
}

void refuse_options_before(const CLI::App& command) {
  for (const CLI::Option* option : command.get_parent()->get_options())
    require(option->count() == 0, "options of ", command.get_name(),
            " stand behind its name: ratnet train ", command.get_name(), " ... ",
            option->get_name());
}

bool TrainingProgressLine::update(const std::string& stage, const TrainingProgress& p) {
  if (stage != stage_) {
    progress_ = std::make_unique<Progress>(stage, "steps", p.steps);
    stage_ = stage;
    progress_->update(p.step - 1);
  }
  char extra[96];
  std::snprintf(extra, sizeof extra, "epoch %lld of %lld, loss %.4f",
                static_cast<long long>(p.epoch + 1), static_cast<long long>(p.epochs), p.loss);
  progress_->update(p.step, extra);
  if (p.finished) {
    const EpochRecord& e = *p.finished;
    std::string sentence = text("epoch ", e.epoch + 1, ": training loss ", e.training_loss);
    const auto add = [&](const char* name, double value) {
      if (!std::isnan(value)) sentence += text(", ", name, " ", value);
    };
    add("validation loss", e.validation_loss);
    add("AUROC", e.validation_auroc);
    add("Dice", e.validation_dice);
    progress_->say(sentence);
  }
  if (p.step == p.steps) progress_->finish();
  step_ = p.step < p.steps ? p.step : 0;  // another training may follow
  return !was_interrupted();
}

void TrainingProgressLine::follow(TrainerOptions& training) {
  training.tell_memory = [this](const TrainingMemory& memory) { tell(memory); };
  training.judging = [this](std::int64_t done, std::int64_t of) { return judging(done, of); };
}

bool TrainingProgressLine::judging(std::int64_t done, std::int64_t of) {
  // A resumed training may begin with it.
  if (step_ == 0) return count("judging validation samples", done, of);
  // The step that an epoch ends with is told after its validation.
  progress_->update(step_ + 1, text("validation ", done, " of ", of));
  return !was_interrupted();
}

bool TrainingProgressLine::testing(std::int64_t done, std::int64_t of) {
  return count("judging test samples", done, of);
}

bool TrainingProgressLine::count(const std::string& stage, std::int64_t done, std::int64_t of) {
  if (stage != stage_) {
    progress_ = std::make_unique<Progress>(stage, "samples", of);
    stage_ = stage;
  }
  progress_->update(done);
  return !was_interrupted();
}

void TrainingProgressLine::tell(const TrainingMemory& memory) {
  const auto mib = [](std::size_t bytes) { return static_cast<double>(bytes) / 0x1p20; };
  char line[240];
  std::snprintf(
      line, sizeof line,
      "memory of the steps: %.1f MiB (activations %.1f, working memory %.1f, parameters and "
      "gradients %.1f, optimiser %.1f, beside the steps %.1f)",
      mib(memory.total()), mib(memory.plan.activations), mib(memory.plan.scratch),
      mib(memory.plan.parameters + memory.plan.gradients), mib(memory.optimiser),
      mib(memory.beside));
  say(line);
}

void TrainingProgressLine::say(const std::string& sentence) {
  if (progress_)
    progress_->say(sentence);
  else
    std::fprintf(stderr, "%s\n", sentence.c_str());
}

}  // namespace ratnet::inline v1
