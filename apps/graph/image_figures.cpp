#include "image_figures.h"

#include <cmath>

#include "../../kernels/ssim_loss.h"
#include "../../kernels/submit.h"

namespace ratnet::inline v1 {
namespace {

double ssim_of(Queue& cpu, const ConstView& made, const ConstView& image, const LossTerm& ssim,
               bool by_slices) {
  const Shape samples = by_slices ? image.shape : image.shape.batch_of(1);
  for (int i = 1; i + 1 < samples.rank(); ++i)
    if (samples[i] < ssim.window) return std::nan("");
  float loss = 0;
  submit(cpu, SsimLoss{.prediction = made.reshaped(samples),
                       .target = image.reshaped(samples),
                       .loss = View(&loss, DType::f32, {1}),
                       .window = ssim.window,
                       .sigma = ssim.sigma,
                       .data_range = ssim.data_range});
  wait(cpu);
  return 1 - static_cast<double>(loss);
}

}  // namespace

ImageFigures image_figures(Queue& cpu, const ConstView& made, const ConstView& image,
                           const LossTerm& ssim, bool by_slices) {
  require(made.shape == image.shape, "an image of ", made.shape, " made of one of ", image.shape);
  const auto* y = made.as<float>();
  const auto* x = image.as<float>();
  double squares = 0, magnitudes = 0;
  for (std::int64_t i = 0; i < image.count(); ++i) {
    const double error = static_cast<double>(y[i]) - static_cast<double>(x[i]);
    squares += error * error;
    magnitudes += std::abs(error);
  }
  const auto n = static_cast<double>(image.count());
  return {squares / n, magnitudes / n, ssim_of(cpu, made, image, ssim, by_slices)};
}

}  // namespace ratnet::inline v1
