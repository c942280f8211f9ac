// What a training makes small: a weighted sum of losses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../core/buffer.h"
#include "../network/plan.h"

namespace ratnet::inline v1 {

enum class LossKind : std::uint8_t {
  cross_entropy,         // logits of classes
  binary_cross_entropy,  // one logit
  mse,
  l1,
  dice,        // probabilities of classes
  ssim,        // images
  gaussian_kl  // mean and log-variance of a code
};

// What an output is compared with: the label of the sample, its mask (a label for every pixel), or
// the image that went in (or what a SampleChange puts in its place).
enum class LossTarget : std::uint8_t { labels, masks, image };

// One loss; the kernels' headers (kernels/loss.h) say what the numbers mean.
struct LossTerm {
  LossKind kind = LossKind::cross_entropy;
  std::string output;        // of the graph; empty: its only one
  std::string log_variance;  // gaussian_kl: the other output, `output` is the mean
  LossTarget target = LossTarget::labels;
  double weight = 1;
  // Steps of the optimiser over which the weight grows from 0 to what it is, in kWarmUpParts parts.
  std::int64_t warm_up = 0;
  std::vector<float> class_weights;  // cross_entropy; empty: all 1
  double label_smoothing = 0;        // cross_entropy
  double positive_weight = 1;        // binary_cross_entropy
  double smoothing = 1e-5;           // dice
  bool per_sample = false;           // dice
  bool background = true;            // dice: class 0 counts
  std::int64_t window = 11;          // ssim
  double sigma = 1.5;                // ssim
  double data_range = 1;             // ssim
  bool mask = false;                 // mse, l1: of the pixels alone whose mask is neither 0 nor 255
};
using Objective = std::vector<LossTerm>;

constexpr int kWarmUpParts = 32;

// [{"kind": "dice", "output": "probability", "target": "masks", "weight": 0.5}, ...]; fields that
// hold their default are left out.
std::string to_json(const Objective& objective);
// "the loss dice of 'probability'"
std::string described(const LossTerm& term);
// The inverse. Throws Error (input) for anything else.
Objective objective_from_json(std::string_view json);

// What suits a graph of one output where nobody says: cross-entropy with the labels where it gives
// [N, K], cross-entropy with the masks where there are some and it gives [N, spatial..., K]
// (binary_cross_entropy where K is 1), else the mean squared error against the image. Where the
// output is a softmax, the loss takes what goes into it. Throws Error (input) where nothing suits.
Objective default_objective(const Graph& graph, bool labels, bool masks);

// The part of a graph that the losses read.
Graph graph_for(const Graph& graph, const Objective& objective);
// Which of the graph's outputs goes by that name, the only one where it is empty. Throws Error
// (usage) where there is none.
std::size_t output_of(const Graph& graph, const std::string& name);
// Whether a loss compares with that; of masks also whether it takes pixels by them.
bool reads(const Objective& objective, LossTarget target);

// How much of every term's weight there is at an optimiser's step, of kWarmUpParts.
std::vector<int> warm_up_at(const Objective& objective, std::int64_t step);

// The nodes whose values a plan has to hold for the objective (PlanOptions::watch).
std::vector<std::string> watch_for(const Graph& graph, const Objective& objective);

// What n samples are compared with, in the plan's memory; absent where no loss reads it.
struct LossTargets {
  ConstView labels;  // [n] i32
  ConstView masks;   // [n, spatial...] u8
  ConstView image;   // the shape and type of the plan's input
  // What its pixels weigh, [n, spatial..., 1] of that type, beside masks; absent: all the same.
  ConstView image_weights = {};
};

// The losses of a plan's outputs, on its device.
class PlannedLosses {
 public:
  // plan: has to stay. Throws Error (usage) where an output is missing or has no loss.
  PlannedLosses(Plan& plan, const Objective& objective);

  // Adds the weighted sum for n samples to loss_sum [1] f64 and, in training, leaves its gradient
  // where Plan::backward looks; all of it `times` over. warm: how much of every term's weight there
  // is, by term, of kWarmUpParts; empty: all. Throws Error (usage) where shapes do not fit.
  void submit(std::int64_t n, const LossTargets& targets, const View& loss_sum, double times = 1,
              const std::vector<int>& warm = {});

 private:
  struct Term {
    LossTerm loss;
    std::size_t output = 0, log_variance = 0;  // of the plan
    bool accumulate = false;                   // another term before it has the same output
    Buffer class_weights;
  };

  void submit(const Term& term, std::int64_t n, const LossTargets& targets, const View& loss_sum,
              double factor);

  Plan& plan_;
  bool training_;
  std::vector<Term> terms_;
  Buffer loss_;
};

}  // namespace ratnet::inline v1
