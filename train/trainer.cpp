#include "trainer.h"

#include <chrono>
#include <cmath>
#include <filesystem>

#include "../core/atomic_file.h"
#include "../kernels/open.h"
#include "../network/plan.h"
#include "judge.h"
#include "objective_shapes.h"
#include "settings_table.h"
#include "starting_weights.h"
#include "total_steps.h"
#include "training_fingerprint.h"
#include "training_log.h"
#include "training_step.h"
#include "validation_pictures.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kLogEvery = 50;  // steps
constexpr std::string_view kMonitors[] = {"loss", "auroc", "dice"};

LoaderOptions with_queue(LoaderOptions options, const QueueHandle& queue) {
  options.queue = queue;
  return options;
}

LoaderOptions with_change(LoaderOptions options, const SampleChange& change) {
  options.change = change;
  return options;
}

std::unique_ptr<AveragedWeights> averaged(const std::shared_ptr<Parameters>& parameters,
                                          const AveragingOptions& options) {
  options.check();
  if (options.decay == 0) return nullptr;
  return std::make_unique<AveragedWeights>(parameters, options);
}

// One training from its options to its result.
class Training {
 public:
  // graph: just what the objective reads.
  Training(const Graph& graph, const Objective& objective, Dataset& dataset,
           const std::vector<std::int64_t>& train, const std::vector<std::int64_t>& validation,
           const TrainerOptions& options)
      : options_(options),
        dataset_(dataset),
        validation_(validation),
        graph_(graph),
        objective_(objective),
        queue_(open_queue({options.device, options.threads, options.executor, options.tuner})),
        parameters_(std::make_shared<Parameters>(queue_, starting_weights(graph_, options))),
        averaged_(averaged(parameters_, options.averaging)),
        plan_(graph_, parameters_,
              {.batch = options.loader.batch,
               .mode = Mode::train,
               .precision = options.precision,
               .watch = watch_for(graph, objective),
               .recompute = options.recompute,
               .memory_beside = memory_beside()}),
        judge_(validation.empty()
                   ? nullptr
                   : std::make_unique<Judge>(
                         graph_, averaged_ ? averaged_->parameters() : parameters_, objective_,
                         dataset_, with_change(loader_of(options), options.judged_change))),
        optimiser_(parameters_, options.optimiser),
        loader_(dataset, train, with_queue(loader_of(options), queue_)),
        step_(plan_, optimiser_, objective_, options.loader.change.makes_targets) {
    if (options_.read_loss_every == 0) options_.read_loss_every = queue_->begin_capture ? 20 : 1;
    check(train);
    options_.schedule.total_steps = total_steps(options_, loader_.samples_per_epoch());
    options_.schedule.check();
    const bool maximise = options_.monitor != Monitor::loss;
    stopping_ = {.patience = options_.patience, .maximise = maximise};
    plateau_ = {.options = options_.schedule.plateau,
                .maximise = maximise,
                .state = {.rate = options_.schedule.rate}};
    state_.fingerprint =
        training_fingerprint(graph_, objective_, dataset_, options_, train, validation);
    // Fails now rather than after the first steps where nothing can be written there.
    if (!options_.checkpoint_path.empty()) AtomicFile{options_.checkpoint_path};
    resume();
    if (!options_.events_folder.empty() && judge_)
      pictures_ = std::make_unique<ValidationPictures>(graph_, objective_, dataset_, validation_,
                                                       options_.loader);
    const std::size_t kept = best_bytes() + start_bytes() + picture_bytes() + sample_bytes();
    if (options_.tell_memory)
      options_.tell_memory({plan_.memory(),
                            optimiser_.bytes() +
                                (averaged_ ? averaged_->parameters()->bytes() : 0) +
                                (options_.accumulate > 1 ? plan_.gradients().bytes() : 0),
                            step_.bytes() + (judge_ ? judge_->bytes() : 0) + kept});
  }

  // Its weights once this training's own memory is given back.
  struct Outcome {
    TrainingResult result;                // but for its weights, where they are ...
    std::shared_ptr<Parameters> weights;  // ... still there
  };
  Outcome run(const TrainingCallback& callback);

