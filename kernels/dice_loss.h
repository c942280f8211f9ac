// The Dice loss of a segmentation.
#pragma once

#include "../core/queue.h"
#include "../core/view.h"

namespace ratnet::inline v1 {

struct CpuQueue;
struct CudaQueue;

// With p the probabilities of a class, t 1 where the label is that class and else 0, and sums over
// the pixels of a sample or of the whole batch:
//   loss = 1 - mean over classes (and samples) of (2 sum p t + s) / (sum p + sum t + s)
// after Milletari, Navab and Ahmadi (V-Net, 2016), whose sums below are of squares. A class of
// which nothing is there nor predicted scores 1. See loss.h for what all losses share.
struct DiceLoss {
  static constexpr const char* kName = "dice_loss";
  ConstView probabilities;  // [N, spatial..., K] f32 or f64, after softmax or sigmoid
  ConstView labels;         // [N, spatial...] i32 or u8; with K = 1: 1 is the class, 0 is not
  View loss;
  View dprobabilities = {};
  View loss_sum = {};
  double smoothing = 1e-5;         // s
  bool per_sample = false;         // a score for each sample, else one for the batch
  bool include_background = true;  // class 0
  double factor = 1;
  bool accumulate = false;
  void check() const;
};
void run(CpuQueue&, const DiceLoss&);
void run(CudaQueue&, const DiceLoss&);
OpNote plan(CpuQueue&, const DiceLoss&);
OpNote plan(CudaQueue&, const DiceLoss&);

}  // namespace ratnet::inline v1
