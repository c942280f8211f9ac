// Figures of masks and images on pictures small enough to be measured by eye.
#include <cmath>
#include <limits>

#include "../../apps/graph/image_figures.h"
#include "../../apps/graph/mask_figures.h"
#include "../../core/random.h"
#include "../../kernels/open.h"
#include "../catch.h"
#include "../network/refused.h"

using namespace ratnet;
using testing::refused;

namespace {

const Shape kMap{6, 8};
const ClassOutput kOne{.output = "logit", .width = 1};

// '.' 0, '#' 1, '?' no label.
std::vector<std::uint8_t> truth_of(const std::string& picture) {
  std::vector<std::uint8_t> mask;
  for (const char c : picture) mask.push_back(c == '#' ? 1 : c == '?' ? 255 : 0);
  return mask;
}

// Logits: a digit d stands for log odds of d, '.' for -1.
std::vector<float> scores_of(const std::string& picture) {
  std::vector<float> scores;
  for (const char c : picture) scores.push_back(c == '.' ? -1.0f : static_cast<float>(c - '0'));
  return scores;
}

void add(MaskFigures& figures, const std::string& truth, const std::string& scores) {
  const auto mask = truth_of(truth);
  figures.add(ConstView(mask.data(), DType::u8, kMap), scores_of(scores).data());
}

const std::string kTruth =
    "##......"
    "##......"
    "........"
    "......##"
    "......##"
    "?.......";
// One of the two, a column further on; and a false one, surer than that. What lies where there is
// no label does not count.
const std::string kFound =
    ".22....."
    ".12....."
    "........"
    "........"
    "...4...."
    "9.......";
const std::string kNothing(48, '.');

}  // namespace

TEST_CASE("masks are measured by overlap, by borders and lesion by lesion") {
  MaskFigures figures(kOne, {1, 0.5});
  add(figures, kTruth, kFound);
  add(figures, kNothing, kNothing);
  const auto all = figures.figures();
  REQUIRE(all.size() == 1);
  const MaskClassFigures& f = all[0];
  CHECK(f.dice[0] == Approx(2.0 * 2 / (8 + 5)));
  CHECK(std::isnan(f.dice[1]));
  CHECK(f.measured == 1);
  CHECK(f.lesions.true_positives == 1);
  CHECK(f.lesions.false_positives == 1);
  CHECK(f.lesions.false_negatives == 1);
  // Nearest to the true pixels (3, 6), (3, 7), (4, 6), (4, 7) is (4, 3), at 1.80, 2.24, 1.5 and 2;
  // to the first square none is further than 0.5. Its 95th percentile over 8 pixels lies 0.65 of
  // the way from 2 to 2.24, and is above that of the other direction.
  const double far = std::sqrt(1 + 4.0);
  CHECK(f.hausdorff95 == Approx(2 + 0.65 * (far - 2)));
  // Nothing counts; then the false one at odds of e^4; then the true one at e^2. Two samples.
  REQUIRE(f.froc.size() == 3);
  CHECK(f.froc[0].sensitivity == 0);
  CHECK(f.froc[1].threshold == Approx(1 / (1 + std::exp(-4.0))));
  CHECK(f.froc[1].false_positives_per_scan == 0.5);
  CHECK(f.froc[1].sensitivity == 0);
  CHECK(f.froc[2].threshold == Approx(1 / (1 + std::exp(-2.0))));
  CHECK(f.froc[2].sensitivity == 0.5);
}

TEST_CASE("masks without a lesion, or a prediction, have no distances") {
  MaskFigures figures(kOne, {1, 1});
  add(figures, kTruth, kNothing);
  add(figures, kNothing, kFound);
  const MaskClassFigures f = figures.figures()[0];
  CHECK(f.dice == std::vector<double>{0, 0});
  CHECK(f.measured == 0);
  CHECK(std::isnan(f.hausdorff95));
  CHECK(f.lesions.false_negatives == 2);
  CHECK(f.lesions.false_positives == 3);  // no '?' here: the pixel in the corner is one of them
  CHECK(refused(ErrorKind::usage, "spacing", [] { MaskFigures(kOne, {1, 0}); }) == "");
  CHECK(refused(ErrorKind::usage, "spacing of 3 numbers", [] {
          MaskFigures volumes(kOne, {1, 1, 1});
          add(volumes, kTruth, kFound);
        }) == "");
}

