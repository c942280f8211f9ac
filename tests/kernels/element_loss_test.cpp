#include "../../kernels/element_loss.h"

#include "loss_case.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

using Kind = ElementLossKind;
constexpr Kind kinds[] = {Kind::binary_cross_entropy, Kind::mse, Kind::l1};

double cost(Kind kind, double p, double t, double positive_weight) {
  if (kind == Kind::mse) return (p - t) * (p - t);
  if (kind == Kind::l1) return std::abs(p - t);
  return positive_weight * t * std::log1p(std::exp(-p)) + (1 - t) * std::log1p(std::exp(p));
}

double element_loss(Kind kind, const Doubles& x, const Doubles& target, const Doubles& weights,
                    double positive_weight) {
  double sum = 0, total = 0;
  const std::size_t per = std::max<std::size_t>(1, x.size() / weights.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double w = weights[i / per];
    sum += w == 0 ? 0 : w * cost(kind, x[i], target[i], positive_weight);
    total += w;
  }
  return total != 0 ? sum / total : 0;
}

}  // namespace

TEST_CASE("element losses equal their definitions and finite differences", "[device]") {
  Random random(1);
  int round = 0;
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Kind kind : kinds)
      for (const Shape& shape : {Shape{1}, Shape{7, 1}, Shape{2, 3, 5}, Shape{3, 37, 41, 1}}) {
        INFO(to_string(shape) << " " << static_cast<int>(kind));
        ++round;
        const bool binary = kind == Kind::binary_cross_entropy;
        const Tensor x = random_tensor(shape, dtype, random, -6, 6);
        const Tensor target = random_tensor(shape, dtype, random, 0, 1);
        Shape of_weights = shape;
        if (round % 3 == 1) of_weights[shape.rank() - 1] = 1;
        if (round % 3 == 2) of_weights = {shape[0]};
        const Tensor weights = random_tensor(of_weights, dtype, random, 0.1, 2);
        for (const bool masked : {false, true}) {
          ElementLoss op{.kind = kind, .prediction = x, .target = target, .loss = {}};
          if (masked) op.weights = weights;
          op.positive_weight = binary ? 3.5 : 1;
          check_loss_case(op, &ElementLoss::dprediction, x, [&](const Doubles& at) {
            return element_loss(kind, at, doubles(target), masked ? doubles(weights) : Doubles{1},
                                op.positive_weight);
          });
        }
      }
}

TEST_CASE("element losses of many pieces do not depend on threads") {
  const Kind kind = GENERATE(Kind::binary_cross_entropy, Kind::mse, Kind::l1);
  Random random(3);
  const Shape shape{3, 22003, 1};
  const Tensor x = random_tensor(shape, DType::f32, random, -6, 6);
  const Tensor target = random_tensor(shape, DType::f32, random, 0, 1);
  const Tensor weights = random_tensor(shape, DType::f32, random, 0.1, 2);
  for (const bool masked : {false, true}) {
    ElementLoss op{.kind = kind, .prediction = x, .target = target, .loss = {}};
    if (masked) op.weights = weights;
    check_loss_threads(op, &ElementLoss::dprediction, x);
  }
}

TEST_CASE("binary cross-entropy takes labels and ignores all but 0 and 1", "[device]") {
  Random random(2);
  for (const DType labels_type : {DType::u8, DType::i32})
    for (const Shape& shape : {Shape{5, 1}, Shape{2, 43, 53}}) {
      const Tensor x = random_tensor(shape, DType::f64, random, -3, 3);
      const Tensor labels = random_tensor(shape, labels_type, random, 0, 3);
      Doubles counted, target = doubles(labels);
      for (const double label : target) counted.push_back(label < 2);
      const ElementLoss op{
          .kind = Kind::binary_cross_entropy, .prediction = x, .target = labels, .loss = {}};
      check_loss_case(op, &ElementLoss::dprediction, x, [&](const Doubles& at) {
        return element_loss(op.kind, at, target, counted, 1);
      });
    }
}

TEST_CASE("an element loss does not look at what a mask leaves out", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  const Kind kind = GENERATE(Kind::binary_cross_entropy, Kind::mse, Kind::l1);
  const double nan = std::nan("");
  const Tensor x = tensor_of({1, 3, 1}, DType::f32, {nan, 2, 0.5});
  const Tensor target = tensor_of({1, 3, 1}, DType::f32, {1, nan, 0.25});
  const Tensor mask = tensor_of({1, 3, 1}, DType::f32, {0, 0, 2});
  Tensor loss({1}, DType::f32), slope({1, 3, 1}, DType::f32);
  run_on(queue, ElementLoss{kind, x, target, mask, {}, loss, slope});
  CHECK(distance(loss, {cost(kind, 0.5, 0.25, 1)}) < 1e-6);
  CHECK(doubles(slope)[0] == 0);
  CHECK(doubles(slope)[1] == 0);
  CHECK(doubles(slope)[2] != 0);
  const Tensor nothing = tensor_of({1}, DType::f32, {0});
  run_on(queue, ElementLoss{kind, x, target, nothing, {}, loss, slope});
  CHECK(doubles(loss) == Doubles{0});
  CHECK(doubles(slope) == Doubles(3, 0.0));
  run_on(queue, ElementLoss{kind, x, target, {}, {}, loss, slope});
  CHECK(std::isnan(doubles(loss)[0]));
}

