#include "../../kernels/dice_loss.h"

#include "loss_case.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

double dice_loss(const Doubles& p, const Doubles& labels, std::size_t samples, std::size_t k,
                 const DiceLoss& op) {
  const std::size_t groups = op.per_sample ? samples : 1, pixels = labels.size() / groups;
  double loss = 0, count = 0;
  for (std::size_t group = 0; group < groups; ++group)
    for (std::size_t c = op.include_background ? 0 : 1; c < k; ++c, ++count) {
      double both = 0, sum = 0;
      for (std::size_t i = group * pixels; i < (group + 1) * pixels; ++i) {
        if (labels[i] < 0 || labels[i] >= static_cast<double>(k == 1 ? 2 : k)) continue;
        const double t = labels[i] == static_cast<double>(k == 1 ? 1 : c);
        both += p[i * k + c] * t;
        sum += p[i * k + c] + t;
      }
      const double below = sum + op.smoothing;
      loss += below != 0 ? 1 - (2 * both + op.smoothing) / below : 0;
    }
  return loss / count;
}

}  // namespace

TEST_CASE("the Dice loss equals its definition and finite differences", "[device]") {
  Random random(1);
  int round = 0;
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 1, 2}, Shape{2, 3, 5, 4}, Shape{2, 7, 1},
                               Shape{1, 2, 3, 5, 3}, Shape{2, 71, 67, 2}, Shape{3, 101, 1}})
      for (const bool per_sample : {false, true}) {
        INFO(to_string(shape) << (per_sample ? " per sample" : ""));
        ++round;
        const std::int64_t k = shape.back();
        const Shape rows(shape.sizes().first(static_cast<std::size_t>(shape.rank() - 1)));
        const Tensor p = random_tensor(shape, dtype, random, 0.01, 0.99);
        const bool bytes = round % 4 < 2;
        const Tensor labels =
            random_tensor(rows, bytes ? DType::u8 : DType::i32, random, bytes ? 0 : -1,
                          static_cast<double>(std::max<std::int64_t>(2, k)) + 0.5);
        DiceLoss op{.probabilities = p, .labels = labels, .loss = {}};
        op.smoothing = round % 3 == 0 ? 1 : 1e-5;
        op.per_sample = per_sample;
        op.include_background = k == 1 || round % 3 != 1;
        check_loss_case(op, &DiceLoss::dprobabilities, p, [&](const Doubles& at) {
          return dice_loss(at, doubles(labels), static_cast<std::size_t>(shape[0]),
                           static_cast<std::size_t>(k), op);
        });
      }
}

TEST_CASE("the Dice loss of a perfect, an opposite and an ignored segmentation",
          "[device][small]") {
  const QueueHandle queue = test_queue(1);
  const Tensor p = tensor_of({1, 2, 2}, DType::f32, {1, 0, 0, 1});
  const auto loss_of = [&](const std::vector<double>& labels, bool background) {
    const Tensor y = tensor_of({1, 2}, DType::u8, labels);
    Tensor loss({1}, DType::f32), slope({1, 2, 2}, DType::f32);
    DiceLoss op{.probabilities = p, .labels = y, .loss = loss, .dprobabilities = slope};
    op.smoothing = 0;
    op.include_background = background;
    run_on(queue, op);
    if (!background) {
      CHECK(doubles(slope)[0] == 0);
      CHECK(doubles(slope)[2] == 0);
    }
    if (labels[0] == 255) CHECK(doubles(slope) == Doubles(4, 0.0));
    return doubles(loss)[0];
  };
  CHECK(loss_of({0, 1}, true) == 0);
  CHECK(loss_of({1, 0}, true) == 1);
  CHECK(loss_of({255, 2}, true) == 0);
  CHECK(loss_of({255, 2}, false) == 0);
  CHECK(std::abs(loss_of({1, 1}, false) - (1 - 2.0 / 3)) < 1e-7);
}

TEST_CASE("the Dice loss refuses arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor p({4, 5, 2}, DType::f32), one({4, 5, 1}, DType::f32), none({4, 5, 0}, DType::f32);
  Tensor labels({4, 5}, DType::u8), reals({4, 5}, DType::f32), few({4}, DType::u8);
  Tensor loss({1}, DType::f32);
  const DiceLoss good{.probabilities = p, .labels = labels, .loss = loss};
  check_loss_refusals(good, &DiceLoss::dprobabilities);
  const auto refuses = [&](auto&& change) {
    DiceLoss bad = good;
    change(bad);
    return refused(queue, bad);
  };
  CHECK(refuses([&](auto& bad) { bad.labels = reals; }));
  CHECK(refuses([&](auto& bad) { bad.labels = few; }));
  CHECK(refuses([&](auto& bad) { bad.probabilities = none; }));
  CHECK(refuses([&](auto& bad) { bad.smoothing = -1; }));
  CHECK(refuses([&](auto& bad) {
    bad.probabilities = one;
    bad.include_background = false;
  }));
}
