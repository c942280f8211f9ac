// The elements of ElementLoss, on every device.
#pragma once

#include <algorithm>
#include <cmath>

#include "element_loss.h"
#include "loss_terms.h"

namespace ratnet::inline v1 {

template <class T>
struct ElementLossTerms {
  ElementLossKind kind;
  const T* prediction;
  const T* target;  // or none, where there are labels
  Labels labels;
  const T* weights;          // or none
  std::int64_t per_weight;   // elements that share one
  const std::uint8_t* mask;  // or none
  std::int64_t channels;
  LossGradient<T> gradient;
  double positive_weight;

  RATNET_EVERYWHERE double weight(std::int64_t i) const {
    if (!target && labels[i] != 0 && labels[i] != 1) return 0;
    if (mask && (mask[i / channels] == 0 || mask[i / channels] == 255)) return 0;
    return weights ? static_cast<double>(weights[per_weight == 1 ? i : i / per_weight]) : 1.0;
  }

  RATNET_EVERYWHERE double term(std::int64_t i, double scale) const {
    const double w = weight(i);
    if (w == 0) {
      gradient.put(i, 0);
      return 0;
    }
    const double t = target ? static_cast<double>(target[i]) : static_cast<double>(labels[i]);
    if (kind == ElementLossKind::binary_cross_entropy) return w * binary(i, t, w * scale);
    const double d = static_cast<double>(prediction[i]) - t;
    if (kind == ElementLossKind::mse) {
      gradient.put(i, 2 * d * w * scale);
      return w * d * d;
    }
    // A NaN stays.
    gradient.put(i, (d > 0 ? 1 : d < 0 ? -1 : d) * w * scale);
    return w * std::abs(d);
  }

 private:
  // No exponent is above 0, and what is small keeps its digits.
  RATNET_EVERYWHERE double binary(std::int64_t i, double t, double scale) const {
    const T x = prediction[i];
    const T e = std::exp(x < T{0} ? x : -x);
    const double both = static_cast<double>(std::log1p(e)), z = static_cast<double>(x);
    const double minus_log_yes = both + (x < T{0} ? -z : 0);
    const double minus_log_no = both + (x < T{0} ? 0 : z);
    const double likely = 1 / (1 + static_cast<double>(e));
    const double unlikely = static_cast<double>(e) * likely;
    const double yes = x < T{0} ? unlikely : likely, no = x < T{0} ? likely : unlikely;
    const double on_yes = positive_weight * t, on_no = 1 - t;
    gradient.put(i, (on_no * yes - on_yes * no) * scale);
    return on_yes * minus_log_yes + on_no * minus_log_no;
  }
};

template <class T>
ElementLossTerms<T> terms_of(const ElementLoss& op) {
  const bool real = op.target.dtype == op.prediction.dtype;
  return {op.kind,
          op.prediction.as<T>(),
          real ? op.target.as<T>() : nullptr,
          real ? Labels{} : labels_of(op.target),
          data_or_null<T>(op.weights),
          op.weights ? std::max<std::int64_t>(
                           1, op.prediction.count() / std::max<std::int64_t>(1, op.weights.count()))
                     : 1,
          data_or_null<std::uint8_t>(op.mask),
          op.prediction.shape.back(),
          {data_or_null<T>(op.dprediction), op.accumulate},
          op.positive_weight};
}

// The sum of weights where it is known, else negative.
inline double known_weights(const ElementLoss& op) {
  const bool all = !op.weights && !op.mask && op.target.dtype == op.prediction.dtype;
  return all ? static_cast<double>(op.prediction.count()) : -1;
}

}  // namespace ratnet::inline v1
