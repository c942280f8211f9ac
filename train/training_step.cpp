#include "training_step.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "../kernels/cross_entropy.h"
#include "../kernels/open.h"
#include "../kernels/optimise.h"
#include "../kernels/pointwise.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1 {

TrainingStep::TrainingStep(Plan& plan, Optimiser& optimiser, const Objective& objective,
                           bool own_targets)
    : plan_(plan),
      optimiser_(optimiser),
      queue_(plan.queue_handle()),
      objective_(objective),
      losses_(plan, objective),
      loss_sum_(queue_, sizeof(double)),
      share_(queue_, sizeof(double)),
      copies_(queue_) {
  loss_sum_.clear();
  const std::vector<std::string> compared = watch_for(plan.graph(), objective);
  if (!compared.empty()) compared_input_ = compared[0];
  for (const LossTerm& term : objective)
    if (term.target == LossTarget::labels && class_weights_.empty())
      class_weights_ = term.class_weights;
  const bool ahead = queue_->begin_capture != nullptr;
  if (ahead) copies_ = open_queue({.device = queue_->device, .threads = 0, .executor = {}});
  const View input = plan.input(0, plan.batch());
  const Shape image(input.shape.sizes().subspan(1));
  for (int i = 0; i < (ahead ? 2 : 1); ++i)
    slots_.push_back({ahead ? Buffer(queue_, input.bytes()) : Buffer(),
                      TargetBuffers(queue_, objective, image, plan.batch(), own_targets),
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
  slot.targets.upload(*copies_, batch);
  slot.uploaded.record();
  slot.uploaded.before(*queue_);
}

double TrainingStep::weight_in_loss(const Batch& batch) const {
  if (std::any_of(objective_.begin(), objective_.end(),
                  [](const LossTerm& term) { return term.mask; })) {
    const auto* mask = batch.masks.as<std::uint8_t>();
    const auto* weights = batch.target_weights ? batch.target_weights.as<float>() : nullptr;
    double sum = 0;
    for (std::int64_t p = 0; p < batch.masks.count(); ++p)
      if (mask[p] != 0 && mask[p] != kUnlabelled)
        sum += weights ? static_cast<double>(weights[p]) : 1.0;
    return sum;
  }
  if (batch.target_weights && reads(objective_, LossTarget::image)) {
    const auto* weights = batch.target_weights.as<float>();
    return std::accumulate(weights, weights + batch.target_weights.count(), 0.0);
  }
  if (class_weights_.empty()) return static_cast<double>(batch.count);
  double sum = 0;
  for (std::int64_t i = 0; i < batch.count; ++i) {
    const std::int32_t label = batch.labels.as<std::int32_t>()[i];
    if (label >= 0 && static_cast<std::size_t>(label) < class_weights_.size())
      sum += static_cast<double>(class_weights_[static_cast<std::size_t>(label)]);
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
  LossTargets targets = slot.targets.first(n);
  if (!compared_input_.empty() && !targets.image) targets.image = plan_.watched(compared_input_, n);
  losses_.submit(n, targets, View(loss_sum_.data(), DType::f64, {1}), 1, warm_);
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
  const std::int64_t step = optimiser_.steps();
  if (last) optimiser_.begin_step(rate);
  if (!last && !mean_.data()) mean_ = Buffer(queue_, plan_.gradients().bytes());
  if (!first_ || !last) {
    const double weight = weight_in_loss(batch);
    weight_ = first_ ? weight : weight_ + weight;
    if (!first_)
      v1::submit(*queue_, SetNumbers{.y = View(share_.data(), DType::f64, {1}),
                                     .reals = {weight_ > 0 ? weight / weight_ : 0}});
  }
  last_ = (last_ + 1) % slots_.size();
  Slot& slot = slots_[last_];
  upload(batch, slot);
  const Variant variant{.slot = last_, .n = batch.count, .first = first_, .last = last};
  std::vector<int> warm = warm_up_at(objective_, step);
  if (warm != warm_ && !captured_.empty()) {
    wait(*queue_);
    captured_.clear();
  }
  warm_ = std::move(warm);
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

std::size_t TrainingStep::bytes() const {
  std::size_t bytes = 0;
  for (const Slot& slot : slots_) bytes += slot.images.bytes() + slot.targets.bytes();
  return bytes;
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
