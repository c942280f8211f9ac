#include "training_step.h"

#include "../kernels/cross_entropy.h"
#include "../kernels/open.h"
#include "../kernels/pointwise.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1 {

TrainingStep::TrainingStep(Plan& plan, Optimiser& optimiser,
                           const std::vector<float>& class_weights)
    : plan_(plan),
      optimiser_(optimiser),
      queue_(plan.queue_handle()),
      classes_(plan.output(0, 1).count()),
      loss_(queue_, sizeof(float)),
      loss_sum_(queue_, sizeof(double)),
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

void TrainingStep::submit_all(std::int64_t n, const Slot& slot) {
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
  optimiser_.apply(plan_.gradients());
}

void TrainingStep::submit(const Batch& batch, RandomKey key, double rate) {
  const std::int64_t n = batch.count;
  plan_.set_random(key);
  optimiser_.begin_step(rate);
  last_ = (last_ + 1) % slots_.size();
  Slot& slot = slots_[last_];
  upload(batch, slot);
  const auto submit_step = [&] { submit_all(n, slot); };
  if (!queue_->begin_capture) return submit_step();
  const auto [found, first] = captured_.try_emplace({last_, n});
  if (first) {
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
