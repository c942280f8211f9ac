// The rows of the cross-entropy, on every device.
#pragma once

#include <cmath>

#include "cross_entropy.h"
#include "loss_terms.h"

namespace ratnet::inline v1 {

template <class T>
struct CrossEntropyTerms {
  const T* logits;
  Labels labels;
  const T* class_weights;  // or none
  LossGradient<T> dlogits;
  std::int64_t classes;
  double smoothing;

  RATNET_EVERYWHERE double class_weight(std::int64_t j) const {
    return class_weights ? static_cast<double>(class_weights[j]) : 1.0;
  }
  RATNET_EVERYWHERE bool counts(std::int64_t row) const {
    return labels[row] >= 0 && labels[row] < classes;
  }
  RATNET_EVERYWHERE double weight(std::int64_t row) const {
    return counts(row) ? class_weight(labels[row]) : 0.0;
  }

  RATNET_EVERYWHERE double term(std::int64_t row, double scale) const {
    const double w = weight(row);
    const std::int64_t at = row * classes;
    if (!counts(row) || (w == 0 && smoothing == 0)) {
      for (std::int64_t j = 0; j < classes; ++j) dlogits.put(at + j, 0);
      return 0;
    }
    const T* x = logits + at;
    const std::int32_t label = labels[row];
    // A NaN stays.
    T top = x[0];
    for (std::int64_t j = 1; j < classes; ++j)
      if (x[j] > top || std::isnan(x[j])) top = x[j];
    const double margin = static_cast<double>(x[label]) - static_cast<double>(top);
    const double spread = smoothing / static_cast<double>(classes);
    // Where the gradient goes there is room for the exponentials, which may be where the logits
    // are: each logit is read before.
    T* kept = dlogits.data && !dlogits.accumulate ? dlogits.data + at : nullptr;
    double sum = 0, weights = 0, margins = 0;
    for (std::int64_t j = 0; j < classes; ++j) {
      if (smoothing != 0) {
        weights += class_weight(j);
        margins += class_weight(j) * (static_cast<double>(x[j]) - static_cast<double>(top));
      }
      const T e = std::exp(x[j] - top);
      sum += static_cast<double>(e);
      if (kept) kept[j] = e;
    }
    const double on_label = (1 - smoothing) * w;
    const double on_all = on_label + spread * weights;
    for (std::int64_t j = 0; dlogits.data && j < classes; ++j) {
      const double p = static_cast<double>(kept ? kept[j] : std::exp(x[j] - top)) / sum;
      const double wanted = (j == label ? on_label : 0) + spread * class_weight(j);
      dlogits.put(at + j, (p * on_all - wanted) * scale);
    }
    return on_all * std::log(sum) - on_label * margin - spread * margins;
  }
};

template <class T>
CrossEntropyTerms<T> terms_of(const SoftmaxCrossEntropy& op) {
  return {op.logits.as<T>(),
          labels_of(op.labels),
          data_or_null<T>(op.class_weights),
          {data_or_null<T>(op.dlogits), op.accumulate},
          op.logits.shape.back(),
          op.label_smoothing};
}

}  // namespace ratnet::inline v1
