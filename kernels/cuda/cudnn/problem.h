// A convolution that cuDNN is asked for, without its memory: what a plan is made for.
#pragma once

#include <string>

#include "../conv_gemm.h"

namespace ratnet::inline v1 {

enum class Direction : std::uint8_t { forward, backward_data, backward_weights };

struct ConvProblem {
  Direction direction = Direction::forward;
  Precision precision = Precision::f32;
  Activation activation = Activation::none;  // forward alone, as is the bias
  bool bias = false;
  double slope = 0;  // of leaky_relu, else 0
  WindowGeometry geometry;
  bool operator==(const ConvProblem&) const = default;
};

ConvProblem problem_of(const ConvForward& call);
ConvProblem problem_of(const ConvData& call);
ConvProblem problem_of(const ConvWeights& call);

// "forward of [32, 1, 64, 64, 1] to [32, 1, 64, 64, 32] by 1x3x3, relu, tf32".
std::string to_string(const ConvProblem& problem);

}  // namespace ratnet::inline v1
