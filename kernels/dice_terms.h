// Sums, scores and gradient of DiceLoss, on every device.
#pragma once

#include "dice_loss.h"
#include "loss_terms.h"

namespace ratnet::inline v1 {

// Of one class.
struct DiceSums {
  double both = 0, predicted = 0, labelled = 0;  // sum p t, sum p, sum t

  RATNET_EVERYWHERE void add(const DiceSums& other) {
    both += other.both;
    predicted += other.predicted;
    labelled += other.labelled;
  }
};

template <class T>
struct DiceTerms {
  const T* probabilities;
  Labels labels;
  LossGradient<T> gradient;
  std::int64_t samples, rows, classes;  // rows: pixels of a sample
  std::int64_t first_class;             // that counts
  double smoothing, factor;
  bool per_sample;

  RATNET_EVERYWHERE std::int64_t groups() const { return per_sample ? samples : 1; }
  // How many scores the mean is of.
  RATNET_EVERYWHERE std::int64_t scores() const { return groups() * (classes - first_class); }

  RATNET_EVERYWHERE void add_pixel(std::int64_t pixel, std::int64_t k, DiceSums& sums) const {
    if (!counts(labels[pixel])) return;
    const auto p = static_cast<double>(probabilities[pixel * classes + k]);
    const double t = is(labels[pixel], k) ? 1 : 0;
    sums.add({p * t, p, t});
  }

  // 1 - the score of a class.
  RATNET_EVERYWHERE double loss(const DiceSums& sums) const {
    const double below = sums.predicted + sums.labelled + smoothing;
    return below != 0 ? 1 - (2 * sums.both + smoothing) / below : 0.0;
  }

  // sums [groups, classes]
  RATNET_EVERYWHERE void put_gradient(std::int64_t pixel, std::int64_t k,
                                      const DiceSums* sums) const {
    const std::int32_t label = labels[pixel];
    const DiceSums& s = sums[(per_sample ? pixel / rows : 0) * classes + k];
    const double below = s.predicted + s.labelled + smoothing;
    double slope = 0;
    if (k >= first_class && counts(label) && below != 0)
      slope = ((2 * s.both + smoothing) / below - (is(label, k) ? 2 : 0)) / below;
    gradient.put(pixel * classes + k, slope * factor / static_cast<double>(scores()));
  }

 private:
  RATNET_EVERYWHERE bool counts(std::int32_t label) const {
    return label >= 0 && label < (classes == 1 ? 2 : classes);
  }
  RATNET_EVERYWHERE bool is(std::int32_t label, std::int64_t k) const {
    return label == (classes == 1 ? 1 : k);
  }
};

template <class T>
DiceTerms<T> terms_of(const DiceLoss& op) {
  const std::int64_t samples = op.labels.shape[0];
  return {op.probabilities.as<T>(),
          labels_of(op.labels),
          {data_or_null<T>(op.dprobabilities), op.accumulate},
          samples,
          samples ? op.labels.count() / samples : 0,
          op.probabilities.shape.back(),
          op.include_background ? 0 : 1,
          op.smoothing,
          op.factor,
          op.per_sample};
}

}  // namespace ratnet::inline v1
