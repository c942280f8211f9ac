// Softmax and the cross-entropy loss on logits.
#pragma once

#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// y = softmax(x / temperature) along the last dimension; f32 or f64; y may be x.
struct Softmax {
  static constexpr const char* kName = "softmax";
  ConstView x;  // [..., K]
  View y;
  double temperature = 1;
  void check() const;
};
void run(CpuQueue&, const Softmax&);
void run(CudaQueue&, const Softmax&);

// dx = y * (dy - sum(dy * y)) / temperature along the last dimension.
struct SoftmaxBackward {
  static constexpr const char* kName = "softmax_backward";
  ConstView y;
  ConstView dy;
  View dx;
  double temperature = 1;
  void check() const;
};
void run(CpuQueue&, const SoftmaxBackward&);
void run(CudaQueue&, const SoftmaxBackward&);

// The mean cross-entropy of a batch and its gradient in the logits, in one pass:
//   loss[0] = sum_i w(label_i) * -log softmax(logits_i)[label_i] / sum_i w(label_i)
// as torch.nn.CrossEntropyLoss(weight=...) has it. Labels outside 0..K-1 carry no weight; where
// nothing has weight, loss and gradient are 0. Sums run in a fixed order, which is the backend's.
// dlogits may be logits.
struct SoftmaxCrossEntropy {
  static constexpr const char* kName = "softmax_cross_entropy";
  ConstView logits;              // [N, K] f32 or f64
  ConstView labels;              // [N] i32
  ConstView class_weights = {};  // [K] of the logits' type, or absent: all 1
  View loss;                     // [1] of the logits' type
  View dlogits = {};             // [N, K], or absent
  View loss_sum = {};            // [1] f64, to which the loss is added; or absent
  void check() const;
};
void run(CpuQueue&, const SoftmaxCrossEntropy&);
void run(CudaQueue&, const SoftmaxCrossEntropy&);

}  // namespace ratnet::inline v1
