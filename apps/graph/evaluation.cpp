#include "evaluation.h"

#include <algorithm>
#include <cmath>

#include "../../core/thread_pool.h"
#include "../../kernels/open.h"
#include "../../network/parameters.h"
#include "../../train/score.h"

namespace ratnet::inline v1 {
namespace {

std::vector<std::string> subjects_of(const Dataset& dataset,
                                     const std::vector<std::int64_t>& indices) {
  std::vector<std::string> subjects;
  if (!dataset.table().subjects.empty())
    for (const std::int64_t i : indices)
      subjects.push_back(dataset.table().subjects[static_cast<std::size_t>(i)]);
  return subjects;
}

// Over the values that are there; NaN where none is.
double mean_of(std::span<const double> values, std::span<const std::uint32_t> counts = {}) {
  double sum = 0, taken = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    const double times = counts.empty() ? 1 : counts[i];
    sum += times * values[i];
    taken += times;
  }
  return sum / taken;
}

GraphEvaluation::MaskClass with_mean(MaskClassFigures figures,
                                     std::span<const std::string> subjects,
                                     const BootstrapOptions& bootstrap) {
  GraphEvaluation::MaskClass c{std::move(figures)};
  c.mean_dice = mean_of(c.dice);
  // Those without a Dice would count as units of an interval that they say nothing about.
  std::vector<double> dice;
  std::vector<std::string> of;
  for (std::size_t i = 0; i < c.dice.size(); ++i) {
    if (std::isnan(c.dice[i])) continue;
    dice.push_back(c.dice[i]);
    if (!subjects.empty()) of.push_back(subjects[i]);
  }
  c.mean_dice_interval = bootstrap_interval(
      std::ssize(dice), of,
      [&](std::span<const std::uint32_t> counts) { return mean_of(dice, counts); }, bootstrap);
  c.mean_dice_interval.by_subject = !subjects.empty();
  return c;
}

// What the least of the intervals is worth; empty where that goes without saying.
std::string interval_note(const GraphEvaluation& e) {
  constexpr std::int64_t kEnough = 10;
  std::vector<Interval> intervals;
  if (e.classes) intervals.push_back(e.classes->accuracy);
  for (const GraphEvaluation::MaskClass& c : e.masks)
    if (c.mean_dice_interval.units > 0) intervals.push_back(c.mean_dice_interval);
  const auto least = std::ranges::min_element(intervals, {}, &Interval::units);
  if (least == intervals.end() || least->units >= kEnough) return "";
  const char* const unit = least->by_subject ? "subject" : "sample";
  if (least->units < kLeastUnits)
    return text("a figure of 1 ", unit, " has no interval: that takes ", kLeastUnits, " or more");
  return text("intervals of ", least->units, " ", unit, "s are rough, and likely too narrow");
}

// Means of the figures of images, sample by sample.
class ImageMeans {
 public:
  ImageMeans(const TrainedGraph& trained, bool by_slices, int threads)
      : sums_(trained.images.size()), ssim_(trained.ssim), by_slices_(by_slices) {
    if (!sums_.empty())
      cpu_ = open_queue({.device = {DeviceKind::cpu, 0}, .threads = threads, .executor = {}});
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i].output = trained.images[i];
  }

  void add(const Graph& graph, const Batch& batch, std::span<const ConstView> outputs) {
    for (GraphEvaluation::Image& sum : sums_)
      for (std::int64_t n = 0; n < batch.count; ++n) {
        const ImageFigures one =
            image_figures(*cpu_, sample_of(outputs[output_of(graph, sum.output)], n),
                          sample_of(batch.images, n), ssim_, by_slices_);
        sum.mse += one.mse;
        sum.l1 += one.l1;
        sum.ssim += one.ssim;
      }
    samples_ += batch.count;
  }

