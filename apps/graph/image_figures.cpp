#include "image_figures.h"

#include <cmath>

#include "../../kernels/ssim_loss.h"
#include "../../kernels/submit.h"

namespace ratnet::inline v1 {
namespace {

double ssim_of(Queue& cpu, const ConstView& made, const ConstView& image, const LossTerm& ssim) {
  for (int i = 0; i + 1 < image.shape.rank(); ++i)
    if (image.shape[i] < ssim.window) return std::nan("");
  float loss = 0;
  const Shape one = image.shape.batch_of(1);
  submit(cpu, SsimLoss{.prediction = made.reshaped(one),
                       .target = image.reshaped(one),
                       .loss = View(&loss, DType::f32, {1}),
                       .window = ssim.window,
                       .sigma = ssim.sigma,
                       .data_range = ssim.data_range});
  wait(cpu);
  return 1 - static_cast<double>(loss);
}

}  // namespace

ImageFigures image_figures(Queue& cpu, const ConstView& made, const ConstView& image,
                           const LossTerm& ssim) {
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
  return {squares / n, magnitudes / n, ssim_of(cpu, made, image, ssim)};
}

}  // namespace ratnet::inline v1
