#include "judge.h"

#include <algorithm>
#include <cmath>

#include "class_probabilities.h"
#include "roc.h"

namespace ratnet::inline v1 {
namespace {

// As many samples at once as keep the images within a few megabytes.
std::int64_t batch_for(const Shape& image) {
  return std::clamp<std::int64_t>((std::int64_t{1} << 20) / image.count(), 1, 256);
}

Objective without_training_aids(Objective objective) {
  for (LossTerm& term : objective) {
    term.class_weights.clear();
    term.label_smoothing = 0;
    term.positive_weight = 1;
  }
  return objective;
}

bool is_classes(const LossTerm& term) {
  return term.kind == LossKind::cross_entropy || term.kind == LossKind::binary_cross_entropy;
}

// The term by which samples, or pixels, are told apart; null where there is none.
const LossTerm* deciding_term(const Objective& objective, LossTarget target) {
  for (const LossTerm& term : objective)
    if (term.target == target && is_classes(term)) return &term;
  for (const LossTerm& term : objective)
    if (term.target == target && term.kind == LossKind::dice) return &term;
  return nullptr;
}

// The class that a row of scores speaks for; one score is a logit, or a probability.
int decided(const float* row, std::int64_t classes, bool probability) {
  if (classes == 1) return row[0] > (probability ? 0.5f : 0.0f);
  return static_cast<int>(std::max_element(row, row + classes) - row);
}

double mean_foreground_dice(const std::vector<Overlap>& overlap) {
  double sum = 0;
  int classes = 0;
  for (std::size_t k = 1; k < overlap.size(); ++k)
    if (overlap[k].truth + overlap[k].predicted > 0) {
      sum += overlap[k].dice();
      ++classes;
    }
  return classes ? sum / classes : std::nan("");
}

void judge_classes(Judgement& j, const Dataset& dataset, const std::vector<std::int64_t>& indices,
                   std::int64_t classes) {
  std::vector<std::uint8_t> labels;
  std::vector<double> probabilities, margins;
  std::int64_t right = 0;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::uint8_t label = dataset.table().labels[static_cast<std::size_t>(indices[i])];
    const float* row = j.scores.data() + i * static_cast<std::size_t>(classes);
    if (label >= std::max<std::int64_t>(2, classes)) continue;
    right += decided(row, classes, false) == label;
    labels.push_back(label);
    margins.push_back(static_cast<double>(row[classes - 1]) -
                      (classes > 1 ? static_cast<double>(row[0]) : 0));
    const double top = static_cast<double>(*std::max_element(row, row + classes));
    double sum = 0;
    for (std::int64_t k = 0; k < classes; ++k) sum += std::exp(static_cast<double>(row[k]) - top);
    for (std::int64_t k = 0; k < classes; ++k)
      probabilities.push_back(std::exp(static_cast<double>(row[k]) - top) / sum);
  }
  if (labels.empty()) return;
  j.accuracy = static_cast<double>(right) / static_cast<double>(labels.size());
  j.auroc = classes <= 2 ? auroc(rank_scores(margins, labels))
                         : macro_auroc(probabilities, labels, static_cast<int>(classes));
}

void count_pixels(Judgement& j, const float* scores, const std::uint8_t* masks, std::int64_t pixels,
                  std::int64_t classes, bool probability) {
  for (std::int64_t p = 0; p < pixels; ++p) {
    if (masks[p] >= j.overlap.size()) continue;
    const auto called =
        static_cast<std::size_t>(decided(scores + p * classes, classes, probability));
    ++j.overlap[masks[p]].truth;
    ++j.overlap[called].predicted;
    j.overlap[called].both += called == masks[p];
  }
}

}  // namespace