  std::vector<GraphEvaluation::Image> means() const {
    std::vector<GraphEvaluation::Image> means = sums_;
    for (GraphEvaluation::Image& mean : means)
      for (double* figure : {&mean.mse, &mean.l1, &mean.ssim})
        *figure /= static_cast<double>(samples_);
    return means;
  }

 private:
  std::vector<GraphEvaluation::Image> sums_;
  LossTerm ssim_;
  bool by_slices_;
  QueueHandle cpu_;
  std::int64_t samples_ = 0;
};

GraphEvaluation evaluated(const TrainedGraph& trained, const QueueHandle& queue, Dataset& dataset,
                          Dataset* masks, const std::vector<std::int64_t>& indices,
                          const GraphEvaluationOptions& options) {
  const Graph graph = graph_for(trained.model.graph, trained.objective);
  check_samples(graph, trained.objective, dataset, masks, indices);
  Judge judge(graph, std::make_shared<Parameters>(queue, trained.model.weights), trained.objective,
              dataset,
              {.batch = trained.batch,
               .patches = trained.patches.value_or(Patches()),
               .scales = {static_cast<float>(trained.scale)},
               .masks = masks,
               .threads = options.threads > 0 ? options.threads : usable_processors(),
               .readers = options.threads},
              options.precision, options.window);
  GraphEvaluation e;
  std::optional<MaskFigures> by_mask;
  e.in_mm = !options.spacing.empty();
  if (trained.by_mask)
    by_mask.emplace(*trained.by_mask,
                    e.in_mm ? options.spacing
                            : std::vector<double>(
                                  static_cast<std::size_t>(dataset.image_shape().rank() - 1), 1.0));
  ImageMeans images(trained, trained.by_slices(dataset.image_shape()), options.threads);
  std::int64_t done = 0;
  e.judgement = judge.run(indices, [&](const Batch& batch, std::span<const ConstView> outputs) {
    if (by_mask) {
      const ConstView scores = outputs[output_of(graph, trained.by_mask->output)];
      for (std::int64_t n = 0; n < batch.count; ++n)
        by_mask->add(sample_of(batch.masks, n), sample_of(scores, n).as<float>());
    }
    images.add(graph, batch, outputs);
    done += batch.count;
    if (options.progress) options.progress(done);
  });

  const std::vector<std::string> subjects = subjects_of(dataset, indices);
  if (trained.by_label) {
    std::vector<std::uint8_t> labels;
    for (const std::int64_t i : indices)
      labels.push_back(dataset.table().labels[static_cast<std::size_t>(i)]);
    e.calls = class_calls(*trained.by_label, e.judgement.scores, std::move(labels), subjects);
    e.classes = class_figures(*e.calls, options.bootstrap);
    e.class_names = trained.class_names();
  }
  if (by_mask)
    for (MaskClassFigures& figures : by_mask->figures())
      e.masks.push_back(with_mean(std::move(figures), subjects, options.bootstrap));
  e.images = images.means();
  e.ssim = trained.ssim;
  if (const std::string note = interval_note(e); !note.empty()) e.notes.push_back(note);
  if (subjects.empty() && (e.classes || !e.masks.empty()))
    e.notes.push_back(
        "the file names no subjects: intervals treat samples as independent and are too narrow");
  return e;
}

}  // namespace

GraphEvaluation evaluate_graph(const TrainedGraph& trained, const QueueHandle& queue,
                               Dataset& dataset, Dataset* masks,
                               const std::vector<std::int64_t>& indices,
                               const GraphEvaluationOptions& options) {
  check_images(trained, dataset);
  check_class_names(trained, dataset.attributes().class_names, dataset.name());
  if (indices.empty())
    fail(ErrorKind::input, dataset.name(),
         ": none of the samples chosen has a label; label some, or choose another --split");
  try {
    return evaluated(trained, queue, dataset, masks, indices, options);
  } catch (const Error& error) {
    throw about(error, trained, dataset);
  }
}

}  // namespace ratnet::inline v1
