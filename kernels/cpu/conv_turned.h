// The gradient of a convolution's input, where the stride is 1, as a convolution of dy with the
// kernel turned round.
#pragma once

#include "../conv.h"
#include "conv_bands.h"

namespace ratnet::inline v1::conv_bands {

// Why there is no such convolution; nullptr where there is.
inline const char* cannot_turn(const ConvBackwardData& op) {
  for (std::size_t d = 0; d < static_cast<std::size_t>(op.window.rank); ++d) {
    if (op.window.stride[d] != 1) return "works with stride 1 only";
    const std::int64_t most = op.window.dilation[d] * (op.window.kernel[d] - 1);
    if (op.window.pad_before[d] > most || op.window.pad_after[d] > most)
      return "padding is wider than the kernel";
  }
  return nullptr;
}

inline Problem turned(const ConvBackwardData& op) {
  Window window = op.window;
  for (std::size_t d = 0; d < static_cast<std::size_t>(window.rank); ++d) {
    const std::int64_t most = window.dilation[d] * (window.kernel[d] - 1);
    window.pad_before[d] = most - op.window.pad_before[d];
    window.pad_after[d] = most - op.window.pad_after[d];
  }
  return {op.dy.shape, op.dx.shape.back(), window};
}

// Rows of the turned kernel [taps * channels of dy][channels of dx].
class TurnedWeights {
 public:
  explicit TurnedWeights(const ConvBackwardData& op)
      : weight_(op.weight.as<float>()),
        taps_(op.window.taps()),
        from_(op.dy.shape.back()),
        to_(op.dx.shape.back()) {}
  // Copies n numbers of row k from a channel on.
  void operator()(std::int64_t k, std::int64_t channel, std::int64_t n, float* row) const {
    const float* const column =
        weight_ + ((taps_ - 1 - k / from_) * to_ + channel) * from_ + k % from_;
    for (std::int64_t i = 0; i < n; ++i) row[i] = column[i * from_];
  }

 private:
  const float* weight_;
  std::int64_t taps_, from_, to_;
};

}  // namespace ratnet::inline v1::conv_bands
