// A network that takes patches, shown whole images and volumes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../network/plan.h"
#include "objective.h"

namespace ratnet::inline v1 {

// How it slides over them (network/sliding_window.h).
struct WindowOptions {
  double overlap = 0.5;         // share of a patch that lies in the next one, 0 to below 1
  std::array<bool, 3> flips{};  // along D, H, W: mirrored too, and averaged
};

// The size of the patches that a graph of one input takes: H, W or D, H, W. Throws Error (usage)
// where it takes neither [H, W, C] nor [D, H, W, C].
std::vector<std::int64_t> patch_size(const Graph& graph);

// Throws Error (input), naming the dataset, unless whole images of that shape can be shown to a
// graph of patches: where these have other channels or axes, where a loss reads labels or a code,
// which a patch has none of, or an output, of those of the graph, is not [the patch's pixels, K].
void check_patches(const Graph& graph, const Objective& objective, const Shape& image,
                   const std::string& dataset);
// Throws Error (input) where such images, which the objective is to judge, are smaller than the
// window of an SSIM.
void check_windows(const Graph& graph, const Objective& objective, const Shape& image,
                   const std::string& dataset);

class WholeImages {
 public:
  // plan: for inference, of one input, on any device; it has to stay. objective: which outputs are
  // logits. image: the shape of the images, [H, W, C] or [D, H, W, C]. Throws Error (usage) for
  // options that make no sense and graphs that check_patches() refuses.
  WholeImages(Plan& plan, const Objective& objective, const Shape& image,
              const WindowOptions& options = {});

  // What an output is of a whole image: [H, W, K] or [D, H, W, K].
  Shape output_shape(std::size_t index) const;

  // image: f32; outputs: f32 in the order of the graph, all to be written, in host memory. What
  // stands there of a pixel is the mean of what patches say, weighted by a Gaussian about their
  // centres. Of logits that a cross-entropy compares with masks the mean is one of probabilities:
  // those of the softmax (the sigmoid of one logit), written as logits that give it, their
  // logarithms (the log odds). Does not depend on the plan's batch.
  void run(const ConstView& image, std::span<const View> outputs);

  // Host memory of one beside its plan, whose batch that is.
  static std::size_t bytes_of(const Graph& graph, const Objective& objective, const Shape& image,
                              std::int64_t batch);

 private:
  struct Output {
    std::int64_t width = 1;  // K
    bool logits = false;
    std::int64_t blended() const { return logits && width == 1 ? 2 : width; }  // numbers of a pixel
  };
  static std::vector<Output> outputs_of(const Graph& graph, const Objective& objective);
  void say(const ConstView& patches, const View& said);

  Plan& plan_;
  Shape image_;
  WindowOptions options_;
  std::vector<std::int64_t> patch_;
  std::vector<Output> outputs_;
  std::int64_t blended_ = 0;                // numbers of a pixel, of all outputs
  Tensor means_;                            // of the image's pixels, all outputs
  std::vector<std::vector<float>> values_;  // by output, of a batch of patches
};

}  // namespace ratnet::inline v1
