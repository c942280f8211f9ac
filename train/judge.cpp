#include "judge.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "../core/thread_pool.h"
#include "../kernels/open.h"
#include "class_output.h"
#include "class_probabilities.h"
#include "loader_rows.h"
#include "roc.h"
#include "score.h"

namespace ratnet::inline v1 {
namespace {

// No more samples at once than a training that fits its memory takes.
PlanOptions plan_for(const Graph& graph, const Objective& objective, const Dataset& dataset,
                     const LoaderOptions& options, Precision precision) {
  const Shape image = dataset.image_shape();
  const Shape shown = options.patches ? options.patches.shape(image.back()) : image;
  return {.batch = images_at_once(shown, options.batch),
          .precision = precision,
          .watch = options.patches ? std::vector<std::string>() : watch_for(graph, objective)};
}

// Where whole images are judged: the plan's own queue, or one beside its device.
QueueHandle processor(const QueueHandle& queue, int threads) {
  if (queue->device.kind == DeviceKind::cpu) return queue;
  return open_queue({.device = {DeviceKind::cpu, 0}, .threads = threads, .executor = {}});
}

// Those of images that are cut into patches when they have been loaded, one by one.
LoaderOptions for_whole_images(LoaderOptions options) {
  options.patches = {};
  options.batch = 1;
  options.ahead = 1;
  options.queue = nullptr;
  return options;
}

Objective without_training_aids(Objective objective) {
  for (LossTerm& term : objective) {
    term.class_weights.clear();
    term.label_smoothing = 0;
    term.positive_weight = 1;
  }
  return objective;
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
                   const ClassOutput& output) {
  const auto classes = static_cast<std::size_t>(output.classes());
  std::vector<std::uint8_t> labels;
  std::vector<double> probabilities, margins;
  std::int64_t right = 0;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const std::uint8_t label = dataset.table().labels[static_cast<std::size_t>(indices[i])];
    const float* row = j.scores.data() + i * static_cast<std::size_t>(output.width);
    if (label == kUnlabelled) continue;
    right += output.decide(row) == label;
    labels.push_back(label);
    if (classes == 2) {
      margins.push_back(output.margin(row));
      continue;
    }
    probabilities.resize(probabilities.size() + classes);
    output.to_probabilities(row, std::span(probabilities).last(classes));
  }
  if (labels.empty()) return;
  j.accuracy = static_cast<double>(right) / static_cast<double>(labels.size());
  j.auroc = classes == 2 ? auroc(rank_scores(margins, labels))
                         : macro_auroc(probabilities, labels, static_cast<int>(classes));
}

void count_pixels(Judgement& j, const float* scores, const std::uint8_t* masks, std::int64_t pixels,
                  const ClassOutput& output) {
  for (std::int64_t p = 0; p < pixels; ++p) {
    if (masks[p] >= j.overlap.size()) continue;
    const auto called = static_cast<std::size_t>(output.decide(scores + p * output.width));
    ++j.overlap[masks[p]].truth;
    ++j.overlap[called].predicted;
    j.overlap[called].both += called == masks[p];
  }
}

// How often each value stands in the masks of these samples.
std::array<std::int64_t, 256> mask_values(Dataset& masks,
                                          const std::vector<std::int64_t>& indices) {
  constexpr std::int64_t kMost = 1024, kBytes = std::int64_t{64} << 20;
  const auto at_once = static_cast<std::size_t>(
      std::clamp<std::int64_t>(kBytes / masks.image_shape().count(), 1, kMost));
  std::array<std::int64_t, 256> counts{};
  std::vector<std::int64_t> rows = indices;
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  ThreadPool reader(1);
  for (std::size_t i = 0; i < rows.size(); i += at_once) {
    const std::vector<std::int64_t> some(
        rows.begin() + static_cast<std::ptrdiff_t>(i),
        rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), i + at_once)));
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
  for (const LossTarget target : {LossTarget::labels, LossTarget::masks})
    class_output(graph, objective, target);  // refuses more classes than labels tell apart
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
      if (labels.empty())
        fail(ErrorKind::input, dataset.name(), ": has no 'labels', which a loss compares with");
      for (const std::int64_t index : indices) {
        const std::uint8_t label = labels[static_cast<std::size_t>(index)];
        if (label >= classes)
          fail(ErrorKind::input, dataset.name(), ": image ", index, " has label ", int(label),
               ", the network has ", classes, " classes");
      }
      continue;
    }
    if (!masks)
      fail(ErrorKind::input, dataset.name(), ": has no 'masks', which a loss compares with");
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

