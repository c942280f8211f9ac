#include "optimiser.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "../core/transfer.h"
#include "../kernels/optimise.h"
#include "../kernels/pointwise.h"
#include "../kernels/submit.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::string_view kNames[] = {"sgd", "adam", "adamw"};
constexpr std::int64_t kRates =
    3;  // numbers of one run: those of Adam, of which Sgd takes the first

int moments_of(const OptimiserOptions& options) {
  return options.kind != OptimiserKind::sgd ? 2 : options.momentum > 0 ? 1 : 0;
}

// The `count` numbers of a block from `first` on.
View part_of(const View& block, std::int64_t first, std::int64_t count) {
  return {static_cast<char*>(block.data) + static_cast<std::size_t>(first) * size_of(block.dtype),
          block.dtype,
          {count}};
}

}  // namespace

std::string_view name_of(OptimiserKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

OptimiserKind parse_optimiser_kind(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i] == name) return static_cast<OptimiserKind>(i);
  fail(ErrorKind::usage, "unknown optimiser '", std::string(name.substr(0, 32)),
       "': use sgd, adam or adamw");
}

OptimiserGroup parse_optimiser_group(std::string_view text) {
  const auto bad = [&] {
    fail(ErrorKind::usage, "unknown group of weights '", std::string(text.substr(0, 64)),
         "': use PATTERN=DECAY or PATTERN=DECAY:RATE_FACTOR, such as '*/bias=0'");
  };
  const auto number = [&](std::string_view digits) {
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) bad();
    return value;
  };
  const std::size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) bad();
  const std::string_view numbers = text.substr(equals + 1);
  const std::size_t colon = numbers.find(':');
  OptimiserGroup group{.pattern = std::string(text.substr(0, equals)),
                       .weight_decay = number(numbers.substr(0, colon))};
  if (colon != std::string_view::npos) group.rate_factor = number(numbers.substr(colon + 1));
  return group;
}

void OptimiserOptions::check() const {
  require(momentum >= 0 && momentum < 1, "momentum is ", momentum,
          ", expected 0 or more and less than 1");
  require(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1, "beta1 and beta2 are ", beta1,
          " and ", beta2, ", expected 0 or more and less than 1");
  require(epsilon > 0, "epsilon is ", epsilon, ", expected more than 0");
  require(weight_decay >= 0, "weight decay is ", weight_decay, ", expected 0 or more");
  require(clip_norm >= 0, "the gradient's limit is ", clip_norm, ", expected 0 or more");
  for (const OptimiserGroup& group : groups) {
    const auto amount = [](double value) { return value >= 0 && std::isfinite(value); };
    require(amount(group.weight_decay), "weight decay of '", group.pattern, "' is ",
            group.weight_decay, ", expected a number of 0 or more");
    require(amount(group.rate_factor), "rate factor of '", group.pattern, "' is ",
            group.rate_factor, ", expected a number of 0 or more");
  }
}

Optimiser::Optimiser(std::shared_ptr<Parameters> parameters, const OptimiserOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  options_.check();
  find_runs();
  for (int i = 0; i < moments_of(options_); ++i) {
    moments_.emplace_back(parameters_->queue(), parameters_->block().bytes());
    moments_.back().clear();
  }
  norm_ = Buffer(parameters_->queue(), sizeof(double));
  rates_ = Buffer(parameters_->queue(), (runs_.size() * kRates + 1) * sizeof(double));
}

void Optimiser::find_runs() {
  std::vector<const Parameters::Place*> places;
  for (const Parameters::Place& place : parameters_->places())
    if (place.trainable()) places.push_back(&place);
  std::sort(places.begin(), places.end(),
            [](const auto* a, const auto* b) { return a->offset < b->offset; });
  for (const OptimiserGroup& group : options_.groups) {
    std::string names;
    bool found = false;
    for (const auto* place : places) {
      found = found || matches(place->name, group.pattern);
      names += (names.empty() ? "" : ", ") + place->name;
    }
    require(found, "no weight that is trained fits '", group.pattern, "'; there are ", names);
  }
  for (const auto* place : places) {
    Run run{.first = place->offset, .weight_decay = options_.weight_decay};
    const auto group =
        std::find_if(options_.groups.begin(), options_.groups.end(),
                     [&](const OptimiserGroup& g) { return matches(place->name, g.pattern); });
    if (group != options_.groups.end()) {
      run.weight_decay = group->weight_decay;
      run.rate_factor = group->rate_factor;
    }
    const bool alike = !runs_.empty() && runs_.back().weight_decay == run.weight_decay &&
                       runs_.back().rate_factor == run.rate_factor;
    if (!alike) runs_.push_back(run);
  }
  for (std::size_t i = 0; i < runs_.size(); ++i)
    runs_[i].count =
        (i + 1 < runs_.size() ? runs_[i + 1].first : parameters_->trainable()) - runs_[i].first;
}

