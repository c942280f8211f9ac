#include "averaged_weights.h"

#include <algorithm>

#include "../core/transfer.h"
#include "../kernels/optimise.h"
#include "../kernels/pointwise.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1 {

void AveragingOptions::check() const {
  require(decay >= 0 && decay < 1, "the decay of the averaged weights is ", decay,
          ", expected 0 (no average) or more and less than 1");
  require(decay > 0 || !warm_up, "a warm-up of averaged weights needs their decay above 0");
}

AveragedWeights::AveragedWeights(std::shared_ptr<Parameters> parameters,
                                 const AveragingOptions& options)
    : parameters_(std::move(parameters)),
      average_(std::make_shared<Parameters>(parameters_->queue(), parameters_->download())),
      options_(options),
      factor_(parameters_->queue(), sizeof(double)) {
  options_.check();
  require(options_.decay > 0, "averaged weights need a decay above 0");
}

void AveragedWeights::update(std::int64_t step) {
  const auto t = static_cast<double>(step);
  const double decay =
      options_.warm_up ? std::min(options_.decay, (1 + t) / (10 + t)) : options_.decay;
  const View factor(factor_.data(), DType::f64, {1});
  Queue& queue = *parameters_->queue();
  submit(queue, SetNumbers{.y = factor, .reals = {1 - decay}});
  submit(queue, Blend{.x = parameters_->block(), .y = average_->block(), .factor = factor});
  average_->changed();
}

void AveragedWeights::refresh() {
  for (const Parameters::Place& place : parameters_->places())
    if (!place.trainable())
      submit(*parameters_->queue(),
             Convert{.x = parameters_->view(place), .y = average_->view(place)});
  average_->changed();
}

void AveragedWeights::restore(const ConstView& state) {
  const View block = average_->block();
  if (state.shape != block.shape || state.dtype != block.dtype)
    fail(ErrorKind::input, "the averaged weights are not those of this network");
  upload_and_wait(*parameters_->queue(), block, state);
  average_->changed();
}

}  // namespace ratnet::inline v1