TEST_CASE("an element loss counts the pixels that a mask of labels has", "[device]") {
  Random random(5);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Kind kind : kinds)
      for (const Shape& shape : {Shape{2, 3, 5}, Shape{2, 37, 41, 2}}) {
        INFO(to_string(shape) << " " << static_cast<int>(kind));
        const Tensor x = random_tensor(shape, dtype, random, -6, 6);
        const Tensor target = random_tensor(shape, dtype, random, 0, 1);
        const Tensor weights = random_tensor(shape, dtype, random, 0.1, 2);
        Shape pixels = shape;
        pixels[shape.rank() - 1] = 1;
        Tensor mask(pixels, DType::u8);
        Doubles counted;
        for (std::uint8_t& value : mask.values<std::uint8_t>()) {
          constexpr std::uint8_t values[] = {0, 1, 2, 254, 255};
          value = values[random.integer(5)];
          for (std::int64_t c = 0; c < shape.back(); ++c)
            counted.push_back(value != 0 && value != 255);
        }
        for (const bool weighted : {false, true}) {
          ElementLoss op{.kind = kind, .prediction = x, .target = target, .mask = mask, .loss = {}};
          if (weighted) op.weights = weights;
          Doubles weight = counted;
          if (weighted)
            for (std::size_t i = 0; i < weight.size(); ++i) weight[i] *= doubles(weights)[i];
          check_loss_case(op, &ElementLoss::dprediction, x, [&](const Doubles& at) {
            return element_loss(kind, at, doubles(target), weight, 1);
          });
        }
      }
}

TEST_CASE("binary cross-entropy keeps its digits for large logits", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  const Tensor x = tensor_of({4}, DType::f32, {80, -80, 1e30, -1e30});
  const Tensor target = tensor_of({4}, DType::u8, {1, 0, 0, 1});
  Tensor loss({1}, DType::f32), slope({4}, DType::f32);
  run_on(queue, ElementLoss{Kind::binary_cross_entropy, x, target, {}, {}, loss, slope});
  CHECK(std::abs(doubles(loss)[0] / 5e29 - 1) < 1e-6);
  const Doubles found = doubles(slope);
  const double tail = std::exp(-80.0) / 4;
  CHECK(std::abs(found[0] / -tail - 1) < 1e-5);
  CHECK(std::abs(found[1] / tail - 1) < 1e-5);
  CHECK(found[2] == 0.25);
  CHECK(found[3] == -0.25);
}

TEST_CASE("element losses refuse arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({4, 2}, DType::f32), other({4, 3}, DType::f32), wide({4, 2}, DType::f64);
  Tensor labels({4, 2}, DType::u8), loss({1}, DType::f32), pixels({4, 1}, DType::f32);
  Tensor mask({4, 1}, DType::u8), scalar({}, DType::f32), samples({4}, DType::f32),
      short_samples({3}, DType::f32);
  const ElementLoss good{.prediction = x, .target = x, .loss = loss};
  check_loss_refusals(good, &ElementLoss::dprediction);
  const auto refuses = [&](auto&& change) {
    ElementLoss bad = good;
    change(bad);
    return refused(queue, bad);
  };
  CHECK(!refuses([&](auto& fine) { fine.weights = pixels; }));
  CHECK(!refuses([&](auto& fine) { fine.weights = samples; }));
  CHECK(refuses([&](auto& bad) { bad.weights = short_samples; }));
  CHECK(refuses([&](auto& bad) { bad.weights = wide; }));
  CHECK(refuses([&](auto& bad) { bad.weights = labels; }));
  CHECK(!refuses([&](auto& fine) { fine.mask = mask; }));
  CHECK(refuses([&](auto& bad) { bad.mask = labels; }));
  CHECK(refuses([&](auto& bad) { bad.mask = pixels; }));
  CHECK(refuses([&](auto& bad) { bad.target = other; }));
  CHECK(refuses([&](auto& bad) { bad.target = wide; }));
  CHECK(refuses([&](auto& bad) { bad.target = labels; }));
  CHECK(refuses([&](auto& bad) { bad.prediction = scalar; }));
  CHECK(refuses([&](auto& bad) { bad.positive_weight = 2; }));
  CHECK(refuses([&](auto& bad) {
    bad.kind = Kind::binary_cross_entropy;
    bad.positive_weight = -1;
  }));
}
