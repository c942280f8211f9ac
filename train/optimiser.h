// The step that turns gradients into better parameters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../network/parameters.h"

namespace ratnet::inline v1 {

enum class OptimiserKind : int { sgd, adam, adamw };

// "sgd", "adam", "adamw"
std::string_view name_of(OptimiserKind kind);
// Throws Error (usage) with the known names for any other.
OptimiserKind parse_optimiser_kind(std::string_view name);

// Weights that decay or learn differently from the rest.
struct OptimiserGroup {
  std::string pattern;      // of their names; `*` stands for any characters
  double weight_decay = 0;  // in place of the options'
  double rate_factor = 1;   // of the learning rate
};
// PATTERN=DECAY or PATTERN=DECAY:RATE_FACTOR, such as "*/bias=0". Throws Error (usage).
OptimiserGroup parse_optimiser_group(std::string_view text);

struct OptimiserOptions {
  OptimiserKind kind = OptimiserKind::adam;
  double momentum = 0.9;  // sgd
  bool nesterov = false;  // sgd
  double beta1 = 0.9;     // adam, adamw
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  double clip_norm = 0;  // gradients longer than this are shortened to it; 0: never
  std::vector<OptimiserGroup> groups = {};  // the first whose pattern fits a weight counts

  // Throws Error (usage) for values that make no sense.
  void check() const;
};

// Works on the trainable block of the parameters, on their device.
class Optimiser {
 public:
  // Throws Error (usage) where a group's pattern fits no trainable weight.
  Optimiser(std::shared_ptr<Parameters> parameters, const OptimiserOptions& options);

  // One step at that learning rate. gradients: laid out as Parameters::block(); clipped in place.
  void step(const View& gradients, double rate) {
    begin_step(rate);
    apply(gradients);
  }
  // The two parts of it: apply() submits the same work in every step, so that it can be captured.
  void begin_step(double rate);
  void apply(const View& gradients);

  std::int64_t steps() const { return steps_; }
  std::size_t bytes() const;  // of the moments
  // What they would be, before any is taken.
  static std::size_t bytes_of(const Parameters& parameters, const OptimiserOptions& options);

  // All it remembers, for a checkpoint: [trainable] each, in the queue's memory (first, then second
  // moment).
  std::vector<ConstView> state() const;
  // Takes it back. Throws Error (input) where the sizes are not those of these parameters.
  void restore(std::int64_t steps, const std::vector<ConstView>& state);

 private:
  // Neighbours in the block that are treated alike.
  struct Run {
    std::int64_t first = 0, count = 0;
    double weight_decay = 0;
    double rate_factor = 1;
  };
  void find_runs();
  View moment(const Buffer& memory) const;  // laid out as the block
  View rates(std::size_t run) const;

  std::shared_ptr<Parameters> parameters_;
  OptimiserOptions options_;
  std::vector<Run> runs_;
  std::int64_t steps_ = 0;
  std::vector<Buffer> moments_;
  Buffer norm_, rates_;
};

}  // namespace ratnet::inline v1
