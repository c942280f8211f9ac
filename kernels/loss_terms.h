// What the bodies of all losses share. The terms of a loss are written once, for every device:
//   double weight(i) const        of term i; 0 where it is ignored
//   double term(i, scale) const   weight(i) times the loss of term i; leaves its gradient times
//   scale
#pragma once

#include <cstdint>

#include "../core/view.h"
#include "everywhere.h"

namespace ratnet::inline v1 {

// Labels of either type.
struct Labels {
  const std::int32_t* wide = nullptr;
  const std::uint8_t* narrow = nullptr;

  RATNET_EVERYWHERE std::int32_t operator[](std::int64_t i) const {
    return narrow ? narrow[i] : wide[i];
  }
};
inline Labels labels_of(const ConstView& labels) {
  if (labels.dtype == DType::u8) return {nullptr, labels.as<std::uint8_t>()};
  return {labels.as<std::int32_t>(), nullptr};
}

template <class T>
struct LossGradient {
  T* data = nullptr;  // or none
  bool accumulate = false;

  RATNET_EVERYWHERE void put(std::int64_t i, double value) const {
    if (data) data[i] = static_cast<T>(accumulate ? static_cast<double>(data[i]) + value : value);
  }
};

template <class T>
struct LossResult {
  T* loss = nullptr;
  double* loss_sum = nullptr;
  double factor = 1;

  RATNET_EVERYWHERE void put(double value) const {
    *loss = static_cast<T>(value);
    if (loss_sum) *loss_sum += factor * static_cast<double>(*loss);
  }
};
template <class T, class Loss>
LossResult<T> result_of(const Loss& op) {
  return {op.loss.template as<T>(), data_or_null<double>(op.loss_sum), op.factor};
}

}  // namespace ratnet::inline v1
