// Losses that compare element by element.
#pragma once

#include <cstdint>

#include "../core/queue.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// What an element p with the target t costs:
//   binary_cross_entropy  -(v t log sigmoid(p) + (1 - t) log(1 - sigmoid(p))) on logits, with v the
//                         positive_weight, as torch.nn.BCEWithLogitsLoss has it
//   mse                   (p - t)^2
//   l1                    |p - t|
enum class ElementLossKind : std::uint8_t { binary_cross_entropy, mse, l1 };

// loss = sum of weight * cost / sum of weights, over all elements. See loss.h for what all losses
// share.
struct ElementLoss {
  static constexpr const char* kName = "element_loss";
  ElementLossKind kind = ElementLossKind::mse;
  ConstView prediction;  // [N, ...] f32 or f64
  ConstView target;      // its shape and type; for binary_cross_entropy labels 0 and 1 too
  ConstView weights =
      {};  // [N, ...], [N, ..., 1] or [N] of the prediction's type, or absent: all 1
  // [N, ..., 1] u8: where it is 0 or 255, weights are 0 in place of what they are; or absent.
  ConstView mask = {};
  View loss;
  View dprediction = {};
  View loss_sum = {};
  double positive_weight = 1;  // of binary_cross_entropy
  double factor = 1;
  bool accumulate = false;
  void check() const;
};
void run(CpuQueue&, const ElementLoss&);
void run(CudaQueue&, const ElementLoss&);
OpNote plan(CudaQueue&, const ElementLoss&);

}  // namespace ratnet::inline v1
