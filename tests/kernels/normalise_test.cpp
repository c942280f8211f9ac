#include "../../kernels/normalise.h"

#include "../catch.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

using Doubles = std::vector<double>;

double activated(double z, Activation activation, double slope) {
  if (activation == Activation::none || z >= 0) return z;
  return activation == Activation::relu ? 0 : slope * z;
}

// Everything that a normalisation computes, written out. Of x [outer, rows, groups, width].
struct Oracle {
  Doubles x, scale, shift;
  std::size_t outer, rows, channels, groups;
  double epsilon, slope;
  Activation activation;
  Doubles mean, variance, inv;  // [outer, groups]

  Oracle(const Shape& shape, const NormOver& over, Doubles values, Doubles scales, Doubles shifts,
         double eps, Activation act, double leak)
      : x(std::move(values)),
        scale(std::move(scales)),
        shift(std::move(shifts)),
        outer(over.per_sample ? static_cast<std::size_t>(shape[0]) : 1),
        rows(x.size() / outer / static_cast<std::size_t>(shape.back())),
        channels(static_cast<std::size_t>(shape.back())),
        groups(over.per_sample ? static_cast<std::size_t>(over.groups) : channels),
        epsilon(eps),
        slope(leak),
        activation(act),
        mean(outer * groups),
        variance(outer * groups),
        inv(outer * groups) {
    const double count = static_cast<double>(x.size()) / static_cast<double>(mean.size());
    for (std::size_t i = 0; i < x.size(); ++i) mean[group(i)] += x[i] / count;
    for (std::size_t i = 0; i < x.size(); ++i)
      variance[group(i)] += (x[i] - mean[group(i)]) * (x[i] - mean[group(i)]) / count;
    for (std::size_t g = 0; g < inv.size(); ++g) inv[g] = 1 / std::sqrt(variance[g] + epsilon);
  }

  std::size_t channel(std::size_t i) const { return i % channels; }
  std::size_t group(std::size_t i) const {
    return i / (rows * channels) * groups + channel(i) / (channels / groups);
  }
  double hat(std::size_t i) const { return (x[i] - mean[group(i)]) * inv[group(i)]; }
  double z(std::size_t i) const { return hat(i) * scale[channel(i)] + shift[channel(i)]; }

  Doubles y() const {
    Doubles out(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) out[i] = activated(z(i), activation, slope);
    return out;
  }

  void backward(const Doubles& dy, Doubles& dx, Doubles& dscale, Doubles& dshift) const {
    dx.assign(x.size(), 0);
    dscale.assign(channels, 0);
    dshift.assign(channels, 0);
    Doubles first(mean.size()), second(mean.size()), dz(x.size());
    const double count = static_cast<double>(x.size()) / static_cast<double>(mean.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const bool on = activation == Activation::none || z(i) > 0;
      dz[i] = dy[i] * (on ? 1 : activation == Activation::relu ? 0 : slope);
      dshift[channel(i)] += dz[i];
      dscale[channel(i)] += dz[i] * hat(i);
      first[group(i)] += dz[i] * scale[channel(i)] / count;
      second[group(i)] += dz[i] * scale[channel(i)] * hat(i) / count;
    }
    for (std::size_t i = 0; i < x.size(); ++i)
      dx[i] =
          inv[group(i)] * (dz[i] * scale[channel(i)] - first[group(i)] - hat(i) * second[group(i)]);
  }
};

struct Case {
  Shape shape;
  NormOver over;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Shape& shape : {Shape{1, 1}, Shape{5, 1}, Shape{2, 3}, Shape{3, 7, 5},
                             Shape{2, 5, 9, 8}, Shape{2, 31, 17, 3}, Shape{1, 3, 4, 5, 33},
                             Shape{3, 2, 70}, Shape{2, 150, 90, 1}, Shape{2, 40, 50, 16}}) {
    const std::int64_t channels = shape.back();
    all.push_back({shape, {}});
    all.push_back({shape, {true, 1}});
    all.push_back({shape, {true, channels}});
    if (channels % 2 == 0) all.push_back({shape, {true, 2}});
  }
  return all;
}

}  // namespace

