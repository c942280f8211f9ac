#include "optimiser.h"

#include <algorithm>
#include <cmath>

#include "../kernels/optimise.h"
#include "../kernels/pointwise.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1 {
namespace {
constexpr std::string_view kNames[] = {"sgd", "adam", "adamw"};
}

std::string_view name_of(OptimiserKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

OptimiserKind parse_optimiser_kind(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i] == name) return static_cast<OptimiserKind>(i);
  fail(ErrorKind::usage, "unknown optimiser '", std::string(name.substr(0, 32)),
       "': use sgd, adam or adamw");
}

void OptimiserOptions::check() const {
  require(momentum >= 0 && momentum < 1, "momentum is ", momentum,
          ", expected 0 or more and less than 1");
  require(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1, "beta1 and beta2 are ", beta1,
          " and ", beta2, ", expected 0 or more and less than 1");
  require(epsilon > 0, "epsilon is ", epsilon, ", expected more than 0");
  require(weight_decay >= 0, "weight decay is ", weight_decay, ", expected 0 or more");
  require(clip_norm >= 0, "the gradient's limit is ", clip_norm, ", expected 0 or more");
}

Optimiser::Optimiser(std::shared_ptr<Parameters> parameters, const OptimiserOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  options_.check();
  const int count = options_.kind != OptimiserKind::sgd ? 2 : options_.momentum > 0 ? 1 : 0;
  for (int i = 0; i < count; ++i) {
    moments_.emplace_back(parameters_->queue(), parameters_->block().bytes());
    moments_.back().clear();
  }
  norm_ = Buffer(parameters_->queue(), sizeof(double));
  rates_ = Buffer(parameters_->queue(), 3 * sizeof(double));
}

void Optimiser::begin_step(double rate) {
  require(rate >= 0 && std::isfinite(rate), "the learning rate is ", rate,
          ", expected a number of 0 or more");
  ++steps_;
  parameters_->changed();
  SetNumbers numbers{.y = View(rates_.data(), DType::f64, {1}), .reals = {rate}};
  if (options_.kind != OptimiserKind::sgd) {
    const bool decoupled = options_.kind == OptimiserKind::adamw;
    const auto rates = adam_rates(rate, options_.beta1, options_.beta2,
                                  decoupled ? options_.weight_decay : 0, steps_);
    numbers.y.shape = {3};
    std::copy(rates.begin(), rates.end(), numbers.reals.begin());
  }
  submit(*parameters_->queue(), numbers);
}

void Optimiser::apply(const View& gradients) {
  Queue& queue = *parameters_->queue();
  const View weight = parameters_->block();
  const auto moment = [&](std::size_t i) {
    return i < moments_.size() ? View(moments_[i].data(), weight.dtype, weight.shape) : View();
  };
  if (options_.clip_norm > 0)
    submit(queue, ClipNorm{.gradient = gradients,
                           .norm = View(norm_.data(), weight.dtype, {1}),
                           .limit = options_.clip_norm});
  if (options_.kind == OptimiserKind::sgd)
    submit(queue, Sgd{.weight = weight,
                      .gradient = gradients,
                      .velocity = moment(0),
                      .rate = ConstView(rates_.data(), DType::f64, {1}),
                      .momentum = options_.momentum,
                      .weight_decay = options_.weight_decay,
                      .nesterov = options_.nesterov});
  else
    submit(queue,
           Adam{.weight = weight,
                .gradient = gradients,
                .first_moment = moment(0),
                .second_moment = moment(1),
                .rates = ConstView(rates_.data(), DType::f64, {3}),
                .beta1 = options_.beta1,
                .beta2 = options_.beta2,
                .epsilon = options_.epsilon,
                .weight_decay = options_.kind == OptimiserKind::adam ? options_.weight_decay : 0});
}

std::vector<Tensor> Optimiser::state() const {
  std::vector<Tensor> tensors;
  for (const Buffer& moment : moments_) {
    Tensor tensor(parameters_->block().shape, parameters_->dtype());
    moment.download(tensor.data(), tensor.bytes());
    tensors.push_back(std::move(tensor));
  }
  wait(*parameters_->queue());
  return tensors;
}

void Optimiser::restore(std::int64_t steps, const std::vector<ConstView>& state) {
  const View block = parameters_->block();
  bool fits = state.size() == moments_.size() && steps >= 0;
  for (const ConstView& tensor : state)
    fits = fits && tensor.shape == block.shape && tensor.dtype == block.dtype;
  if (!fits) fail(ErrorKind::input, "the optimiser's state is not that of this network");
  for (std::size_t i = 0; i < state.size(); ++i)
    moments_[i].upload(state[i].data, state[i].bytes());
  wait(*parameters_->queue());
  steps_ = steps;
}

}  // namespace ratnet::inline v1
