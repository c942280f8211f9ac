// Global pooling and reductions.
#pragma once

#include "../core/reduction.h"
#include "layer.h"

namespace ratnet::inline v1 {

// spatial: [N, spatial..., C] -> [N, C]; channels: [N, ..., C] -> [N, ..., 1]; sample: [N, ...] ->
// [N, 1].
enum class ReduceOver : std::uint8_t { spatial, channels, sample };

namespace layers {

// x [N, spatial..., C] -> [N, C], the mean or the maximum of each channel.
struct GlobalPool {
  Reduction by = Reduction::mean;

  static constexpr const char* kind = "global_pool";
  static constexpr auto fields = std::tuple{Field{"by", &GlobalPool::by}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<GlobalPool>> examples();
};

// The sum, mean or maximum over a part of the dimensions. The gradient of a maximum goes to the
// first of equal ones.
struct Reduce {
  ReduceOver over = ReduceOver::spatial;
  Reduction by = Reduction::sum;

  static constexpr const char* kind = "reduce";
  static constexpr auto fields = std::tuple{Field{"over", &Reduce::over}, Field{"by", &Reduce::by}};

  LayerShapes infer(std::span<const Shape> inputs, bool training) const;
  void forward(const ForwardCall& call) const;
  void backward(const BackwardCall& call) const;
  static std::vector<LayerExample<Reduce>> examples();
};

}  // namespace layers
}  // namespace ratnet::inline v1
