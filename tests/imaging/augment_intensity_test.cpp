// What the random changes of intensities are drawn from, and their order.
#include "../../imaging/augment_intensity.h"

#include <cmath>
#include <cstring>

#include "../../core/tensor.h"
#include "../../imaging/mri_artefacts.h"
#include "../catch.h"

using namespace ratnet;

namespace {

IntensityAugmentation everything() {
  return {.gamma = 1.5,
          .gamma_chance = 1,
          .bias = 0.3,
          .bias_chance = 1,
          .blur = 1,
          .blur_chance = 1,
          .low_resolution = 2,
          .low_resolution_chance = 1,
          .ghosts = 0.3,
          .ghosts_chance = 1,
          .rician_noise = 0.1,
          .rician_noise_chance = 1,
          .gaussian_noise = 0.1,
          .gaussian_noise_chance = 1,
          .scale = 0.1,
          .offset = 0.1};
}

Tensor image(const Shape& shape, double low = 1) {
  Tensor t(shape, DType::f32);
  Random random(1);
  for (float& value : t.values<float>()) value = static_cast<float>(random.uniform(low, 2));
  return t;
}

Tensor changed(const IntensityAugmentation& options, const Tensor& from, std::uint64_t stream) {
  Tensor to = from.clone();
  Random random(2, stream);
  augment_intensity(options, to, random);
  return to;
}

bool same(const Tensor& a, const Tensor& b) {
  return std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

}  // namespace

TEST_CASE("no intensity augmentation is the identity to the bit, and each is repeatable") {
  CHECK(!IntensityAugmentation{}.any());
  for (const Shape& shape : {Shape{7, 5, 2}, Shape{3, 5, 7, 1}, Shape{1, 1, 1}}) {
    Tensor from = image(shape, -1);
    from.values<float>()[0] = -0.0f;
    for (std::uint64_t stream = 0; stream < 20; ++stream)
      CHECK(same(changed({}, from, stream), from));
    const Tensor positive = image(shape);
    CHECK(same(changed(everything(), positive, 1), changed(everything(), positive, 1)));
    CHECK(!same(changed(everything(), positive, 1), changed(everything(), positive, 2)));
  }
}

TEST_CASE("every change alone does something in its share of the images, and nothing else") {
  IntensityAugmentation options[9] = {{.gamma = 2, .gamma_chance = 0.3},
                                      {.bias = 0.5, .bias_chance = 0.3},
                                      {.blur = 2, .blur_chance = 0.3},
                                      {.low_resolution = 4, .low_resolution_chance = 0.3},
                                      {.ghosts = 1, .ghosts_chance = 0.3},
                                      {.rician_noise = 1, .rician_noise_chance = 0.3},
                                      {.gaussian_noise = 1, .gaussian_noise_chance = 0.3},
                                      {.scale = 0.5},
                                      {.offset = 0.5}};
  const Tensor from = image({9, 8, 1});
  for (std::size_t i = 0; i < 9; ++i) {
    INFO(i);
    CHECK(options[i].any());
    int touched = 0;
    for (std::uint64_t stream = 0; stream < 1000; ++stream)
      touched += !same(changed(options[i], from, stream), from);
    if (i >= 7)
      CHECK(touched == 1000);
    else
      CHECK(std::abs(touched - 300) < 60);
  }
}

TEST_CASE("channels draw for themselves but share the coil") {
  Tensor from({6, 5, 2}, DType::f32);
  const Tensor one = image({6, 5, 1});
  for (std::size_t i = 0; i < 30; ++i)
    from.values<float>()[2 * i] = from.values<float>()[2 * i + 1] = one.values<float>()[i];
  const auto alike = [&](const IntensityAugmentation& options) {
    const Tensor to = changed(options, from, 3);
    for (std::size_t i = 0; i < 30; ++i)
      if (to.values<float>()[2 * i] != to.values<float>()[2 * i + 1]) return false;
    return !same(to, from);
  };
  CHECK(alike({.bias = 0.5, .bias_chance = 1}));
  CHECK(!alike({.gamma = 2, .gamma_chance = 1}));
  CHECK(!alike({.gaussian_noise = 1, .gaussian_noise_chance = 1}));
  CHECK(!alike({.scale = 0.5}));
}

TEST_CASE("the draws of intensities do not depend on values") {
  const Tensor dark({6, 6, 1}, DType::f32);
  const Tensor bright = image({6, 6, 1});
  for (std::uint64_t stream = 0; stream < 20; ++stream) {
    Random one(4, stream), other(4, stream);
    Tensor a = dark.clone(), b = bright.clone();
    augment_intensity(everything(), a, one);
    augment_intensity(everything(), b, other);
    CHECK(one.bits() == other.bits());
  }
}

TEST_CASE("strengths are those asked for, in levels of the image") {
  Tensor from({40, 40, 1}, DType::f32);
  for (float& value : from.values<float>()) value = 50;
  double bias = 0, noise = 0, most_scale = 0;
  const int draws = 300;
  for (std::uint64_t stream = 0; stream < draws; ++stream) {
    const auto square = [&](const IntensityAugmentation& options, auto&& measure) {
      const Tensor to = changed(options, from, stream);
      double sum = 0;
      for (const float value : to.values<float>()) sum += std::pow(measure(value / 50.0), 2);
      return sum / 1600;
    };
    bias += square({.bias = 0.3, .bias_chance = 1}, [](double x) { return std::log(x); });
    noise +=
        square({.gaussian_noise = 0.2, .gaussian_noise_chance = 1}, [](double x) { return x - 1; });
    const float scaled = changed({.scale = 0.4}, from, stream).values<float>()[7];
    CHECK(scaled == changed({.scale = 0.4}, from, stream).values<float>()[1000]);
    most_scale = std::max(most_scale, std::abs(scaled / 50.0 - 1));
  }
  // Uniform up to s: a mean square of s^2 / 3.
  CHECK(bias / draws == Approx(0.03).epsilon(0.2));
  CHECK(noise / draws == Approx(0.04 / 3).epsilon(0.15));
  CHECK(most_scale <= 0.4 + 1e-6);
  CHECK(most_scale > 0.38);
}

TEST_CASE("magnitudes are asked for where the physics needs them") {
  const Tensor negative = image({5, 5, 1}, -1);
  CHECK_THROWS_AS(changed({.ghosts = 0.1}, negative, 1), Error);
  CHECK_THROWS_AS(changed({.rician_noise = 0.1}, negative, 1), Error);
  changed({.gaussian_noise = 0.1, .gaussian_noise_chance = 1}, negative, 1);
}

TEST_CASE("intensity augmentations that make no sense are refused") {
  check_augmentation(IntensityAugmentation{});
  check_augmentation(everything());
  using A = IntensityAugmentation;
  for (const A& wrong :
       {A{.gamma = 0.5}, A{.gamma_chance = 2}, A{.bias = -1}, A{.bias_order = 0},
        A{.bias_chance = NAN}, A{.blur = 65}, A{.blur_chance = -1}, A{.low_resolution = 0},
        A{.low_resolution_chance = 2}, A{.ghosts = NAN}, A{.ghost_period = 1}, A{.ghost_axis = 3},
        A{.ghosts_chance = 2}, A{.rician_noise = -1}, A{.rician_noise_chance = 2},
        A{.gaussian_noise = INFINITY}, A{.gaussian_noise_chance = 2}, A{.scale = 1},
        A{.offset = -1}})
    CHECK_THROWS_AS(check_augmentation(wrong), Error);
}
