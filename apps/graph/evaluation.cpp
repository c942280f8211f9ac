#include "evaluation.h"

#include <cmath>

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
  c.mean_dice_interval = bootstrap_interval(
      std::ssize(c.dice), subjects,
      [&](std::span<const std::uint32_t> counts) { return mean_of(c.dice, counts); }, bootstrap);
  return c;
}

// Means of the figures of images, sample by sample.
class ImageMeans {
 public:
  ImageMeans(const TrainedGraph& trained, int threads)
      : sums_(trained.images.size()), ssim_(trained.ssim) {
    if (!sums_.empty())
      cpu_ = open_queue({.device = {DeviceKind::cpu, 0}, .threads = threads, .executor = {}});
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i].output = trained.images[i];
  }

  void add(const Graph& graph, const Batch& batch, std::span<const ConstView> outputs) {
    for (GraphEvaluation::Image& sum : sums_)
      for (std::int64_t n = 0; n < batch.count; ++n) {
        const ImageFigures one =
            image_figures(*cpu_, sample_of(outputs[output_of(graph, sum.output)], n),
                          sample_of(batch.images, n), ssim_);
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
  QueueHandle cpu_;
  std::int64_t samples_ = 0;
};

}  // namespace

GraphEvaluation evaluate_graph(const TrainedGraph& trained, const QueueHandle& queue,
                               Dataset& dataset, Dataset* masks,
                               const std::vector<std::int64_t>& indices,
                               const GraphEvaluationOptions& options) {
  check_images(trained, dataset);
  if (indices.empty())
    fail(ErrorKind::input, dataset.name(),
         ": none of the samples chosen has a label; label some, or choose another --split");
  const Graph graph = graph_for(trained.model.graph, trained.objective);
  check_samples(graph, trained.objective, dataset, masks, indices);
  Judge judge(
      graph, std::make_shared<Parameters>(queue, trained.model.weights), trained.objective, dataset,
      {.batch = trained.batch, .scales = {static_cast<float>(trained.scale)}, .masks = masks},
      options.precision);
  GraphEvaluation e;
  std::optional<MaskFigures> by_mask;
  e.in_mm = !options.spacing.empty();
  if (trained.by_mask)
    by_mask.emplace(*trained.by_mask,
                    e.in_mm ? options.spacing
                            : std::vector<double>(
                                  static_cast<std::size_t>(dataset.image_shape().rank() - 1), 1.0));
  ImageMeans images(trained, options.threads);
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
  if (subjects.empty() && (e.classes || !e.masks.empty()))
    e.notes.push_back(
        "the file names no subjects: intervals treat samples as independent and are too narrow");
  return e;
}

}  // namespace ratnet::inline v1