TEST_CASE("normalisation and its gradients equal the definition", "[device]") {
  const QueueHandle queue = test_queue(2);
  for_each_instruction_set([&](const std::string& set) {
    INFO(set);
    Random random(1);
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Case& c : cases())
        for (const Activation activation :
             {Activation::none, Activation::relu, Activation::leaky_relu}) {
          INFO(name_of(dtype) << " " << to_string(c.shape) << " " << c.over.per_sample << " "
                              << c.over.groups << " " << static_cast<int>(activation));
          const Shape channels{c.shape.back()};
          // Far from zero, as the first layers of a network are.
          const Tensor x = random_tensor(c.shape, dtype, random, 3, 4);
          const Tensor dy = random_tensor(c.shape, dtype, random);
          const Tensor scale = random_tensor(channels, dtype, random);
          const Tensor shift = random_tensor(channels, dtype, random);
          const Shape statistics = c.over.statistics(c.shape);
          Tensor y(c.shape, dtype), mean(statistics, dtype), inv(statistics, dtype);
          run_on(queue, Normalise{.x = x,
                                  .scale = scale,
                                  .shift = shift,
                                  .y = y,
                                  .mean = mean,
                                  .inv_deviation = inv,
                                  .over = c.over,
                                  .epsilon = 1e-2,
                                  .activation = activation,
                                  .slope = 0.25});
          const Oracle oracle(c.shape, c.over, doubles(x), doubles(scale), doubles(shift), 1e-2,
                              activation, 0.25);
          const double most = dtype == DType::f64 ? 1e-12 : 1e-5;
          CHECK(distance(y, oracle.y()) < most);
          CHECK(distance(mean, oracle.mean) < most);
          CHECK(distance(inv, oracle.inv) < most);

          Tensor dx(c.shape, dtype), dscale(channels, dtype), dshift(channels, dtype);
          run_on(queue, NormaliseBackward{.x = x,
                                          .dy = dy,
                                          .mean = mean,
                                          .inv_deviation = inv,
                                          .scale = scale,
                                          .shift = shift,
                                          .dx = dx,
                                          .dscale = dscale,
                                          .dshift = dshift,
                                          .over = c.over,
                                          .activation = activation,
                                          .slope = 0.25});
          Doubles edx, edscale, edshift;
          oracle.backward(doubles(dy), edx, edscale, edshift);
          CHECK(distance(dx, edx) < most * 10);
          CHECK(distance(dscale, edscale) < most * 10);
          CHECK(distance(dshift, edshift) < most * 10);
        }
  });
}

TEST_CASE("the kept statistics follow the batch's, without bias", "[device][small]") {
  const QueueHandle queue = test_queue(2);
  Random random(2);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Shape& shape : {Shape{1, 4}, Shape{3, 5, 7, 3}}) {
      const Shape channels{shape.back()};
      const Tensor x = random_tensor(shape, dtype, random);
      Tensor y(shape, dtype);
      Tensor mean = random_tensor(channels, dtype, random);
      Tensor variance = random_tensor(channels, dtype, random, 1, 2);
      const Oracle oracle(shape, {}, doubles(x), Doubles(static_cast<std::size_t>(channels[0]), 1),
                          Doubles(static_cast<std::size_t>(channels[0])), 1e-5, Activation::none,
                          0);
      Doubles means = doubles(mean), variances = doubles(variance);
      const double n = static_cast<double>(oracle.rows);
      for (std::size_t c = 0; c < means.size(); ++c) {
        means[c] = 0.7 * means[c] + 0.3 * oracle.mean[c];
        variances[c] = 0.7 * variances[c] + 0.3 * oracle.variance[c] * (n > 1 ? n / (n - 1) : 1);
      }
      run_on(
          queue,
          Normalise{
              .x = x, .y = y, .running_mean = mean, .running_variance = variance, .momentum = 0.3});
      CHECK(distance(mean, means) < tolerance(dtype));
      CHECK(distance(variance, variances) < 4 * tolerance(dtype));
      CHECK(distance(y, oracle.y()) < 1e-5);
    }
}

TEST_CASE("normalisation by given statistics equals the definition, in place too",
          "[device][small]") {
  const QueueHandle queue = test_queue(2);
  Random random(3);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Shape& shape : {Shape{1, 1}, Shape{7, 5}, Shape{2, 3, 5, 19}}) {
      const Shape channels{shape.back()};
      Tensor x = random_tensor(shape, dtype, random);
      const Tensor mean = random_tensor(channels, dtype, random);
      const Tensor variance = random_tensor(channels, dtype, random, 0.5, 2);
      const Tensor scale = random_tensor(channels, dtype, random);
      const Tensor shift = random_tensor(channels, dtype, random);
      Doubles expected = doubles(x), plain = doubles(x);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const std::size_t c = i % static_cast<std::size_t>(channels[0]);
        const double factor = doubles(scale)[c] / std::sqrt(doubles(variance)[c] + 1e-3);
        expected[i] = std::max(0.0, (expected[i] - doubles(mean)[c]) * factor + doubles(shift)[c]);
        plain[i] *= factor;
      }
      Tensor y(shape, dtype);
      run_on(queue,
             NormaliseBy{.x = x, .variance = variance, .scale = scale, .y = y, .epsilon = 1e-3});
      CHECK(distance(y, plain) < tolerance(dtype));
      run_on(queue, NormaliseBy{.x = x,
                                .mean = mean,
                                .variance = variance,
                                .scale = scale,
                                .shift = shift,
                                .y = x,
                                .epsilon = 1e-3,
                                .activation = Activation::relu});
      CHECK(distance(x, expected) < tolerance(dtype));
    }
}

