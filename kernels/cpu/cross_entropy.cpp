#include "../cross_entropy_terms.h"
#include "loss_sums.h"

namespace ratnet::inline v1 {

void run(CpuQueue& queue, const SoftmaxCrossEntropy& op) {
  for_type(op.logits.dtype, [&]<class T>(T) {
    weighted_mean(queue, op.labels.count(), op.logits.shape.back(), -1, terms_of<T>(op),
                  result_of<T>(op));
  });
}

}  // namespace ratnet::inline v1