 private:
  // Of what stands on the device beside the plan, what is taken after it.
  std::size_t memory_beside() const;
  std::size_t best_bytes() const;
  std::size_t start_bytes() const;
  std::size_t picture_bytes() const;
  std::size_t sample_bytes() const;
  void check(const std::vector<std::int64_t>& train) const;
  void resume();
  bool on_host() const { return queue_->device.kind == DeviceKind::cpu; }
  bool on_plateaus() const { return options_.schedule.kind == ScheduleKind::plateau; }
  double rate() const {
    return on_plateaus() ? plateau_.state.rate : rate_at(options_.schedule, state_.steps);
  }
  // What is validated and given back.
  std::shared_ptr<Parameters> judged() const;
  void step();
  void read_loss();
  EpochRecord evaluate();
  double watched(const EpochRecord& record) const;
  void save();
  bool finish_epoch(TrainingLog& log, double seconds);

  TrainerOptions options_;
  Dataset& dataset_;
  const std::vector<std::int64_t>& validation_;
  Graph graph_;
  Objective objective_;
  QueueHandle queue_;
  std::shared_ptr<Parameters> parameters_;
  std::unique_ptr<AveragedWeights> averaged_;  // where it is on
  Plan plan_;
  std::unique_ptr<Judge> judge_;  // where there are validation samples
  Optimiser optimiser_;
  Loader loader_;
  TrainingStep step_;
  std::unique_ptr<ValidationPictures> pictures_;  // where there are events
  double mean_loss_ = 0;                          // of the epoch, when it was last read
  EarlyStopping stopping_;
  Plateau plateau_;
  TrainingPosition state_;
};

std::size_t Training::memory_beside() const {
  std::size_t bytes = Optimiser::bytes_of(*parameters_, options_.optimiser) + best_bytes();
  if (options_.accumulate > 1) bytes += parameters_->block().bytes();
  if (!validation_.empty())
    bytes += Judge::plan_bytes(graph_, parameters_, objective_, dataset_, options_.loader);
  if (on_host() && options_.loader.patches) bytes += Loader::slot_bytes(dataset_, options_.loader);
  return bytes;
}

// The weights of the best epoch stay on the host.
std::size_t Training::best_bytes() const {
  return on_host() && options_.patience > 0 ? parameters_->bytes() : 0;
}

// So do those of the start, which are there already.
std::size_t Training::start_bytes() const {
  std::size_t bytes = 0;
  if (on_host() && options_.start)
    for (const Weights::Entry& entry : options_.start->entries()) bytes += entry.value.bytes();
  return bytes;
}

std::size_t Training::picture_bytes() const {
  return on_host() && pictures_ ? pictures_->bytes() : 0;
}

// On a CPU batches, and the images that patches are cut from, lie in its memory too.
std::size_t Training::sample_bytes() const {
  if (!on_host() || !options_.loader.patches) return 0;
  std::size_t bytes = loader_.bytes() + (judge_ ? judge_->loader_bytes(validation_) : 0);
  for (const Dataset* source : {&dataset_, options_.loader.masks})
    if (source) bytes += source->resident().bytes();
  return bytes;
}