TEST_CASE("normalisation gives the same bits for any number of threads", "[small]") {
  Random random(4);
  const Shape shape{3, 90, 70, 5};
  const Tensor x = random_tensor(shape, DType::f32, random);
  for (const NormOver& over : {NormOver{}, NormOver{true, 5}, NormOver{true, 1}}) {
    Tensor one(shape, DType::f32), three(shape, DType::f32);
    run_on(test_queue(1), Normalise{.x = x, .y = one, .over = over});
    run_on(test_queue(3), Normalise{.x = x, .y = three, .over = over});
    CHECK(same_bits(one, three));
  }
}

TEST_CASE("normalisation refuses arguments that do not fit", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({2, 3, 4}, DType::f32), y({2, 3, 4}, DType::f32), wide({2, 3, 4}, DType::f64);
  Tensor four({4}, DType::f32), three({3}, DType::f32), two({2}, DType::f32);
  CHECK_FALSE(refused(queue, Normalise{.x = x, .scale = four, .y = y}));
  CHECK(refused(queue, Normalise{.x = x, .scale = three, .y = y}));
  CHECK(refused(queue, Normalise{.x = x, .y = wide}));
  CHECK(refused(queue, Normalise{.x = x, .y = y, .mean = four}));
  CHECK(refused(queue, Normalise{.x = x, .y = y, .over = {true, 3}}));
  CHECK(refused(queue, Normalise{.x = x, .y = y, .epsilon = 0}));
  CHECK(refused(queue, Normalise{.x = x, .y = y, .momentum = 2}));
  CHECK(refused(
      queue,
      Normalise{
          .x = x, .y = y, .running_mean = four, .running_variance = four, .over = {true, 2}}));
  CHECK(refused(queue, NormaliseBy{.x = x, .variance = two, .y = y}));
  CHECK(refused(queue, NormaliseBackward{.x = x, .dy = y, .mean = three, .inv_deviation = four}));
}

TEST_CASE("a folded weight computes the layer and its normalisation", "[device][small]") {
  const QueueHandle queue = test_queue(2);
  Random random(5);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const auto& [with_bias, transposed] :
         {std::pair{false, false}, {true, false}, {false, true}, {true, true}}) {
      const Shape shape = transposed ? Shape{3, 7, 2} : Shape{3, 2, 7}, channels{7};
      const Tensor weight = random_tensor(shape, dtype, random);
      const Tensor bias = random_tensor(channels, dtype, random);
      const Tensor mean = random_tensor(channels, dtype, random);
      const Tensor variance = random_tensor(channels, dtype, random, 0.5, 2);
      const Tensor scale = random_tensor(channels, dtype, random);
      const Tensor shift = random_tensor(channels, dtype, random);
      Tensor folded(shape, dtype), folded_bias(channels, dtype);
      run_on(queue, FoldNorm{.weight = weight,
                             .transposed = transposed,
                             .bias = with_bias ? ConstView(bias.view()) : ConstView(),
                             .mean = mean,
                             .variance = variance,
                             .scale = scale,
                             .shift = shift,
                             .folded_weight = folded,
                             .folded_bias = folded_bias,
                             .epsilon = 1e-3});
      Doubles weights = doubles(weight), biases(7);
      for (std::size_t c = 0; c < 7; ++c) {
        const double factor = doubles(scale)[c] / std::sqrt(doubles(variance)[c] + 1e-3);
        for (std::size_t i = 0; i < weights.size(); ++i)
          if ((transposed ? i / 2 % 7 : i % 7) == c) weights[i] *= factor;
        biases[c] =
            ((with_bias ? doubles(bias)[c] : 0) - doubles(mean)[c]) * factor + doubles(shift)[c];
      }
      CHECK(distance(folded, weights) < tolerance(dtype));
      CHECK(distance(folded_bias, biases) < tolerance(dtype));
    }
}
