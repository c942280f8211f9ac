#include "judge.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "../core/thread_pool.h"
#include "class_probabilities.h"
#include "loader_rows.h"
#include "roc.h"

namespace ratnet::inline v1 {
namespace {

// As many samples at once as keep the images within a few megabytes, and no more than a training
// that fits its memory takes.
std::int64_t batch_for(const Shape& image, std::int64_t training) {
  return std::clamp<std::int64_t>((std::int64_t{1} << 20) / image.count(), 1, training);
}

PlanOptions plan_for(const Graph& graph, const Objective& objective, const Dataset& dataset,
                     const LoaderOptions& options) {
  return {.batch = batch_for(dataset.image_shape(), options.batch),
          .watch = watch_for(graph, objective)};
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
    if (label == kUnlabelled) continue;
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

// How often each value stands in the masks of these samples.
std::array<std::int64_t, 256> mask_values(Dataset& masks,
                                          const std::vector<std::int64_t>& indices) {
  constexpr std::size_t kAtOnce = 1024;
  std::array<std::int64_t, 256> counts{};
  std::vector<std::int64_t> rows = indices;
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  ThreadPool reader(1);
  for (std::size_t i = 0; i < rows.size(); i += kAtOnce) {
    const std::vector<std::int64_t> some(
        rows.begin() + static_cast<std::ptrdiff_t>(i),
        rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), i + kAtOnce)));
    const LoadedRows loaded(masks, some, reader);
    for (const std::int64_t row : some) {
      const ConstView mask = loaded.image(row);
      const auto* values = mask.as<std::uint8_t>();
      for (std::int64_t p = 0; p < mask.count(); ++p) ++counts[values[p]];
    }
  }
  return counts;
}

}  // namespace

void check_samples(const Graph& graph, const Objective& objective, Dataset& dataset, Dataset* masks,
                   const std::vector<std::int64_t>& indices) {
  const auto& labels = dataset.table().labels;
  const auto shapes = graph.infer(1, false);
  std::optional<std::array<std::int64_t, 256>> counted;  // of the masks, once for all losses
  for (const LossTerm& term : objective) {
    if (term.mask && !masks)
      fail(ErrorKind::input, dataset.name(),
           ": has no masks, by which a loss takes its pixels (\"mask\": true)");
    if (term.kind == LossKind::gaussian_kl || term.target == LossTarget::image) continue;
    const auto output = static_cast<std::size_t>(graph.outputs()[output_of(graph, term.output)]);
    const std::int64_t width = shapes[output].output.back();
    const std::int64_t classes =
        term.kind == LossKind::cross_entropy ? width : std::max<std::int64_t>(2, width);
    require(
        term.class_weights.empty() || static_cast<std::int64_t>(term.class_weights.size()) == width,
        "there are ", term.class_weights.size(), " class weights for ", width, " classes");
    if (term.target == LossTarget::labels) {
      if (labels.empty()) fail(ErrorKind::input, dataset.name(), ": has no labels to train from");
      for (const std::int64_t index : indices) {
        const std::uint8_t label = labels[static_cast<std::size_t>(index)];
        if (label >= classes)
          fail(ErrorKind::input, dataset.name(), ": image ", index, " has label ", int(label),
               ", the network has ", classes, " classes");
      }
      continue;
    }
    if (!masks) fail(ErrorKind::input, dataset.name(), ": has no masks to train from");
    if (!counted) counted = mask_values(*masks, indices);
    const auto& counts = *counted;
    for (std::size_t value = static_cast<std::size_t>(classes); value < 255; ++value)
      if (counts[value] > 0)
        fail(ErrorKind::input, dataset.name(), ": masks hold the label ", value,
             ", the network has ", classes, " classes (255 stands for none)");
    if (counts[255] > 0 && std::all_of(counts.begin() + 1, counts.end() - 1,
                                       [](std::int64_t count) { return count == 0; }))
      fail(ErrorKind::input, dataset.name(),
           ": masks hold nothing but 0 and 255, which stands for no label; write 1 for what is "
           "to be found");
  }
}