void Training::check(const std::vector<std::int64_t>& train) const {
  require(options_.epochs >= 1, "a training has 1 epoch or more, not ", options_.epochs);
  require(options_.accumulate >= 1, "a step takes the gradients of 1 or more batches, not ",
          options_.accumulate);
  const auto masked = std::ranges::count_if(objective_, &LossTerm::mask);
  require(options_.accumulate == 1 || masked == 0 || masked == std::ssize(objective_),
          "batches cannot be accumulated where one loss takes the pixels of masks and another does "
          "not: their batches weigh differently; train without --accumulate");
  require(options_.read_loss_every >= 1, "the loss is read every 1 or more steps, not ",
          options_.read_loss_every);
  require(options_.checkpoint_every >= 1, "a checkpoint is written every 1 or more steps, not ",
          options_.checkpoint_every);
  const bool watches = options_.patience > 0 || on_plateaus();
  require(!watches || !validation_.empty(),
          "early stopping and the schedule plateau need validation samples");
  const bool labels = reads(objective_, LossTarget::labels);
  // Not those by which losses of images choose pixels.
  const bool masks =
      std::ranges::find(objective_, LossTarget::masks, &LossTerm::target) != objective_.end();
  require(!watches || options_.monitor != Monitor::auroc || labels,
          "early stopping and the schedule plateau on the AUROC need a loss that reads labels");
  require(!watches || options_.monitor != Monitor::dice || masks,
          "early stopping and the schedule plateau on the Dice need a loss that reads masks");
  require(options_.loader.weights.empty(), "the losses know weights of classes, not of samples");
  require(plan_.graph().inputs().size() == 1, "a network with ", plan_.graph().inputs().size(),
          " inputs cannot be trained on images alone");
  for (const auto* indices : {&train, &validation_})
    for (const std::int64_t index : *indices)
      require(index >= 0 && index < dataset_.size(), dataset_.name(), ": sample ", index, " of ",
              dataset_.size());
  for (const auto* indices : {&train, &validation_})
    check_samples(graph_, objective_, dataset_, options_.loader.masks, *indices);
  if (watches && options_.monitor == Monitor::auroc)
    for (const LossTerm& term : objective_)
      if (term.target == LossTarget::labels && term.kind != LossKind::gaussian_kl) {
        const std::int64_t classes = plan_.output(output_of(graph_, term.output), 1).shape.back();
        require(classes <= 2,
                "early stopping and the schedule plateau on the AUROC need 2 classes, the network "
                "has ",
                classes);
      }
  const Shape input = plan_.input(0, 1).shape;
  const Shape image = dataset_.image_shape();
  if (!options_.loader.patches && input != image.batch_of(1))
    fail(ErrorKind::input, dataset_.name(), ": has images of ", to_string(image),
         ", the network takes ", to_string(input),
         " (with the batch in front); resample them, or train on patches of them (\"patches\" in "
         "the graph's file)");
}

void Training::resume() {
  if (!options_.resume || !std::filesystem::exists(options_.checkpoint_path)) return;
  Checkpoint checkpoint = load_checkpoint(options_.checkpoint_path);
  TrainingPosition& position = checkpoint.position;
  if (position.fingerprint != state_.fingerprint)
    fail(ErrorKind::input, options_.checkpoint_path,
         ": is the checkpoint of a training with other data or options; use the same, or train "
         "without resuming");
  const std::int64_t batches = loader_.batches_per_epoch();
  const auto require_whole = [&](bool whole, const char* what) {
    if (!whole)
      fail(ErrorKind::input, options_.checkpoint_path, ": is damaged: ", what, " makes no sense");
  };
  // All of an epoch's batches: it was interrupted while it judged.
  const bool at_a_step = position.batch % options_.accumulate == 0 || position.batch == batches;
  require_whole(position.batch <= batches && at_a_step && position.epoch <= options_.epochs &&
                    position.steps == position.epoch * steps_of(batches, options_.accumulate) +
                                          steps_of(position.batch, options_.accumulate),
                "its position");
  const double now = position.plateau.rate;
  require_whole(now > 0 && now <= options_.schedule.rate, "its learning rate");
  require_whole(checkpoint.average.has_value() == (averaged_ != nullptr), "its average");
  checkpoint.weights.match(graph_);
  if (!position.best.entries().empty()) position.best.match(graph_);
  parameters_->upload(checkpoint.weights);
  std::vector<ConstView> moments;
  for (const Tensor& tensor : checkpoint.optimiser) moments.push_back(tensor.view());
  optimiser_.restore(position.steps, moments);
  if (averaged_) averaged_->restore(*checkpoint.average);
  stopping_.state = position.early_stopping;
  plateau_.state = position.plateau;
  state_ = std::move(position);
  step_.set_loss_sum(state_.loss_sum);
  if (state_.batch > 0) mean_loss_ = state_.loss_sum / static_cast<double>(state_.batch);
  loader_.seek(state_.epoch + state_.batch / batches, state_.batch % batches);
}