Judge::Judge(const Graph& graph, std::shared_ptr<Parameters> parameters, const Objective& objective,
             Dataset& dataset, const LoaderOptions& options)
    : objective_(without_training_aids(objective)),
      dataset_(dataset),
      options_(options),
      plan_(graph, std::move(parameters),
            {.batch = batch_for(dataset.image_shape()), .watch = watch_for(graph, objective)}),
      losses_(plan_, objective_),
      loss_sum_(plan_.queue_handle(), sizeof(double)) {
  const auto n = static_cast<std::size_t>(plan_.batch());
  const Shape image = dataset.image_shape();
  if (reads(objective_, LossTarget::labels))
    labels_ = Buffer(plan_.queue_handle(), n * sizeof(std::int32_t));
  if (reads(objective_, LossTarget::masks))
    masks_ = Buffer(plan_.queue_handle(), n * static_cast<std::size_t>(image[0] * image[1]));
  options_.batch = plan_.batch();
  options_.shuffle = false;
  options_.balance = false;
  options_.augmentation = {};
  options_.weights.clear();
  options_.queue = plan_.queue_handle();
}

Judgement Judge::run(const std::vector<std::int64_t>& indices) {
  Judgement j{.samples = static_cast<std::int64_t>(indices.size()),
              .loss = std::nan(""),
              .accuracy = std::nan(""),
              .auroc = std::nan(""),
              .scores = {},
              .overlap = {},
              .dice = std::nan("")};
  if (indices.empty()) return j;
  Queue& queue = plan_.queue();
  const Graph& graph = plan_.graph();
  const LossTerm* by_sample = deciding_term(objective_, LossTarget::labels);
  const LossTerm* by_pixel = deciding_term(objective_, LossTarget::masks);
  const LossTerm* decides = by_sample ? by_sample : by_pixel;
  const std::size_t output = decides ? output_of(graph, decides->output) : 0;
  const std::int64_t classes = plan_.output(output, 1).shape.back();
  const bool probability = decides && decides->kind == LossKind::dice;
  if (!by_sample && by_pixel)
    j.overlap.resize(static_cast<std::size_t>(std::max<std::int64_t>(2, classes)));

  loss_sum_.clear();
  Loader loader(dataset_, indices, options_);
  std::vector<float> scores;
  double sum = 0;
  for (std::int64_t b = 0; b < loader.batches_per_epoch(); ++b) {
    const Batch& batch = loader.next();
    const std::int64_t n = batch.count;
    wait_on_failure(queue, [&] {
      const View input = plan_.input(0, n);
      upload(queue, input.data, batch.images.data, input.bytes());
      LossTargets targets;
      if (labels_.data()) {
        upload(queue, labels_.data(), batch.labels.data, batch.labels.bytes());
        targets.labels = ConstView(labels_.data(), DType::i32, {n});
      }
      if (masks_.data()) {
        upload(queue, masks_.data(), batch.masks.data, batch.masks.bytes());
        targets.masks = ConstView(masks_.data(), DType::u8, batch.masks.shape);
      }
      plan_.forward(n);
      if (reads(objective_, LossTarget::image))
        targets.image =
            plan_.watched(graph.nodes()[static_cast<std::size_t>(graph.inputs()[0])].name, n);
      losses_.submit(n, targets, View(loss_sum_.data(), DType::f64, {1}),
                     static_cast<double>(n) / static_cast<double>(indices.size()));
      if (decides) {
        const ConstView from = plan_.output(output, n);
        scores.resize(static_cast<std::size_t>(from.count()));
        download(queue, scores.data(), from.data, from.bytes());
      }
      loss_sum_.download(&sum, sizeof sum);
      wait(queue);
    });
    if (by_sample)
      j.scores.insert(j.scores.end(), scores.begin(), scores.end());
    else if (by_pixel)
      count_pixels(j, scores.data(), batch.masks.as<std::uint8_t>(), batch.masks.count(), classes,
                   probability);
  }
  j.loss = sum;
  if (by_sample) judge_classes(j, dataset_, indices, classes);
  if (!j.overlap.empty()) j.dice = mean_foreground_dice(j.overlap);
  return j;
}

}  // namespace ratnet::inline v1
