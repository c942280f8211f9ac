#include "target_buffers.h"

namespace ratnet::inline v1 {

TargetBuffers::TargetBuffers(const QueueHandle& queue, const Objective& objective,
                             const Shape& image, std::int64_t n, bool own_targets)
    : image_(image) {
  const auto pixels = static_cast<std::size_t>(n * image.without_last().count());
  if (reads(objective, LossTarget::labels))
    labels_ = Buffer(queue, static_cast<std::size_t>(n) * sizeof(std::int32_t));
  if (reads(objective, LossTarget::masks)) masks_ = Buffer(queue, pixels);
  if (!own_targets || !reads(objective, LossTarget::image)) return;
  targets_ = Buffer(queue, pixels * static_cast<std::size_t>(image.back()) * sizeof(float));
  target_weights_ = Buffer(queue, pixels * sizeof(float));
}

void TargetBuffers::upload(Queue& queue, const Batch& batch) const {
  const auto copy = [&](const Buffer& to, const ConstView& from) {
    if (to.data()) v1::upload(queue, to.data(), from.data, from.bytes());
  };
  copy(labels_, batch.labels);
  copy(masks_, batch.masks);
  copy(targets_, batch.targets);
  copy(target_weights_, batch.target_weights);
}

LossTargets TargetBuffers::first(std::int64_t n) const {
  const Shape pixels = image_.without_last().batch_of(n);
  LossTargets targets;
  if (labels_.data()) targets.labels = ConstView(labels_.data(), DType::i32, {n});
  if (masks_.data()) targets.masks = ConstView(masks_.data(), DType::u8, pixels);
  if (!targets_.data()) return targets;
  Shape weights = pixels;
  weights.push_back(1);
  targets.image = ConstView(targets_.data(), DType::f32, image_.batch_of(n));
  targets.image_weights = ConstView(target_weights_.data(), DType::f32, weights);
  return targets;
}

std::size_t TargetBuffers::bytes() const {
  return labels_.bytes() + masks_.bytes() + targets_.bytes() + target_weights_.bytes();
}

}  // namespace ratnet::inline v1