std::vector<std::int64_t> usable_samples(std::vector<std::int64_t> indices,
                                         const Objective& objective, const Dataset& dataset) {
  const auto& labels = dataset.table().labels;
  if (reads(objective, LossTarget::labels) && !labels.empty())
    std::erase_if(indices, [&](std::int64_t index) {
      return labels[static_cast<std::size_t>(index)] == kUnlabelled;
    });
  return indices;
}

Judge::Judge(const Graph& graph, std::shared_ptr<Parameters> parameters, const Objective& objective,
             Dataset& dataset, const LoaderOptions& options, Precision precision,
             const WindowOptions& window)
    : objective_(without_training_aids(objective)),
      dataset_(dataset),
      options_(options),
      plan_(graph, std::move(parameters), plan_for(graph, objective, dataset, options, precision)),
      loss_sum_(plan_.queue_handle(), sizeof(double)),
      values_(graph.outputs().size()) {
  options_.batch = plan_.batch();
  options_.shuffle = false;
  options_.balance = false;
  options_.augmentation = {};
  options_.weights.clear();
  options_.queue = plan_.queue_handle();
  const Shape image = dataset.image_shape();
  if (!options.patches) {
    losses_.emplace(plan_, objective_);
    targets_.emplace(plan_.queue_handle(), objective_, image, plan_.batch(),
                     options.change.makes_targets);
    return;
  }
  check_windows(graph, objective_, image, dataset.name());
  // First what is checked against the memory there is.
  whole_losses_.emplace(processor(plan_.queue_handle(), options.readers), graph, objective_, image);
  whole_images_.emplace(plan_, objective_, image, window);
  options_ = for_whole_images(options_);
}

std::size_t Judge::bytes() const {
  std::size_t bytes = plan_.memory().beside_parameters();
  if (targets_) bytes += targets_->bytes();
  if (whole_images_ && plan_.queue().device.kind == DeviceKind::cpu)
    bytes += whole_losses_->bytes() + WholeImages::bytes_of(plan_.graph(), objective_,
                                                            dataset_.image_shape(), plan_.batch());
  return bytes;
}

std::size_t Judge::loader_bytes(const std::vector<std::int64_t>& indices) const {
  return indices.empty() ? 0 : Loader(dataset_, indices, options_).bytes();
}

std::size_t Judge::plan_bytes(const Graph& graph, std::shared_ptr<Parameters> parameters,
                              const Objective& objective, const Dataset& dataset,
                              const LoaderOptions& options) {
  const QueueHandle queue = parameters->queue();
  const PlanOptions plan = plan_for(graph, objective, dataset, options, Precision::f32);
  std::size_t bytes = Plan::memory_of(graph, std::move(parameters), plan).beside_parameters();
  if (options.patches && queue->device.kind == DeviceKind::cpu)
    bytes += WholeLosses::bytes_of(queue, graph, dataset.image_shape()) +
             WholeImages::bytes_of(graph, objective, dataset.image_shape(), plan.batch) +
             Loader::slot_bytes(dataset, for_whole_images(options));
  return bytes;
}

