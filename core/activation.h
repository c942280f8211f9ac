// The activations: of a layer of its own, and what a convolution, dense layer or sum can end with.
#pragma once

#include <cstdint>

namespace ratnet::inline v1 {

// relu: max(x, 0); leaky_relu: x < 0 ? slope * x : x; elu: x > 0 ? x : alpha * (exp(x) - 1)
// (Clevert and others, 2016); sigmoid: 1 / (1 + exp(-x)); tanh; softplus: log(1 + exp(x)).
// Convolutions, dense layers and sums end with none of these but relu and leaky_relu.
enum class Activation : std::uint8_t { none, relu, leaky_relu, elu, sigmoid, tanh, softplus };

// In files and messages; in the order of the enumerators.
constexpr const char* kActivationNames[] = {"none",    "relu", "leaky_relu", "elu",
                                            "sigmoid", "tanh", "softplus"};

}  // namespace ratnet::inline v1