std::shared_ptr<Parameters> Training::judged() const {
  if (!averaged_) return parameters_;
  averaged_->refresh();
  return averaged_->parameters();
}

void Training::step() {
  const std::int64_t batches = loader_.batches_per_epoch();
  const std::int64_t end = state_.batch + std::min(options_.accumulate, batches - state_.batch);
  while (state_.batch < end) {
    const std::int64_t number = state_.epoch * batches + state_.batch++;
    // The loader overwrites the batch before.
    step_.release();
    step_.submit(loader_.next(), {options_.loader.seed, static_cast<std::uint32_t>(number)}, rate(),
                 state_.batch == end);
  }
  if (averaged_) averaged_->update(state_.steps);
  ++state_.steps;
}

void Training::read_loss() {
  state_.loss_sum = step_.loss_sum();
  mean_loss_ = state_.loss_sum / static_cast<double>(state_.batch);
  if (!std::isfinite(state_.loss_sum))
    fail(ErrorKind::input, "the loss is no longer a number by step ", state_.steps,
         "; use a lower learning rate, or look for absurd pixels in ", dataset_.name());
}

EpochRecord Training::evaluate() {
  EpochRecord record{
      .epoch = state_.epoch,
      .training_loss = state_.loss_sum / static_cast<double>(loader_.batches_per_epoch()),
      .validation_loss = std::nan(""),
      .validation_auroc = std::nan(""),
      .validation_accuracy = std::nan(""),
      .validation_dice = std::nan("")};
  if (validation_.empty()) return record;
  if (averaged_) averaged_->refresh();
  const Judgement judged = judge_->run(validation_, {}, options_.judging);
  record.validation_loss = judged.loss;
  record.validation_auroc = judged.auroc;
  record.validation_accuracy = judged.accuracy;
  record.validation_dice = judged.dice;
  return record;
}

double Training::watched(const EpochRecord& record) const {
  switch (options_.monitor) {
    case Monitor::auroc: return record.validation_auroc;
    case Monitor::dice: return record.validation_dice;
    default: return record.validation_loss;
  }
}

void Training::save() {
  if (options_.checkpoint_path.empty()) return;
  Queue* queue = queue_.get();
  TrainedValues values;
  for (const Parameters::Place& place : parameters_->places())
    values.weights.push_back({place.name, parameters_->view(place), queue});
  for (const ConstView& moments : optimiser_.state())
    values.optimiser.push_back({"", moments, queue});
  if (averaged_) values.average = {"", averaged_->state(), queue};
  state_.early_stopping = stopping_.state;
  state_.plateau = plateau_.state;
  save_checkpoint(state_, values, options_.checkpoint_path);
}

// True where the training ends with this epoch.
bool Training::finish_epoch(TrainingLog& log, double seconds) {
  const EpochRecord record = evaluate();
  state_.history.push_back(record);
  if (on_plateaus()) plateau_.update(watched(record));
  const bool best = stopping_.update(watched(record));
  if (best && options_.patience > 0) {
    state_.best = {};  // not both at once
    state_.best = judged()->download();
  }
  log.epoch(record, state_.steps, seconds);
  if (pictures_ && is_pictured(state_.epoch, options_.epochs, stopping_.should_stop()))
    for (const auto& [tag, png] : pictures_->draw(*judge_)) log.picture(tag, png, state_.steps);
  ++state_.epoch;
  state_.batch = 0;
  state_.loss_sum = 0;
  step_.set_loss_sum(0);
  return stopping_.should_stop();
}

