#include "../cross_entropy_terms.h"
#include "loss_sums.h"

namespace ratnet::inline v1 {

OpNote plan(CudaQueue&, const SoftmaxCrossEntropy& op) {
  return note_of("", weighted_mean_bytes(op.labels.count()));
}

void run(CudaQueue& queue, const SoftmaxCrossEntropy& op) {
  for_float_type(op.logits.dtype == DType::f64, [&]<class T>(T) {
    weighted_mean(queue, op.kName, op.labels.count(), -1, terms_of<T>(op), result_of<T>(op));
  });
}

}  // namespace ratnet::inline v1
