#include "../../kernels/gaussian_kl.h"

#include "loss_case.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

double divergence(const Doubles& mean, const Doubles& log_variance, double samples) {
  double sum = 0;
  for (std::size_t i = 0; i < mean.size(); ++i)
    sum += 0.5 * (std::exp(log_variance[i]) + mean[i] * mean[i] - 1 - log_variance[i]);
  return sum / samples;
}

}  // namespace

TEST_CASE("the divergence of Gaussians equals its definition and finite differences", "[device]") {
  Random random(1);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 7}, Shape{2, 3, 5, 2}, Shape{5, 1021}}) {
      INFO(to_string(shape));
      const Tensor mean = random_tensor(shape, dtype, random, -2, 2);
      const Tensor log_variance = random_tensor(shape, dtype, random, -3, 2);
      const GaussianKl op{.mean = mean, .log_variance = log_variance, .loss = {}};
      const auto samples = static_cast<double>(shape[0]);
      check_loss_case(op, &GaussianKl::dmean, mean, [&](const Doubles& at) {
        return divergence(at, doubles(log_variance), samples);
      });
      check_loss_case(op, &GaussianKl::dlog_variance, log_variance,
                      [&](const Doubles& at) { return divergence(doubles(mean), at, samples); });
    }
}

TEST_CASE("the divergence of many Gaussians does not depend on threads") {
  Random random(2);
  const Shape shape{3, 22003};
  const Tensor mean = random_tensor(shape, DType::f32, random, -2, 2);
  const Tensor log_variance = random_tensor(shape, DType::f32, random, -3, 2);
  const GaussianKl op{.mean = mean, .log_variance = log_variance, .loss = {}};
  check_loss_threads(op, &GaussianKl::dmean, mean);
  check_loss_threads(op, &GaussianKl::dlog_variance, log_variance);
}

TEST_CASE("the divergence of the standard Gaussian is zero", "[device][small]") {
  const Tensor zeros = tensor_of({2, 2}, DType::f32, {0, 0, 0, 0});
  Tensor loss({1}, DType::f32), dmean({2, 2}, DType::f32), dlog({2, 2}, DType::f32);
  run_on(test_queue(1), GaussianKl{zeros, zeros, loss, dmean, dlog});
  CHECK(doubles(loss) == Doubles{0});
  CHECK(doubles(dmean) == Doubles(4, 0.0));
  CHECK(doubles(dlog) == Doubles(4, 0.0));
}

TEST_CASE("the divergence of Gaussians refuses arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor mean({4, 2}, DType::f32), other({4, 3}, DType::f32), wide({4, 2}, DType::f64);
  Tensor flat({4}, DType::f32), loss({1}, DType::f32);
  const GaussianKl good{.mean = mean, .log_variance = mean, .loss = loss};
  check_loss_refusals(good, &GaussianKl::dmean);
  check_loss_refusals(good, &GaussianKl::dlog_variance);
  const auto refuses = [&](auto&& change) {
    GaussianKl bad = good;
    change(bad);
    return refused(queue, bad);
  };
  CHECK(refuses([&](auto& bad) { bad.log_variance = other; }));
  CHECK(refuses([&](auto& bad) { bad.log_variance = wide; }));
  CHECK(refuses([&](auto& bad) { bad.mean = bad.log_variance = flat; }));
}
