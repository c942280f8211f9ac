#include "gaussian_sample.h"

#include "check.h"

namespace ratnet::inline v1 {

void GaussianSample::check() const {
  check_shape(kName, "mean", mean, mean.shape);
  check_shape(kName, "log_variance", log_variance, mean.shape);
  check_shape(kName, "y", y, mean.shape);
  check_floats(kName, {mean, log_variance, y});
  check_random(kName, key, y.count());
}

void GaussianSampleBackward::check() const {
  check_shape(kName, "dy", dy, dy.shape);
  check_shape(kName, "log_variance", log_variance, dy.shape);
  require(dmean || dlog_variance, kName,
          ": neither dmean nor dlog_variance is there to be written");
  if (dmean) check_shape(kName, "dmean", dmean, dy.shape);
  if (dlog_variance) check_shape(kName, "dlog_variance", dlog_variance, dy.shape);
  check_floats(kName, {dy, log_variance, dmean, dlog_variance});
  check_random(kName, key, dy.count());
}

}  // namespace ratnet::inline v1
