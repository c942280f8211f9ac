#include "whole_images.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../network/sliding_window.h"
#include "class_output.h"

namespace ratnet::inline v1 {
namespace {

std::string name_of_output(const Graph& graph, std::size_t i) {
  return graph.nodes()[static_cast<std::size_t>(graph.outputs()[i])].name;
}

bool takes_logits(const LossTerm& term) {
  return term.target == LossTarget::masks &&
         (term.kind == LossKind::cross_entropy || term.kind == LossKind::binary_cross_entropy);
}

// Logits of which softmax, or sigmoid, makes these probabilities.
void to_logits(const float* probabilities, std::int64_t width, float* logits) {
  const auto logarithm = [](float p) {
    return std::log(std::max(p, std::numeric_limits<float>::min()));
  };
  if (width == 1) {
    *logits = logarithm(probabilities[1]) - logarithm(probabilities[0]);
    return;
  }
  std::transform(probabilities, probabilities + width, logits, logarithm);
}

}  // namespace

std::vector<std::int64_t> patch_size(const Graph& graph) {
  require(graph.inputs().size() == 1, "a graph of patches has 1 input, not ",
          graph.inputs().size());
  const Shape input = graph.infer(1, false)[static_cast<std::size_t>(graph.inputs()[0])].output;
  require(input.rank() == 4 || input.rank() == 5,
          "patches are [H, W, C] or [D, H, W, C]; the graph takes ", input,
          " (with the batch in front)");
  const auto pixels = input.sizes().subspan(1, static_cast<std::size_t>(input.rank() - 2));
  return {pixels.begin(), pixels.end()};
}

void check_patches(const Graph& graph, const Objective& objective, const Shape& image,
                   const std::string& dataset) {
  const std::vector<std::int64_t> size = patch_size(graph);
  const auto shapes = graph.infer(1, false);
  const Shape input = shapes[static_cast<std::size_t>(graph.inputs()[0])].output;
  if (image.back() != input.back() || (size.size() == 3 && image.rank() != 4))
    fail(ErrorKind::input, dataset, ": has images of ", image, ", of which there are no patches ",
         input, " (with the batch in front)");
  for (const LossTerm& term : objective) {
    if (term.kind == LossKind::gaussian_kl)
      fail(ErrorKind::input, "the loss gaussian_kl reads a code, which a patch has but no image ",
           "that it is cut from: patches take losses of masks and images");
    if (term.target == LossTarget::labels)
      fail(ErrorKind::input, "a loss reads labels, which are of whole images: a patch has none; ",
           "train on whole images, or on patches with masks");
  }
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    const Shape output = shapes[static_cast<std::size_t>(graph.outputs()[i])].output;
    if (output.rank() != input.rank() || output.without_last() != input.without_last())
      fail(ErrorKind::input, "the output '", name_of_output(graph, i), "' is ", output,
           " of patches ", input, " (with the batch in front): of whole images there are only ",
           "outputs that have the patch's pixels");
  }
}

void check_windows(const Graph& graph, const Objective& objective, const Shape& image,
                   const std::string& dataset) {
  const std::size_t patch_axes = patch_size(graph).size();
  const auto axes =
      image.sizes().subspan(static_cast<std::size_t>(image.rank() - 1) - patch_axes, patch_axes);
  for (const LossTerm& term : objective)
    if (term.kind == LossKind::ssim && *std::ranges::min_element(axes) < term.window)
      fail(ErrorKind::input, dataset, ": has images of ", image, ", smaller than the window of ",
           term.window, " pixels of the loss ssim");
}

WholeImages::WholeImages(Plan& plan, const Objective& objective, const Shape& image,
                         const WindowOptions& options)
    : plan_(plan), image_(image), options_(options), patch_(patch_size(plan.graph())) {
  check_patches(plan.graph(), objective, image, "whole images");
  require(!plan.trains(), "whole images are shown to plans for inference");
  require(options.overlap >= 0 && options.overlap < 1,
          "patches overlap by a share of 0 to below 1, not ", options.overlap);
  require(patch_.size() == 3 || !options.flips[0],
          "patches of two axes, H and W, are not mirrored along D");
  outputs_ = outputs_of(plan.graph(), objective);
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    blended_ += outputs_[i].blended();
    values_.emplace_back(static_cast<std::size_t>(plan.output(i, plan.batch()).count()));
  }
  Shape means = image;
  means[means.rank() - 1] = blended_;
  means_ = Tensor(means, DType::f32);
}

