// The cross-entropy loss on logits, of whole samples or per pixel.
#pragma once

#include "../core/queue.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// As torch.nn.CrossEntropyLoss(weight=w, label_smoothing=s) has it, with y the label of row i,
// log p its log softmax and rows whose label is outside 0..K-1 left out:
//   loss = sum_i ((1 - s) w_y -log p_y + s / K sum_k w_k -log p_k) / sum_i w_y
// See loss.h for what all losses share. dlogits may be logits unless it accumulates.
struct SoftmaxCrossEntropy {
  static constexpr const char* kName = "softmax_cross_entropy";
  ConstView logits;              // [N, spatial..., K] f32 or f64
  ConstView labels;              // [N, spatial...] i32 or u8
  ConstView class_weights = {};  // [K] of the logits' type, or absent: all 1
  View loss;
  View dlogits = {};
  View loss_sum = {};
  double label_smoothing = 0;  // in [0, 1]
  double factor = 1;
  bool accumulate = false;
  void check() const;
};
void run(CpuQueue&, const SoftmaxCrossEntropy&);
void run(CudaQueue&, const SoftmaxCrossEntropy&);
OpNote plan(CudaQueue&, const SoftmaxCrossEntropy&);

}  // namespace ratnet::inline v1
