#include "validation_pictures.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "class_output.h"
#include "sample_picture.h"
#include "score.h"

namespace ratnet::inline v1 {
namespace {

// That are read before the training.
constexpr std::size_t kLookedThrough = 64;
constexpr std::size_t kBytesLookedThrough = std::size_t{64} << 20;

std::vector<std::int64_t> spread(const std::vector<std::int64_t>& all, std::size_t most) {
  const std::size_t n = std::min(all.size(), most);
  std::vector<std::int64_t> some;
  for (std::size_t i = 0; i < n; ++i) some.push_back(all[i * all.size() / n]);
  return some;
}

Tensor read_one(Dataset& dataset, std::int64_t index) {
  Tensor one(dataset.image_shape().batch_of(1), dataset.dtype());
  dataset.read(index, one);
  return one;
}

bool has_label(Dataset& masks, std::int64_t index) {
  const Tensor mask = read_one(masks, index);
  return std::ranges::any_of(mask.values<std::uint8_t>(),
                             [](std::uint8_t label) { return label != 0 && label != kUnlabelled; });
}

// Whether any pixel differs from the first.
bool has_contrast(Dataset& dataset, std::int64_t index) {
  const Tensor image = read_one(dataset, index);
  const auto* const bytes = static_cast<const std::byte*>(image.data());
  const std::size_t pixel = static_cast<std::size_t>(image.shape().back()) * size_of(image.dtype());
  return std::memcmp(bytes, bytes + pixel, image.bytes() - pixel) != 0;
}

}  // namespace

bool is_pictured(std::int64_t epoch, std::int64_t epochs, bool last) {
  const std::int64_t every = (epochs + kPicturedEpochs - 1) / kPicturedEpochs;
  return last || epoch + 1 == epochs || epoch % every == 0;
}

std::vector<std::int64_t> pictured_samples(const std::vector<std::int64_t>& indices,
                                           Dataset& dataset, Dataset* masks) {
  const Dataset& read = masks ? *masks : dataset;
  const std::size_t bytes =
      static_cast<std::size_t>(read.image_shape().count()) * size_of(read.dtype());
  const std::size_t most =
      std::clamp(kBytesLookedThrough / bytes, kPicturedSamples, kLookedThrough);
  std::vector<std::int64_t> full, empty;
  for (const std::int64_t index : spread(indices, most)) {
    const bool shows = masks ? has_label(*masks, index) : has_contrast(dataset, index);
    (shows ? full : empty).push_back(index);
  }
  std::vector<std::int64_t> samples = spread(full, kPicturedSamples);
  for (const std::int64_t index : spread(empty, kPicturedSamples - samples.size()))
    samples.push_back(index);
  return samples;
}

ValidationPictures::ValidationPictures(const Graph& graph, const Objective& objective,
                                       Dataset& dataset,
                                       const std::vector<std::int64_t>& validation,
                                       const LoaderOptions& options)
    : graph_(graph), objective_(objective) {
  const bool classes = class_output(graph, objective, LossTarget::masks).has_value();
  for (const LossTerm& term : objective)
    if (term.kind != LossKind::gaussian_kl && term.target == LossTarget::image &&
        std::ranges::find(images_, term.output) == images_.end())
      images_.push_back(term.output);
  if (!classes && images_.empty()) return;
  samples_ = pictured_samples(validation, dataset, classes ? options.masks : nullptr);
  if (options.patches) return;  // whole outputs are the judge's own
  const std::int64_t n =
      std::min(std::ssize(samples_), images_at_once(dataset.image_shape(), options.batch));
  if (n == 0) return;
  const std::vector<LayerShapes> shapes = graph.infer(n, false);
  for (const int output : graph.outputs())
    bytes_ += static_cast<std::size_t>(shapes[static_cast<std::size_t>(output)].output.count()) *
              sizeof(float);
}

std::vector<ValidationPictures::Picture> ValidationPictures::draw(Judge& judge) const {
  std::vector<Picture> pictures;
  if (samples_.empty()) return pictures;
  const auto by_pixel = class_output(graph_, objective_, LossTarget::masks);
  int number = 0;
  const auto draw_one = [&](const Batch& batch, std::span<const ConstView> outputs,
                            std::int64_t n) {
    const std::string sample = "sample " + std::to_string(++number);
    const ConstView image = sample_of(batch.images, n);
    const GreyRange range = SamplePicture(image.shape).range_of(image);
    if (by_pixel) {
      SamplePicture picture(image.shape);
      const auto* mask = sample_of(batch.masks, n).as<std::uint8_t>();
      const auto* scores = sample_of(outputs[output_of(graph_, by_pixel->output)], n).as<float>();
      picture.add_image(image, range);
      picture.add_classes([&](std::int64_t p) { return mask[p]; });
      picture.add_classes([&](std::int64_t p) {
        return static_cast<std::uint8_t>(by_pixel->decide(scores + p * by_pixel->width));
      });
      pictures.push_back({"masks/" + sample, picture.png()});
    }
    for (std::size_t i = 0; i < images_.size(); ++i) {
      SamplePicture picture(image.shape);
      const ConstView again = sample_of(outputs[output_of(graph_, images_[i])], n);
      const ConstView target = batch.targets ? sample_of(batch.targets, n) : image;
      picture.add_image(image, range);
      if (batch.targets) picture.add_image(target, range);
      picture.add_image(again, range);
      picture.add_difference(again, target, range);
      const std::string which = i == 0 ? sample : text(sample, ", output ", i + 1);
      pictures.push_back({"images/" + which, picture.png()});
    }
  };
  judge.run(samples_, [&](const Batch& batch, std::span<const ConstView> outputs) {
    for (std::int64_t n = 0; n < batch.count; ++n) draw_one(batch, outputs, n);
  });
  return pictures;
}

}  // namespace ratnet::inline v1
