#include "whole_losses.h"

#include "../core/buffer.h"
#include "whole_images.h"

namespace ratnet::inline v1 {
namespace {

// Whether patches are pieces of slices, and images volumes of such.
bool by_slices(const Graph& graph, const Shape& image) {
  return std::ssize(patch_size(graph)) < image.rank() - 1;
}

// Samples that the losses see of one image: itself, or its slices.
std::int64_t samples_of(const Graph& graph, const Shape& image) {
  return by_slices(graph, image) ? image[0] : 1;
}

// Inputs that are the outputs at once: values that somebody else computes.
Graph values_graph(const Graph& graph, const Shape& image) {
  const auto shapes = graph.infer(1, false);
  const auto sizes = image.sizes().subspan(by_slices(graph, image) ? 1 : 0);
  std::vector<std::int64_t> sample(sizes.begin(), sizes.end());
  GraphBuilder builder;
  std::vector<GraphBuilder::Handle> values;
  for (const int output : graph.outputs()) {
    const auto at = static_cast<std::size_t>(output);
    sample.back() = shapes[at].output.back();
    values.push_back(builder.input(graph.nodes()[at].name, sample));
  }
  return builder.build(values);
}

// A plan has parameters, though nothing here has weights: one number that nobody reads.
std::shared_ptr<Parameters> no_parameters(const QueueHandle& cpu) {
  Weights weights;
  weights.add("none", Tensor({1}, DType::f32));
  return std::make_shared<Parameters>(cpu, weights);
}

}  // namespace

WholeLosses::WholeLosses(const QueueHandle& cpu, const Graph& graph, const Objective& objective,
                         const Shape& image)
    : plan_(values_graph(graph, image), no_parameters(cpu), {.batch = samples_of(graph, image)}),
      losses_(plan_, objective),
      sum_(cpu, sizeof(double)),
      image_(image),
      slices_(by_slices(graph, image)) {}

std::size_t WholeLosses::bytes_of(const QueueHandle& cpu, const Graph& graph, const Shape& image) {
  return Plan::memory_of(values_graph(graph, image), no_parameters(cpu),
                         {.batch = samples_of(graph, image)})
      .total();
}

std::vector<View> WholeLosses::outputs() const {
  std::vector<View> views;
  for (std::size_t i = 0; i < plan_.graph().outputs().size(); ++i) {
    const View all = plan_.input(i, plan_.batch());
    Shape shape = image_;
    shape[shape.rank() - 1] = all.shape.back();
    views.emplace_back(all.data, all.dtype, shape);
  }
  return views;
}

double WholeLosses::of(const Batch& batch) {
  const std::int64_t n = plan_.batch();
  const auto samples = [&](const ConstView& one) {
    return one && slices_ ? one.reshaped(Shape(one.shape.sizes().subspan(1))) : one;
  };
  LossTargets targets;
  targets.masks = samples(batch.masks);
  targets.image = samples(batch.targets ? batch.targets : batch.images);
  targets.image_weights = samples(batch.target_weights);
  Queue& queue = plan_.queue();
  double sum = 0;
  wait_on_failure(queue, [&] {
    sum_.clear();
    losses_.submit(n, targets, View(sum_.data(), DType::f64, {1}));
    sum_.download(&sum, sizeof sum);
    wait(queue);
  });
  return sum;
}

}  // namespace ratnet::inline v1
