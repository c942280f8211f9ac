#include "gaussian_kl.h"

#include "check.h"
#include "loss.h"

namespace ratnet::inline v1 {

void GaussianKl::check() const {
  require(mean.shape.rank() >= 2, kName, ": the mean must be [N, features...], got ", mean.shape);
  check_loss(*this, mean, dmean);
  check_shape(kName, "log_variance", log_variance, mean.shape);
  if (dlog_variance) check_shape(kName, "dlog_variance", dlog_variance, mean.shape);
  check_floats(kName, {mean, log_variance, dlog_variance});
}

}  // namespace ratnet::inline v1
