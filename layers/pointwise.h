// Layers that keep the shape: add, multiply, dropout, softmax; and flatten.
#pragma once

#include "../core/activation.h"
#include "layer.h"

namespace ratnet::inline v1::layers {

// The sum of two inputs of one shape, with the activation that follows it, which the plan moves in
// here from a layer of its own.
struct Add {
  Activation activation = Activation::none;
  double slope = 0.01;
  static constexpr const char* kind = "add";
  static constexpr int arity = 2;
  static constexpr auto fields =
      std::tuple{Field{"activation", &Add::activation}, Field{"slope", &Add::slope}};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  PointwiseStep step() const {
    return {.combine = Combine::add, .activation = activation, .slope = slope};
  }
  static std::vector<LayerExample<Add>> examples();
};

// The product of two inputs of one shape, element by element.
struct Multiply {
  static constexpr const char* kind = "multiply";
  static constexpr int arity = 2;
  static constexpr auto fields = std::tuple{};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  PointwiseStep step() const { return {.combine = Combine::multiply}; }
  static std::vector<LayerExample<Multiply>> examples();
};

// In training each value is dropped with that probability and the rest divided by what is kept
// (Srivastava and others, 2014, "inverted"); otherwise nothing happens.
struct Dropout {
  double probability = 0.5;
  static constexpr const char* kind = "dropout";
  static constexpr auto fields = std::tuple{Field{"probability", &Dropout::probability}};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<Dropout>> examples();
};

// Dropout of whole channels of a sample of [N, spatial..., C], as neighbours in space tell of each
// other (Tompson and others, 2015; torch.nn.Dropout2d).
struct SpatialDropout {
  double probability = 0.5;
  static constexpr const char* kind = "spatial_dropout";
  static constexpr auto fields = std::tuple{Field{"probability", &SpatialDropout::probability}};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<SpatialDropout>> examples();
};

// softmax(x / temperature) along the last dimension. The temperature is what calibration fits (Guo
// and others, 2017); 1 is the plain softmax.
struct Softmax {
  double temperature = 1;
  static constexpr const char* kind = "softmax";
  static constexpr auto fields = std::tuple{Field{"temperature", &Softmax::temperature}};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<Softmax>> examples();
};

// The logarithm of the softmax along the last dimension.
struct LogSoftmax {
  static constexpr const char* kind = "log_softmax";
  static constexpr auto fields = std::tuple{};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<LogSoftmax>> examples();
};

// [N, ...] -> [N, product]: rows, then columns, then channels (not PyTorch's order of channels
// first). Costs nothing: the memory stays.
struct Flatten {
  static constexpr const char* kind = "flatten";
  static constexpr auto fields = std::tuple{};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<Flatten>> examples();
};

}  // namespace ratnet::inline v1::layers
