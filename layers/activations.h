// Activations as layers: ReLU, leaky ReLU, ELU, sigmoid, tanh, softplus. They keep the shape and
// take any; backward reads the output alone.
#pragma once

#include "layer.h"

namespace ratnet::inline v1::layers {

// max(x, 0).
struct Relu {
  static constexpr const char* kind = "relu";
  static constexpr auto fields = std::tuple{};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  PointwiseStep step() const { return {.activation = Activation::relu}; }
  static std::vector<LayerExample<Relu>> examples();
};

// x where x >= 0, else slope * x.
struct LeakyRelu {
  double slope = 0.01;
  static constexpr const char* kind = "leaky_relu";
  static constexpr auto fields = std::tuple{Field{"slope", &LeakyRelu::slope}};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  PointwiseStep step() const { return {.activation = Activation::leaky_relu, .slope = slope}; }
  static std::vector<LayerExample<LeakyRelu>> examples();
};

// x where x > 0, else alpha * (exp(x) - 1) (Clevert and others, 2016).
struct Elu {
  double alpha = 1;
  static constexpr const char* kind = "elu";
  static constexpr auto fields = std::tuple{Field{"alpha", &Elu::alpha}};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  PointwiseStep step() const { return {.activation = Activation::elu, .slope = alpha}; }
  static std::vector<LayerExample<Elu>> examples();
};

// 1 / (1 + exp(-x)).
struct Sigmoid {
  static constexpr const char* kind = "sigmoid";
  static constexpr auto fields = std::tuple{};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  PointwiseStep step() const { return {.activation = Activation::sigmoid}; }
  static std::vector<LayerExample<Sigmoid>> examples();
};

// The hyperbolic tangent.
struct Tanh {
  static constexpr const char* kind = "tanh";
  static constexpr auto fields = std::tuple{};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  PointwiseStep step() const { return {.activation = Activation::tanh}; }
  static std::vector<LayerExample<Tanh>> examples();
};

// log(1 + exp(x)): a smooth ReLU, above 0 everywhere.
struct Softplus {
  static constexpr const char* kind = "softplus";
  static constexpr auto fields = std::tuple{};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  PointwiseStep step() const { return {.activation = Activation::softplus}; }
  static std::vector<LayerExample<Softplus>> examples();
};

}  // namespace ratnet::inline v1::layers