std::vector<WholeImages::Output> WholeImages::outputs_of(const Graph& graph,
                                                         const Objective& objective) {
  const auto shapes = graph.infer(1, false);
  const std::size_t count = graph.outputs().size();
  std::vector<Output> outputs;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = name_of_output(graph, i);
    const bool logits = std::ranges::any_of(objective, [&](const LossTerm& term) {
      return takes_logits(term) && (term.output == name || (term.output.empty() && count == 1));
    });
    const auto node = static_cast<std::size_t>(graph.outputs()[i]);
    outputs.push_back({.width = shapes[node].output.back(), .logits = logits});
  }
  return outputs;
}

Shape WholeImages::output_shape(std::size_t index) const {
  Shape shape = image_;
  shape[shape.rank() - 1] = outputs_[index].width;
  return shape;
}

std::size_t WholeImages::bytes_of(const Graph& graph, const Objective& objective,
                                  const Shape& image, std::int64_t batch) {
  std::int64_t widths = 0, blended = 0;
  for (const Output& output : outputs_of(graph, objective)) {
    widths += output.width;
    blended += output.blended();
  }
  const std::int64_t patch = Shape(patch_size(graph)).count();
  const std::int64_t of_patches = batch * patch * (image.back() + blended + widths);
  return static_cast<std::size_t>(image.without_last().count() * blended + of_patches) *
         sizeof(float);
}

// What the network says of patches, all outputs of a pixel behind each other.
void WholeImages::say(const ConstView& patches, const View& said) {
  const std::int64_t n = patches.shape[0];
  std::vector<View> made;
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    made.emplace_back(values_[i].data(), DType::f32, plan_.output(i, n).shape);
  plan_.run({&patches, 1}, made);
  const std::int64_t pixels = said.count() / blended_;
  float* to = said.as<float>();
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const Output& output = outputs_[i];
    const float* from = values_[i].data();
    const ClassOutput classes{.output = {}, .width = output.width};
    std::vector<double> p(static_cast<std::size_t>(output.blended()));
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel, from += output.width) {
      if (output.logits) {
        classes.to_probabilities(from, p);
        std::transform(p.begin(), p.end(), to + pixel * blended_,
                       [](double value) { return static_cast<float>(value); });
      } else {
        std::copy_n(from, output.width, to + pixel * blended_);
      }
    }
    to += output.blended();
  }
}

void WholeImages::run(const ConstView& image, std::span<const View> outputs) {
  require(outputs.size() == outputs_.size(), "whole images: ", outputs.size(), " outputs of ",
          outputs_.size());
  for (std::size_t i = 0; i < outputs.size(); ++i)
    require(outputs[i].dtype == DType::f32 && outputs[i].shape == output_shape(i),
            "whole images: output ", i, " is f32 ", output_shape(i), ", got ",
            name_of(outputs[i].dtype), " ", outputs[i].shape);
  slide(
      {.patch = patch_,
       .overlap = options_.overlap,
       .flips = options_.flips,
       .batch = plan_.batch()},
      image, [this](const ConstView& patches, const View& said) { say(patches, said); }, means_);
  const std::int64_t pixels = image_.without_last().count();
  const float* from = means_.values<float>().data();
  for (std::size_t i = 0; i < outputs.size(); from += outputs_[i++].blended()) {
    const Output& output = outputs_[i];
    float* to = outputs[i].as<float>();
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel, to += output.width) {
      if (output.logits)
        to_logits(from + pixel * blended_, output.width, to);
      else
        std::copy_n(from + pixel * blended_, output.width, to);
    }
  }
}

}  // namespace ratnet::inline v1
