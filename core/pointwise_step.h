// What a pointwise layer does to each number.
#pragma once

#include <cstdint>

#include "activation.h"

namespace ratnet::inline v1 {

enum class Combine : std::uint8_t { none, add, multiply };

// First combines the number with that of another tensor, then takes the activation.
struct PointwiseStep {
  Combine combine = Combine::none;
  Activation activation = Activation::none;
  double slope = 0.01;  // of leaky_relu; the alpha of elu; else without a meaning
};

}  // namespace ratnet::inline v1