TEST_CASE("SSIM is its definition, window by window and channel by channel") {
  const QueueHandle cpu =
      open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
  constexpr std::size_t rows = 9, columns = 7, channels = 2;
  const LossTerm ssim{.window = 5, .sigma = 1.2, .data_range = 2};
  Random random(4);
  std::vector<float> image(rows * columns * channels), made(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = static_cast<float>(random.normal());
    made[i] = static_cast<float>(0.7 * double(image[i]) + random.normal(0.1, 0.3));
  }
  const double c1 = std::pow(0.01 * 2, 2), c2 = std::pow(0.03 * 2, 2);
  double sum = 0, places = 0;
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t r = 0; r + 5 <= rows; ++r)
      for (std::size_t k = 0; k + 5 <= columns; ++k, ++places) {
        double all = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
        for (std::size_t i = 0; i < 5; ++i)
          for (std::size_t j = 0; j < 5; ++j) {
            const double w = std::exp(-(std::pow(double(i) - 2, 2) + std::pow(double(j) - 2, 2)) /
                                      (2 * 1.2 * 1.2));
            const std::size_t at = ((r + i) * columns + k + j) * channels + c;
            const double a = double(made[at]), b = double(image[at]);
            all += w;
            x += w * a;
            y += w * b;
            xx += w * a * a;
            yy += w * b * b;
            xy += w * a * b;
          }
        x /= all;
        y /= all;
        sum += (2 * x * y + c1) * (2 * (xy / all - x * y) + c2) /
               ((x * x + y * y + c1) * (xx / all - x * x + yy / all - y * y + c2));
      }
  const Shape shape{rows, columns, channels};
  const double got = image_figures(*cpu, ConstView(made.data(), DType::f32, shape),
                                   ConstView(image.data(), DType::f32, shape), ssim)
                         .ssim;
  CHECK(got == Approx(sum / places).epsilon(1e-5));
  CHECK(got > 0.2);
  CHECK(got < 0.95);
}

TEST_CASE("images are compared pixel by pixel, and by a window where it fits") {
  const QueueHandle cpu =
      open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
  const Shape shape{12, 12, 1};
  std::vector<float> image(144), made(144);
  for (std::size_t i = 0; i < 144; ++i) {
    image[i] = static_cast<float>(i % 7) / 7;
    made[i] = image[i] + (i % 2 ? 0.25f : -0.5f);
  }
  const ConstView x(image.data(), DType::f32, shape), y(made.data(), DType::f32, shape);
  const ImageFigures off = image_figures(*cpu, y, x, {});
  CHECK(off.mse == Approx((0.0625 + 0.25) / 2).epsilon(1e-6));
  CHECK(off.l1 == Approx(0.375).epsilon(1e-6));
  CHECK(off.ssim < 0.9);
  const ImageFigures same = image_figures(*cpu, x, x, {});
  CHECK(same.mse == 0);
  CHECK(same.ssim == Approx(1));
  CHECK(std::isnan(image_figures(*cpu, x, x, {.window = 13}).ssim));
  // A volume of fewer slices than the window has taps, as its slices.
  const Shape volume{2, 6, 12, 1};
  const LossTerm window{.window = 5};
  const auto half = [&](const ConstView& all, std::size_t n) {
    return ConstView(all.as<float>() + n * 72, DType::f32, {6, 12, 1});
  };
  const double slices = image_figures(*cpu, half(y, 0), half(x, 0), window).ssim +
                        image_figures(*cpu, half(y, 1), half(x, 1), window).ssim;
  CHECK(image_figures(*cpu, y.reshaped(volume), x.reshaped(volume), window, true).ssim ==
        Approx(slices / 2));
  CHECK(std::isnan(image_figures(*cpu, y.reshaped(volume), x.reshaped(volume), window).ssim));
  CHECK(refused(ErrorKind::usage, "an image of", [&] {
          image_figures(*cpu, y, x.reshaped({144, 1}), {});
        }) == "");
}
