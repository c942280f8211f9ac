// The elements of GaussianKl, on every device.
#pragma once

#include <cmath>

#include "gaussian_kl.h"
#include "loss_terms.h"

namespace ratnet::inline v1 {

template <class T>
struct GaussianKlTerms {
  const T* mean;
  const T* log_variance;
  LossGradient<T> dmean;
  LossGradient<T> dlog_variance;

  RATNET_EVERYWHERE double weight(std::int64_t) const { return 1; }

  RATNET_EVERYWHERE double term(std::int64_t i, double scale) const {
    const auto m = static_cast<double>(mean[i]), log_v = static_cast<double>(log_variance[i]);
    const double above = std::expm1(log_v);  // keeps its digits near a variance of 1
    dmean.put(i, m * scale);
    dlog_variance.put(i, above / 2 * scale);
    return (above - log_v + m * m) / 2;
  }
};

template <class T>
GaussianKlTerms<T> terms_of(const GaussianKl& op) {
  return {op.mean.as<T>(),
          op.log_variance.as<T>(),
          {data_or_null<T>(op.dmean), op.accumulate},
          {data_or_null<T>(op.dlog_variance), op.accumulate}};
}

}  // namespace ratnet::inline v1