View Optimiser::moment(const Buffer& memory) const {
  return {memory.data(), parameters_->dtype(), parameters_->block().shape};
}

View Optimiser::rates(std::size_t run) const {
  const std::int64_t count = options_.kind == OptimiserKind::sgd ? 1 : kRates;
  return View(static_cast<double*>(rates_.data()) + run * kRates, DType::f64, {count});
}

std::size_t Optimiser::bytes_of(const Parameters& parameters, const OptimiserOptions& options) {
  return static_cast<std::size_t>(moments_of(options)) * parameters.block().bytes();
}

std::size_t Optimiser::bytes() const {
  std::size_t bytes = 0;
  for (const Buffer& moment : moments_) bytes += moment.bytes();
  return bytes;
}

void Optimiser::begin_step(double rate) {
  require(rate >= 0 && std::isfinite(rate), "the learning rate is ", rate,
          ", expected a number of 0 or more");
  ++steps_;
  parameters_->changed();
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    const Run& run = runs_[i];
    SetNumbers numbers{.y = rates(i), .reals = {rate * run.rate_factor}};
    if (options_.kind != OptimiserKind::sgd) {
      const double decay = options_.kind == OptimiserKind::adamw ? run.weight_decay : 0;
      const auto all =
          adam_rates(rate * run.rate_factor, options_.beta1, options_.beta2, decay, steps_);
      std::copy(all.begin(), all.end(), numbers.reals.begin());
    }
    submit(*parameters_->queue(), numbers);
  }
}

void Optimiser::apply(const View& gradients) {
  Queue& queue = *parameters_->queue();
  const View block = parameters_->block();
  if (options_.clip_norm > 0)
    submit(queue, ClipNorm{.gradient = gradients,
                           .norm = View(norm_.data(), block.dtype, {1}),
                           .limit = options_.clip_norm});
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    const Run& run = runs_[i];
    const auto part = [&](const View& of) { return part_of(of, run.first, run.count); };
    const auto moment_part = [&](std::size_t k) {
      return k < moments_.size() ? part(moment(moments_[k])) : View();
    };
    if (options_.kind == OptimiserKind::sgd)
      submit(queue, Sgd{.weight = part(block),
                        .gradient = part(gradients),
                        .velocity = moment_part(0),
                        .rate = rates(i),
                        .momentum = options_.momentum,
                        .weight_decay = run.weight_decay,
                        .nesterov = options_.nesterov});
    else
      submit(queue,
             Adam{.weight = part(block),
                  .gradient = part(gradients),
                  .first_moment = moment_part(0),
                  .second_moment = moment_part(1),
                  .rates = rates(i),
                  .beta1 = options_.beta1,
                  .beta2 = options_.beta2,
                  .epsilon = options_.epsilon,
                  .weight_decay = options_.kind == OptimiserKind::adam ? run.weight_decay : 0});
  }
}

std::vector<ConstView> Optimiser::state() const {
  std::vector<ConstView> moments;
  for (const Buffer& memory : moments_) moments.push_back(moment(memory));
  return moments;
}

void Optimiser::restore(std::int64_t steps, const std::vector<ConstView>& state) {
  const View block = parameters_->block();
  bool fits = state.size() == moments_.size() && steps >= 0;
  for (const ConstView& tensor : state)
    fits = fits && tensor.shape == block.shape && tensor.dtype == block.dtype;
  if (!fits) fail(ErrorKind::input, "the optimiser's state is not that of this network");
  for (std::size_t i = 0; i < state.size(); ++i)
    upload_and_wait(*parameters_->queue(), moment(moments_[i]), state[i]);
  steps_ = steps;
}

}  // namespace ratnet::inline v1
