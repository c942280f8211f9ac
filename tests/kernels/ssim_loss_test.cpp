#include "../../kernels/ssim_loss.h"

#include "loss_case.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// Every window by itself, with means subtracted before squares are summed.
double ssim_loss(const Doubles& x, const Doubles& y, const SsimLoss& op) {
  Window window{.rank = op.prediction.shape.rank() - 2, .kernel = {1, 1, 1}};
  for (int d = 0; d < window.rank; ++d) window.kernel[static_cast<std::size_t>(d)] = op.window;
  const auto taps = static_cast<std::size_t>(window.taps());
  std::vector<double> weights(taps);
  for (std::size_t i = 0; i < taps; ++i) {
    auto rest = static_cast<std::int64_t>(i);
    double away = 0;
    for (int d = 0; d < window.rank; ++d, rest /= op.window)
      away += std::pow(static_cast<double>(rest % op.window - op.window / 2), 2);
    weights[i] = std::exp(-away / (2 * op.sigma * op.sigma));
  }
  double sum = 0;
  for (const double w : weights) sum += w;
  for (double& w : weights) w /= sum;

  std::vector<std::vector<std::size_t>> pixels;
  for_each_tap(op.prediction.shape, window, [&](std::size_t to, std::int64_t from, std::int64_t) {
    if (pixels.size() <= to) pixels.resize(to + 1);
    pixels[to].push_back(static_cast<std::size_t>(from));
  });
  const double c1 = std::pow(0.01 * op.data_range, 2), c2 = std::pow(0.03 * op.data_range, 2);
  double total = 0;
  for (const auto& under : pixels) {
    double mx = 0, my = 0, vx = 0, vy = 0, covariance = 0;
    for (std::size_t i = 0; i < taps; ++i) {
      mx += weights[i] * x[under[i]];
      my += weights[i] * y[under[i]];
    }
    for (std::size_t i = 0; i < taps; ++i) {
      const double dx = x[under[i]] - mx, dy = y[under[i]] - my;
      vx += weights[i] * dx * dx;
      vy += weights[i] * dy * dy;
      covariance += weights[i] * dx * dy;
    }
    total +=
        (2 * mx * my + c1) * (2 * covariance + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2));
  }
  return 1 - total / static_cast<double>(pixels.size());
}

}  // namespace

TEST_CASE("the SSIM loss equals its definition and finite differences", "[device]") {
  struct Case {
    Shape shape;
    std::int64_t window;
    double sigma, data_range;
  };
  Random random(1);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Case& c : {Case{{1, 11, 11, 1}, 11, 1.5, 1}, Case{{2, 13, 17, 2}, 11, 1.5, 1},
                          Case{{1, 1, 1, 1}, 1, 1.5, 1}, Case{{2, 9, 3}, 5, 0.8, 1},
                          Case{{1, 5, 4, 7, 2}, 3, 1, 2}, Case{{1, 71, 67, 1}, 3, 1.5, 1}}) {
      INFO(to_string(c.shape));
      const Tensor x = random_tensor(c.shape, dtype, random, 0, c.data_range);
      // Alike, so that similarities are not all near 0.
      const Tensor noise = random_tensor(c.shape, dtype, random, -0.2, 0.2);
      Doubles alike = doubles(x);
      for (std::size_t i = 0; i < alike.size(); ++i) alike[i] += doubles(noise)[i];
      const Tensor y = tensor_of(c.shape, dtype, alike);
      const SsimLoss op{.prediction = x,
                        .target = y,
                        .loss = {},
                        .window = c.window,
                        .sigma = c.sigma,
                        .data_range = c.data_range};
      check_loss_case(op, &SsimLoss::dprediction, x,
                      [&](const Doubles& at) { return ssim_loss(at, doubles(y), op); });
    }
}

TEST_CASE("the SSIM loss of an image and itself is zero", "[device][small]") {
  Random random(2);
  const Tensor x = random_tensor({1, 12, 11, 1}, DType::f64, random, 0, 1);
  Tensor loss({1}, DType::f64), slope(x.shape(), DType::f64);
  run_on(test_queue(1), SsimLoss{x, x, loss, slope});
  CHECK(std::abs(doubles(loss)[0]) < 1e-14);
  for (const double value : doubles(slope)) CHECK(std::abs(value) < 1e-12);
}

TEST_CASE("the SSIM loss of a sample has the same gradient in a batch", "[device]") {
  Random random(3);
  const Tensor x = random_tensor({2, 12, 13, 1}, DType::f32, random, 0, 1);
  const Tensor y = random_tensor({2, 12, 13, 1}, DType::f32, random, 0, 1);
  Tensor loss({1}, DType::f32), both(x.shape(), DType::f32), one({1, 12, 13, 1}, DType::f32);
  SsimLoss op{.prediction = x, .target = y, .loss = loss, .dprediction = both};
  run_on(test_queue(2), op);
  // Half of the mean over half of the images.
  op.prediction = op.prediction.first(1);
  op.target = op.target.first(1);
  op.dprediction = one;
  op.factor = 0.5;
  run_on(test_queue(2), op);
  CHECK(std::memcmp(one.data(), both.data(), one.bytes()) == 0);
}

TEST_CASE("the SSIM loss refuses arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({1, 11, 12, 1}, DType::f32), y = x.clone(), low({1, 10, 12, 1}, DType::f32);
  Tensor flat({4, 2}, DType::f32), wide({1, 11, 12, 1}, DType::f64), loss({1}, DType::f32);
  const SsimLoss good{.prediction = x, .target = y, .loss = loss};
  check_loss_refusals(good, &SsimLoss::dprediction);
  const auto refuses = [&](auto&& change) {
    SsimLoss bad = good;
    change(bad);
    return refused(queue, bad);
  };
  CHECK(refuses([&](auto& bad) { bad.target = low; }));
  CHECK(refuses([&](auto& bad) { bad.target = wide; }));
  CHECK(refuses([&](auto& bad) { bad.prediction = bad.target = low; }));
  CHECK(refuses([&](auto& bad) { bad.prediction = bad.target = flat; }));
  CHECK(refuses([&](auto& bad) { bad.dprediction = x; }));
  CHECK(refuses([&](auto& bad) { bad.window = 4; }));
  CHECK(refuses([&](auto& bad) { bad.window = 35; }));
  CHECK(refuses([&](auto& bad) { bad.window = -1; }));
  CHECK(refuses([&](auto& bad) { bad.sigma = 0; }));
  CHECK(refuses([&](auto& bad) { bad.data_range = std::nan(""); }));
}
