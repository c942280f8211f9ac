#include "training.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../../kernels/open.h"
#include "../../train/total_steps.h"
#include "../../train/training_provenance.h"
#include "cohort_split.h"
#include "subject_slices.h"
#include "training_patches.h"

namespace ratnet::inline v1 {

TrainerOptions anomaly_training_defaults() {
  TrainerOptions options;
  options.epochs = 20;
  options.optimiser.kind = OptimiserKind::adamw;
  options.optimiser.weight_decay = 1e-5;
  options.schedule = {.kind = ScheduleKind::one_cycle,
                      .rate = 1e-3,
                      .warm_up = 0.025,
                      .start_divisor = 25,
                      .final_divisor = 1e4};
  options.loader.batch = 16;
  options.loader.augmentation = {.shift = 2, .flip_left_right = true};
  return options;
}

Objective anomaly_objective(const AnomalyTrainingOptions& options, std::int64_t steps) {
  Objective objective = {
      {.kind = LossKind::mse, .output = "reconstruction", .target = LossTarget::image}};
  if (options.method == AnomalyMethod::vae)
    objective.push_back(
        {.kind = LossKind::gaussian_kl,
         .output = "mean",
         .log_variance = "log_variance",
         .weight = options.divergence,
         .warm_up = std::llround(options.divergence_warm_up * static_cast<double>(steps))});
  return objective;
}

AnomalyTrainingResult train_anomaly(std::span<const PreparedSubject> subjects,
                                    const std::vector<Split>& splits, const std::string& hash,
                                    const AnomalyTrainingOptions& options,
                                    const TrainingCallback& progress) {
  require(splits.size() == subjects.size(), "there are ", splits.size(), " splits of ",
          subjects.size(), " subjects");
  const Graph graph = anomaly_graph(options.method, options.network);
  // One dataset of both, so that the trainer sees them by index.
  const std::vector<const PreparedSubject*> training = of_split(subjects, splits, Split::train);
  const std::vector<const PreparedSubject*> calibrating =
      of_split(subjects, splits, Split::validation);
  // Before a training that would be lost.
  healthy_slices("calibration (split validation)", calibrating);
  healthy_slices("the training subjects", training);
  const std::size_t learnt_from = training.size();
  std::vector<const PreparedSubject*> both = training;
  both.insert(both.end(), calibrating.begin(), calibrating.end());
  const Sizes& size = options.network.size;
  const bool volumes = size.size() == 3;
  const TrainingSamples samples = volumes
                                      ? training_patches(both, size, options.trainer.loader.seed)
                                      : training_slices(both, size[0]);
  const std::ptrdiff_t first =
      std::ranges::lower_bound(samples.subjects, learnt_from) - samples.subjects.begin();
  std::vector<std::int64_t> train(static_cast<std::size_t>(first)),
      validation(samples.subjects.size() - train.size());
  std::iota(train.begin(), train.end(), 0);
  std::iota(validation.begin(), validation.end(), first);

  TrainerOptions trainer = options.trainer;
  trainer.data_hash = hash;
  trainer.loader.masks = samples.brains.get();
  const CoarseNoise noise =
      options.method == AnomalyMethod::denoising ? options.noise : CoarseNoise{.deviation = 0};
  trainer.loader.change = healthy_change(options.augmentation, noise);
  trainer.judged_change = noise_change(noise);
  const TrainingResult trained =
      train_network(graph, anomaly_objective(options, total_steps(trainer, first)), *samples.images,
                    train, validation, trainer, progress);
  AnomalyTrainingResult result;
  result.interrupted = trained.interrupted;
  if (trained.interrupted) return result;

  AnomalyModel& model = result.model;
  model.method = options.method;
  model.preparation = options.preparation;
  model.score = options.score;
  model.model.graph = graph;
  model.model.weights = trained.weights.clone();
  model.model.provenance = training_provenance(trainer, trained, hash);
  model.model.provenance.insert(
      {{"training_subjects", std::to_string(people_in(training).count)},
       {"training_scans", std::to_string(training.size())},
       {volumes ? "training_patches" : "training_slices", std::to_string(first)}});
  model.combined = options.combined;
  const QueueHandle queue = open_queue({trainer.device, trainer.threads, trainer.executor});
  Plan plan(graph, std::make_shared<Parameters>(queue, model.model.weights),
            {.batch = scoring_batch(graph)});
  calibrate(model, plan, training, calibrating);
  store(model);
  return result;
}

}  // namespace ratnet::inline v1
