// Maximum and average pooling.
#pragma once

#include "layer.h"
#include "sliding.h"

namespace ratnet::inline v1::layers {

// x [N, spatial..., C] -> the largest value under each window. Without a stride windows lie side
// by side.
struct MaxPool {
  Sizes kernel = {2};
  Sizes stride = {};
  Padding padding = Padding::valid;
  Sizes pad_before = {};
  Sizes pad_after = {};

  static constexpr const char* kind = "max_pool";
  static constexpr auto fields =
      std::tuple{Field{"kernel", &MaxPool::kernel}, Field{"stride", &MaxPool::stride},
                 Field{"padding", &MaxPool::padding}, Field{"pad_before", &MaxPool::pad_before},
                 Field{"pad_after", &MaxPool::pad_after}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<MaxPool>> examples();
};

// x [N, spatial..., C] -> the mean under each window. count_padding: whether padding counts as
// zeros in the mean (PyTorch's default) or not at all (Keras').
struct AvgPool {
  Sizes kernel = {2};
  Sizes stride = {};
  Padding padding = Padding::valid;
  Sizes pad_before = {};
  Sizes pad_after = {};
  bool count_padding = false;

  static constexpr const char* kind = "avg_pool";
  static constexpr auto fields = std::tuple{
      Field{"kernel", &AvgPool::kernel},       Field{"stride", &AvgPool::stride},
      Field{"padding", &AvgPool::padding},     Field{"pad_before", &AvgPool::pad_before},
      Field{"pad_after", &AvgPool::pad_after}, Field{"count_padding", &AvgPool::count_padding}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<AvgPool>> examples();
};

}  // namespace ratnet::inline v1::layers
