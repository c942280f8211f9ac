// Batch, group, instance and layer normalisation, each with the activation that follows it, which
// the plan moves in here from a layer of its own.
#pragma once

#include "../core/activation.h"
#include "layer.h"

namespace ratnet::inline v1::layers {

// y = (x - mean) / sqrt(variance + epsilon) * scale + shift, x [N, spatial..., C]; weights scale,
// shift, mean, variance [C] each. In training with the batch's statistics, from which those kept
// are brought up to date: (1 - momentum) * kept + momentum * the batch's (PyTorch's meaning; Keras'
// is the other share). Otherwise, and where the layer is frozen, with those kept.
struct BatchNorm {
  double epsilon = 1e-5;
  double momentum = 0.1;
  Activation activation = Activation::none;
  double slope = 0.01;

  static constexpr const char* kind = "batch_norm";
  static constexpr auto fields =
      std::tuple{Field{"epsilon", &BatchNorm::epsilon}, Field{"momentum", &BatchNorm::momentum},
                 Field{"activation", &BatchNorm::activation}, Field{"slope", &BatchNorm::slope}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<BatchNorm>> examples();
};

// With the statistics of each sample's `groups` groups of neighbouring channels, over all
// positions; weights scale and shift [C] unless `affine` is false.
struct GroupNorm {
  std::int64_t groups = 1;
  double epsilon = 1e-5;
  bool affine = true;
  Activation activation = Activation::none;
  double slope = 0.01;

  static constexpr const char* kind = "group_norm";
  static constexpr auto fields =
      std::tuple{Field{"groups", &GroupNorm::groups}, Field{"epsilon", &GroupNorm::epsilon},
                 Field{"affine", &GroupNorm::affine}, Field{"activation", &GroupNorm::activation},
                 Field{"slope", &GroupNorm::slope}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<GroupNorm>> examples();
};

// Every channel of every sample by itself (torch.nn.InstanceNorm2d, there affine = false).
struct InstanceNorm {
  double epsilon = 1e-5;
  bool affine = true;
  Activation activation = Activation::none;
  double slope = 0.01;

  static constexpr const char* kind = "instance_norm";
  static constexpr auto fields = std::tuple{
      Field{"epsilon", &InstanceNorm::epsilon}, Field{"affine", &InstanceNorm::affine},
      Field{"activation", &InstanceNorm::activation}, Field{"slope", &InstanceNorm::slope}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<InstanceNorm>> examples();
};

// All positions and channels of a sample together, scale and shift by channel: torch.nn.LayerNorm
// on [N, C], torch.nn.GroupNorm(1, C) on images.
struct LayerNorm {
  double epsilon = 1e-5;
  bool affine = true;
  Activation activation = Activation::none;
  double slope = 0.01;

  static constexpr const char* kind = "layer_norm";
  static constexpr auto fields =
      std::tuple{Field{"epsilon", &LayerNorm::epsilon}, Field{"affine", &LayerNorm::affine},
                 Field{"activation", &LayerNorm::activation}, Field{"slope", &LayerNorm::slope}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<LayerNorm>> examples();
};

}  // namespace ratnet::inline v1::layers
