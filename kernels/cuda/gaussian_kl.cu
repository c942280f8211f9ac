#include "../gaussian_kl_terms.h"
#include "loss_sums.h"

namespace ratnet::inline v1 {

OpNote plan(CudaQueue&, const GaussianKl& op) {
  return note_of("", weighted_mean_bytes(op.mean.count()));
}

void run(CudaQueue& queue, const GaussianKl& op) {
  const auto samples = static_cast<double>(op.mean.shape[0]);
  for_float_type(op.mean.dtype == DType::f64, [&]<class T>(T) {
    weighted_mean(queue, op.kName, op.mean.count(), samples, terms_of<T>(op), result_of<T>(op));
  });
}

}  // namespace ratnet::inline v1
