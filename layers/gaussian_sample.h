// A sample of a normal distribution, through which gradients pass: the middle of a variational
// autoencoder.
#pragma once

#include "layer.h"

namespace ratnet::inline v1::layers {

// (mean, log_variance), of one shape -> mean + exp(log_variance / 2) * e with e normal in training
// (Kingma and Welling, 2014), the mean otherwise. Keep the log variance within reason: its
// exponential can overflow.
struct GaussianSample {
  static constexpr const char* kind = "gaussian_sample";
  static constexpr int arity = 2;
  static constexpr auto fields = std::tuple{};
  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<GaussianSample>> examples();
};

}  // namespace ratnet::inline v1::layers
