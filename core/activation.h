// The activations that a convolution or dense layer can end with.
#pragma once

#include <cstdint>

namespace ratnet::inline v1 {

// relu: max(x, 0); leaky_relu: x < 0 ? slope * x : x.
enum class Activation : std::uint8_t { none, relu, leaky_relu };

}  // namespace ratnet::inline v1
