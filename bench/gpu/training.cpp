// Whole training steps, Adam included, on batches that lie in pinned memory.
#include "../../train/trainer.h"
#include "../../train/training_step.h"
#include "filled.h"
#include "measurement.h"
#include "repeated.h"

namespace ratnet::inline v1 {
namespace {

// A batch as the loader gives it.
struct OwnBatch {
  HostBuffer images, labels;
  Batch batch;

  OwnBatch(const QueueHandle& queue, const Shape& shape)
      : images(queue, View(nullptr, DType::f32, shape).bytes()),
        labels(queue, static_cast<std::size_t>(shape[0]) * sizeof(std::int32_t)) {
    fill_host(images.data(), images.bytes(), DType::f32);
    for (std::int64_t i = 0; i < shape[0]; ++i)
      static_cast<std::int32_t*>(labels.data())[i] = static_cast<std::int32_t>(i % 2);
    batch.count = shape[0];
    batch.images = ConstView(images.data(), DType::f32, shape);
    batch.labels = ConstView(labels.data(), DType::i32, {shape[0]});
  }
};

struct Training {
  Plan plan;
  Optimiser optimiser;
  OwnBatch even, odd;
  TrainingStep step;
  std::uint32_t steps = 0;

  Training(const Subject& subject, const std::shared_ptr<Parameters>& parameters,
           Precision precision, std::int64_t batch)
      : plan(logits_graph(subject.model.graph), parameters,
             {.batch = batch, .mode = Mode::train, .precision = precision}),
        optimiser(parameters, {}),
        even(subject.queue, plan.input(0, batch).shape),
        odd(subject.queue, plan.input(0, batch).shape),
        step(plan, optimiser, {LossTerm{}}) {}

  void run() {
    constexpr double kRate = 1e-4;
    step.release();  // as the trainer does, whose loader overwrites the batch before
    step.submit(steps % 2 ? odd.batch : even.batch, {1, steps}, kRate);
    ++steps;
  }
};

Prepared prepare(const Subject& subject, Precision precision, std::int64_t batch) {
  const auto parameters = std::make_shared<Parameters>(subject.queue, subject.model.weights);
  const auto training = std::make_shared<Training>(subject, parameters, precision, batch);
  // Either of two places for batches runs once before it is captured.
  const int warm_ups = subject.quick ? 1 : 4;
  const auto repeated = std::make_shared<Repeated>(
      std::vector{subject.queue}, [training] { training->run(); }, subject.least_seconds(),
      warm_ups);
  return {.round = [repeated, batch] {
    const double steps = 1 / repeated->seconds();
    return Values{{"steps_per_s", steps}, {"slices_per_s", steps * static_cast<double>(batch)}};
  }};
}

}  // namespace

void add_training(Measurements& all, const Subject& subject) {
  for (const Precision precision : kPrecisions)
    for (const std::int64_t batch : subject.batches({32, 256, 2048}))
      all.push_back({text("training/", name_of(precision), "/", batch),
                     [&subject, precision, batch] { return prepare(subject, precision, batch); }});
}

}  // namespace ratnet::inline v1
