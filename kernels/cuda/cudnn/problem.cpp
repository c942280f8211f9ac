#include "problem.h"

namespace ratnet::inline v1 {

ConvProblem problem_of(const ConvForward& call) {
  ConvProblem problem{Direction::forward, call.precision, call.activation};
  problem.bias = static_cast<bool>(call.bias);
  problem.slope = call.activation == Activation::leaky_relu ? call.slope : 0;
  problem.geometry = call.geometry;
  return problem;
}

ConvProblem problem_of(const ConvData& call) {
  ConvProblem problem{Direction::backward_data, call.precision};
  problem.geometry = call.geometry;
  return problem;
}

ConvProblem problem_of(const ConvWeights& call) {
  ConvProblem problem{Direction::backward_weights, call.precision};
  problem.geometry = call.geometry;
  return problem;
}

std::string to_string(const ConvProblem& problem) {
  const WindowGeometry& g = problem.geometry;
  const auto shape = [&](const std::int64_t* sizes, std::int64_t channels) {
    return Shape{g.batch, sizes[0], sizes[1], sizes[2], channels};
  };
  constexpr const char* kDirections[] = {"forward", "backward data", "backward weights"};
  std::string line = text(kDirections[static_cast<int>(problem.direction)], " of ",
                          shape(g.in, g.channels), " to ", shape(g.out, g.outputs), " by ",
                          g.kernel[0], "x", g.kernel[1], "x", g.kernel[2]);
  if (problem.bias) line += ", bias";
  if (problem.activation == Activation::relu) line += ", relu";
  if (problem.activation == Activation::leaky_relu) line += text(", leaky_relu ", problem.slope);
  return line + ", " + std::string(name_of(problem.precision));
}

}  // namespace ratnet::inline v1
