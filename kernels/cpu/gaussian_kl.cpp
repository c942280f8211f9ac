#include "../gaussian_kl_terms.h"
#include "loss_sums.h"

namespace ratnet::inline v1 {

void run(CpuQueue& queue, const GaussianKl& op) {
  const auto samples = static_cast<double>(op.mean.shape[0]);
  for_type(op.mean.dtype, [&]<class T>(T) {
    weighted_mean(queue, op.mean.count(), 1, samples, terms_of<T>(op), result_of<T>(op));
  });
}

}  // namespace ratnet::inline v1
