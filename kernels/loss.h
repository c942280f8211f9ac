// What all losses have in common.
//
// A loss is one operation: it leaves a number and, where memory for it is given, that number's
// gradient in the prediction. Beside what it compares, every loss has
//   View loss        [1] of the prediction's type, f32 or f64: the loss, without the factor
//   View loss_sum    [1] f64, to which factor * loss is added; or absent
//   double factor    the weight of this loss in a sum of losses: gradients are multiplied by it
//   bool accumulate  gradients are added to what is there, so that losses can share an output;
//                    otherwise they overwrite it
// and gradients named d<argument>, of its shape and type, absent where nobody wants them. What has
// no weight is not looked at: it may be NaN, and its gradient is 0. Where nothing has weight, the
// loss is 0 too. Sums are in double, in an order that the problem and the backend fix.
//
// Integer labels (i32, u8) outside their classes carry no weight: 255 or -1 say "ignore".
#pragma once

#include "../core/view.h"

namespace ratnet::inline v1 {

// Throws Error (usage) unless the prediction, the gradient and what is common fit together.
void check_loss(const char* operation, const ConstView& prediction, const ConstView& gradient,
                const ConstView& loss, const ConstView& loss_sum, double factor);
template <class Loss>
void check_loss(const Loss& op, const ConstView& prediction, const ConstView& gradient) {
  check_loss(Loss::kName, prediction, gradient, op.loss, op.loss_sum, op.factor);
}

// Throws Error (usage) unless scores are [N, spatial..., K] and labels [N, spatial...] i32 or u8.
void check_labels(const char* operation, const char* name, const ConstView& scores,
                  const ConstView& labels);

}  // namespace ratnet::inline v1
