#include "../element_loss_terms.h"
#include "loss_sums.h"

namespace ratnet::inline v1 {

OpNote plan(CudaQueue&, const ElementLoss& op) {
  return note_of("", weighted_mean_bytes(op.prediction.count()));
}

void run(CudaQueue& queue, const ElementLoss& op) {
  for_float_type(op.prediction.dtype == DType::f64, [&]<class T>(T) {
    weighted_mean(queue, op.kName, op.prediction.count(), known_weights(op), terms_of<T>(op),
                  result_of<T>(op));
  });
}

}  // namespace ratnet::inline v1