Training::Outcome Training::run(const TrainingCallback& callback) {
  using Clock = std::chrono::steady_clock;
  TrainingLog log(options_.log_path, options_.events_folder, graph_,
                  options_.resume ? &state_ : nullptr);
  if (!options_.events_folder.empty())
    log.settings(settings_table(graph_, objective_, options_, loader_.samples_per_epoch(),
                                std::ssize(validation_)));
  TrainingProgress progress{.epochs = options_.epochs, .steps = options_.schedule.total_steps};
  bool interrupted = false;
  // A resumed training may have ended with the epoch it stopped in.
  bool ended = stopping_.should_stop();
  auto epoch_start = Clock::now();
  while (!ended && !interrupted && state_.epoch < options_.epochs) {
    progress.rate = rate();
    const std::int64_t batches = loader_.batches_per_epoch();
    const bool steps = state_.batch < batches;  // else it was interrupted while it judged
    if (steps) step();
    const bool epoch_ends = state_.batch == batches;
    const bool save_due = steps && state_.steps % options_.checkpoint_every == 0;
    // The first loss too: an early word is worth a wait.
    if (epoch_ends || save_due || state_.steps % options_.read_loss_every == 0 ||
        state_.steps % kLogEvery == 0 || state_.batch <= options_.accumulate)
      read_loss();
    progress.epoch = state_.epoch;
    progress.step = state_.steps;
    progress.loss = mean_loss_;
    progress.finished = nullptr;
    if (steps && state_.steps % kLogEvery == 0)
      log.step(state_.steps, state_.epoch, progress.loss, progress.rate);

    if (epoch_ends) {
      const std::chrono::duration<double> seconds = Clock::now() - epoch_start;
      try {
        ended = finish_epoch(log, seconds.count());
      } catch (const JudgingInterrupted&) {
        save();
        interrupted = true;
        break;
      }
      epoch_start = Clock::now();
      progress.finished = &state_.history.back();
    }
    if (callback) interrupted = !callback(progress);
    if (interrupted && !progress.finished) read_loss();
    if (interrupted || progress.finished || save_due) save();
  }
  Outcome outcome{{.history = std::move(state_.history),
                   .interrupted = interrupted && !ended && state_.epoch < options_.epochs,
                   .steps = state_.steps}};
  if (options_.patience > 0 && !state_.best.entries().empty())
    outcome.result.weights = std::move(state_.best);
  else
    outcome.weights = judged();
  return outcome;
}

}  // namespace

Graph logits_graph(const Graph& graph) {
  require(graph.inputs().size() == 1 && graph.outputs().size() == 1,
          "a classifier has one input and one output");
  const Node& output = graph.nodes()[static_cast<std::size_t>(graph.outputs()[0])];
  if (!std::holds_alternative<layers::Softmax>(output.layer)) return graph;
  return graph.up_to({graph.nodes()[static_cast<std::size_t>(output.inputs[0])].name});
}

std::string_view name_of(Monitor monitor) { return kMonitors[static_cast<std::size_t>(monitor)]; }

Monitor parse_monitor(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kMonitors); ++i)
    if (kMonitors[i] == name) return static_cast<Monitor>(i);
  fail(ErrorKind::usage, "unknown measure '", std::string(name.substr(0, 32)),
       "' to monitor: use loss, auroc or dice");
}

LoaderOptions loader_of(const TrainerOptions& options) {
  LoaderOptions loader = options.loader;
  if (loader.readers == 0)
    loader.readers = options.executor ? options.executor->workers() : options.threads;
  return loader;
}

TrainingResult train_network(const Graph& graph, const Objective& objective, Dataset& dataset,
                             const std::vector<std::int64_t>& train,
                             const std::vector<std::int64_t>& validation,
                             const TrainerOptions& options, const TrainingCallback& callback) {
  const Graph trained = graph_for(graph, objective);
  check_shapes(trained, objective);
  if (options.loader.patches) {
    require(options.loader.patches.size == patch_size(trained), "patches of ",
            Shape(options.loader.patches.size), " for a network that takes ",
            Shape(patch_size(trained)));
    check_patches(trained, objective, dataset.image_shape(), dataset.name());
  }
  auto [result, weights] =
      Training(trained, objective, dataset, train, validation, options).run(callback);
  if (weights) result.weights = weights->download();
  return std::move(result);
}

TrainingResult train_classifier(const Graph& graph, Dataset& dataset,
                                const std::vector<std::int64_t>& train,
                                const std::vector<std::int64_t>& validation,
                                const TrainerOptions& options, const TrainingCallback& callback) {
  return train_network(logits_graph(graph), {{.class_weights = options.class_weights}}, dataset,
                       train, validation, options, callback);
}

}  // namespace ratnet::inline v1