double Judge::judge_batch(const Batch& batch, double share, const std::vector<bool>& wanted,
                          std::vector<ConstView>& outputs) {
  Queue& queue = plan_.queue();
  const Graph& graph = plan_.graph();
  const std::int64_t n = batch.count;
  double sum = 0;
  wait_on_failure(queue, [&] {
    const View input = plan_.input(0, n);
    upload(queue, input.data, batch.images.data, input.bytes());
    targets_->upload(queue, batch);
    plan_.forward(n);
    LossTargets targets = targets_->first(n);
    if (reads(objective_, LossTarget::image) && !targets.image)
      targets.image =
          plan_.watched(graph.nodes()[static_cast<std::size_t>(graph.inputs()[0])].name, n);
    losses_->submit(n, targets, View(loss_sum_.data(), DType::f64, {1}), share);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (!wanted[i]) continue;
      const ConstView from = plan_.output(i, n);
      values_[i].resize(static_cast<std::size_t>(from.count()));
      download(queue, values_[i].data(), from.data, from.bytes());
      outputs[i] = ConstView(values_[i].data(), DType::f32, from.shape);
    }
    loss_sum_.download(&sum, sizeof sum);
    wait(queue);
  });
  return sum;
}

double Judge::judge_whole(const Batch& batch, std::vector<ConstView>& outputs) {
  const std::vector<View> made = whole_losses_->outputs();
  whole_images_->run({batch.images.data, DType::f32, dataset_.image_shape()}, made);
  for (std::size_t i = 0; i < made.size(); ++i)
    outputs[i] = ConstView(made[i]).reshaped(made[i].shape.batch_of(1));
  return whole_losses_->of(batch);
}

Judgement Judge::run(const std::vector<std::int64_t>& indices, const JudgedBatch& judged,
                     const JudgingProgress& progress) {
  Judgement j{.samples = static_cast<std::int64_t>(indices.size()),
              .loss = std::nan(""),
              .accuracy = std::nan(""),
              .auroc = std::nan(""),
              .scores = {},
              .overlap = {},
              .dice = std::nan("")};
  if (indices.empty()) return j;
  const Graph& graph = plan_.graph();
  const auto by_sample = class_output(graph, objective_, LossTarget::labels);
  const auto by_pixel = class_output(graph, objective_, LossTarget::masks);
  if (by_pixel) j.overlap.resize(static_cast<std::size_t>(by_pixel->classes()));
  // Outputs that are looked at here or by the caller, in host memory.
  std::vector<bool> wanted(values_.size(), judged != nullptr);
  for (const auto& output : {by_sample, by_pixel})
    if (output) wanted[output_of(graph, output->output)] = true;

  loss_sum_.clear();
  Loader loader(dataset_, indices, options_);
  const auto all = static_cast<double>(indices.size());
  double sum = 0;
  std::int64_t done = 0;
  const auto tell = [&] {
    if (progress && !progress(done, j.samples)) throw JudgingInterrupted();
  };
  tell();
  for (std::int64_t b = 0; b < loader.batches_per_epoch(); ++b) {
    const Batch& batch = loader.next();
    std::vector<ConstView> outputs(values_.size());
    if (whole_images_)
      sum += judge_whole(batch, outputs) / all;
    else
      sum = judge_batch(batch, static_cast<double>(batch.count) / all, wanted, outputs);
    const auto values_of = [&](const ClassOutput& output) {
      const ConstView& view = outputs[output_of(graph, output.output)];
      return std::span(view.as<float>(), static_cast<std::size_t>(view.count()));
    };
    if (by_sample) {
      const auto scores = values_of(*by_sample);
      j.scores.insert(j.scores.end(), scores.begin(), scores.end());
    }
    if (by_pixel)
      count_pixels(j, values_of(*by_pixel).data(), batch.masks.as<std::uint8_t>(),
                   batch.masks.count(), *by_pixel);
    if (judged) judged(batch, outputs);
    done += batch.count;
    tell();
  }
  j.loss = sum;
  if (by_sample) judge_classes(j, dataset_, indices, *by_sample);
  if (!j.overlap.empty()) j.dice = mean_foreground_dice(j.overlap);
  return j;
}

}  // namespace ratnet::inline v1
