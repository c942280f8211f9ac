#include "training_step.h"

#include "../kernels/cross_entropy.h"
#include "../kernels/open.h"
#include "../kernels/optimise.h"
#include "../kernels/pointwise.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1 {

TrainingStep::TrainingStep(Plan& plan, Optimiser& optimiser,
                           const std::vector<float>& class_weights)
    : plan_(plan),
      optimiser_(optimiser),
      queue_(plan.queue_handle()),
      classes_(plan.output(0, 1).count()),
      host_class_weights_(class_weights),
      loss_(queue_, sizeof(float)),
      loss_sum_(queue_, sizeof(double)),
      share_(queue_, sizeof(double)),
      copies_(queue_) {
  loss_sum_.clear();
  if (!class_weights.empty()) {
    class_weights_ = Buffer(queue_, class_weights.size() * sizeof(float));
    class_weights_.upload(class_weights.data(), class_weights_.bytes());
  }
  const bool ahead = queue_->begin_capture != nullptr;
  if (ahead) copies_ = open_queue({.device = queue_->device, .threads = 0, .executor = {}});
  for (int i = 0; i < (ahead ? 2 : 1); ++i)
    slots_.push_back({ahead ? Buffer(queue_, plan.input(0, plan.batch()).bytes()) : Buffer(),
                      Buffer(queue_, static_cast<std::size_t>(plan.batch()) * sizeof(std::int32_t)),
                      Event(copies_), Event(queue_)});
  wait(*queue_);
}

TrainingStep::~TrainingStep() {
  // Copies must not go on with memory that its owner is about to free.
  char why[512] = "";
  copies_->wait(*copies_, why, sizeof why);
  queue_->wait(*queue_, why, sizeof why);
}

void TrainingStep::upload(const Batch& batch, Slot& slot) {
  const View input = plan_.input(0, batch.count);  // throws where the batch is too large
  slot.used.before(*copies_);
  v1::upload(*copies_, slot.images.data() ? slot.images.data() : input.data, batch.images.data,
             input.bytes());
  v1::upload(*copies_, slot.labels.data(), batch.labels.data, batch.labels.bytes());
  slot.uploaded.record();
  slot.uploaded.before(*queue_);
}

double TrainingStep::weight_in_loss(const Batch& batch) const {
  if (host_class_weights_.empty()) return static_cast<double>(batch.count);
  double sum = 0;
  for (std::int64_t i = 0; i < batch.count; ++i) {
    const std::int32_t label = batch.labels.as<std::int32_t>()[i];
    if (label >= 0 && label < classes_)
      sum += static_cast<double>(host_class_weights_[static_cast<std::size_t>(label)]);
  }
  return sum;
}

void TrainingStep::submit_all(const Variant& variant) {
  const std::int64_t n = variant.n;
  const Slot& slot = slots_[variant.slot];
  if (slot.images.data()) {
    const View input = plan_.input(0, n);
    v1::submit(*queue_,
               Convert{.x = ConstView(slot.images.data(), input.dtype, input.shape), .y = input});
  }
  plan_.forward(n);
  v1::submit(*queue_, SoftmaxCrossEntropy{.logits = plan_.output(0, n),
                                          .labels = ConstView(slot.labels.data(), DType::i32, {n}),
                                          .class_weights = class_weights_.data()
                                                               ? ConstView(class_weights_.data(),
                                                                           DType::f32, {classes_})
                                                               : ConstView(),
                                          .loss = View(loss_.data(), DType::f32, {1}),
                                          .dlogits = plan_.output_gradient(0, n),
                                          .loss_sum = View(loss_sum_.data(), DType::f64, {1})});
  plan_.backward(n);
  const View gradients = plan_.gradients();
  const View mean(mean_.data(), gradients.dtype, gradients.shape);
  if (!variant.first)
    v1::submit(
        *queue_,
        Blend{.x = gradients, .y = mean, .factor = ConstView(share_.data(), DType::f64, {1})});
  else if (!variant.last)
    v1::submit(*queue_, Convert{.x = gradients, .y = mean});
  if (variant.last) optimiser_.apply(variant.first ? gradients : mean);
}

void TrainingStep::submit(const Batch& batch, RandomKey key, double rate, bool last) {
  plan_.set_random(key);
  if (last) optimiser_.begin_step(rate);
  if (!last && !mean_.data()) mean_ = Buffer(queue_, plan_.gradients().bytes());
  const double weight = weight_in_loss(batch);
  weight_ = first_ ? weight : weight_ + weight;
  if (!first_)
    v1::submit(*queue_, SetNumbers{.y = View(share_.data(), DType::f64, {1}),
                                   .reals = {weight_ > 0 ? weight / weight_ : 0}});
  last_ = (last_ + 1) % slots_.size();
  Slot& slot = slots_[last_];
  upload(batch, slot);
  const Variant variant{.slot = last_, .n = batch.count, .first = first_, .last = last};
  first_ = last;
  const auto submit_step = [&] { submit_all(variant); };
  if (!queue_->begin_capture) return submit_step();
  const auto [found, fresh] = captured_.try_emplace(variant);
  if (fresh) {
    submit_step();
  } else {
    if (!found->second) found->second.emplace(queue_, submit_step);
    found->second->replay();
  }
  slot.used.record();
}

void TrainingStep::release() { slots_[last_].uploaded.wait(); }

double TrainingStep::loss_sum() {
  double sum = 0;
  wait_on_failure(*queue_, [&] {
    loss_sum_.download(&sum, sizeof sum);
    wait(*queue_);
  });
  return sum;
}

void TrainingStep::set_loss_sum(double sum) {
  v1::submit(*queue_, SetNumbers{.y = View(loss_sum_.data(), DType::f64, {1}), .reals = {sum}});
}

}  // namespace ratnet::inline v1
