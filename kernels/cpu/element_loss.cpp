#include "../element_loss_terms.h"
#include "loss_sums.h"

namespace ratnet::inline v1 {

void run(CpuQueue& queue, const ElementLoss& op) {
  for_type(op.prediction.dtype, [&]<class T>(T) {
    weighted_mean(queue, op.prediction.count(), 1, known_weights(op), terms_of<T>(op),
                  result_of<T>(op));
  });
}

}  // namespace ratnet::inline v1