Judge::Judge(const Graph& graph, std::shared_ptr<Parameters> parameters, const Objective& objective,
             Dataset& dataset, const LoaderOptions& options)
    : objective_(without_training_aids(objective)),
      dataset_(dataset),
      options_(options),
      plan_(graph, std::move(parameters), plan_for(graph, objective, dataset, options)),
      losses_(plan_, objective_),
      targets_(plan_.queue_handle(), objective_, dataset.image_shape(), plan_.batch(),
               options.change.makes_targets),
      loss_sum_(plan_.queue_handle(), sizeof(double)) {
  options_.batch = plan_.batch();
  options_.shuffle = false;
  options_.balance = false;
  options_.augmentation = {};
  options_.weights.clear();
  options_.queue = plan_.queue_handle();
}

std::size_t Judge::plan_bytes(const Graph& graph, std::shared_ptr<Parameters> parameters,
                              const Objective& objective, const Dataset& dataset,
                              const LoaderOptions& options) {
  return Plan::memory_of(graph, std::move(parameters), plan_for(graph, objective, dataset, options))
      .beside_parameters();
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
  // What tells samples, and pixels, apart.
  struct Decision {
    const LossTerm* term;
    std::size_t output = 0;
    std::int64_t classes = 0;
    std::vector<float> scores = {};
  };
  Decision by_sample{deciding_term(objective_, LossTarget::labels)};
  Decision by_pixel{deciding_term(objective_, LossTarget::masks)};
  for (Decision* decision : {&by_sample, &by_pixel}) {
    if (!decision->term) continue;
    decision->output = output_of(graph, decision->term->output);
    decision->classes = plan_.output(decision->output, 1).shape.back();
  }
  if (by_pixel.term)
    j.overlap.resize(static_cast<std::size_t>(std::max<std::int64_t>(2, by_pixel.classes)));

  loss_sum_.clear();
  Loader loader(dataset_, indices, options_);
  double sum = 0;
  for (std::int64_t b = 0; b < loader.batches_per_epoch(); ++b) {
    const Batch& batch = loader.next();
    const std::int64_t n = batch.count;
    wait_on_failure(queue, [&] {
      const View input = plan_.input(0, n);
      upload(queue, input.data, batch.images.data, input.bytes());
      targets_.upload(queue, batch);
      plan_.forward(n);
      LossTargets targets = targets_.first(n);
      if (reads(objective_, LossTarget::image) && !targets.image)
        targets.image =
            plan_.watched(graph.nodes()[static_cast<std::size_t>(graph.inputs()[0])].name, n);
      losses_.submit(n, targets, View(loss_sum_.data(), DType::f64, {1}),
                     static_cast<double>(n) / static_cast<double>(indices.size()));
      for (Decision* decision : {&by_sample, &by_pixel}) {
        if (!decision->term) continue;
        const ConstView from = plan_.output(decision->output, n);
        decision->scores.resize(static_cast<std::size_t>(from.count()));
        download(queue, decision->scores.data(), from.data, from.bytes());
      }
      loss_sum_.download(&sum, sizeof sum);
      wait(queue);
    });
    if (by_sample.term)
      j.scores.insert(j.scores.end(), by_sample.scores.begin(), by_sample.scores.end());
    if (by_pixel.term)
      count_pixels(j, by_pixel.scores.data(), batch.masks.as<std::uint8_t>(), batch.masks.count(),
                   by_pixel.classes, by_pixel.term->kind == LossKind::dice);
  }
  j.loss = sum;
  if (by_sample.term) judge_classes(j, dataset_, indices, by_sample.classes);
  if (!j.overlap.empty()) j.dice = mean_foreground_dice(j.overlap);
  return j;
}

}  // namespace ratnet::inline v1
