// Known fields drawn over made heads are found again.
#include "../../apps/anomaly/bias_field.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../../apps/anomaly/prepare.h"
#include "../../apps/anomaly/subject_slices.h"
#include "../../core/quantile.h"
#include "../catch.h"
#include "head_stack.h"
#include "subject_maker.h"

using namespace ratnet;

namespace {

// Two tissues in folds, with noise.
PreparedSubject folded_subject(std::int64_t slices) {
  Random random(4);
  return made_subject(slices, [&](std::int64_t, std::int64_t y, std::int64_t x) {
    const double fold = std::sin(static_cast<double>(x) / 5) * std::cos(static_cast<double>(y) / 7);
    return (fold > 0 ? 100.0 : 70.0) + random.normal(0, 2);
  });
}

// Its logarithm: what the polynomial of bias_field.h can be.
double field_at(std::int64_t s, std::int64_t row, std::int64_t column, std::int64_t slices) {
  const double x = static_cast<double>(column) / 64 - 1, y = static_cast<double>(row) / 64 - 1,
               z = 2 * static_cast<double>(s) / static_cast<double>(slices) - 1;
  return 0.6 * x - 0.4 * y + 0.3 * x * x + 0.2 * x * y - 0.5 * y * y + 0.2 * x * z;
}

template <class Field>
void shade(Tensor& images, const Field& field) {
  for (std::int64_t s = 0; s < images.shape()[0]; ++s)
    for (std::int64_t y = 0; y < kJudgedSize; ++y)
      for (std::int64_t x = 0; x < kJudgedSize; ++x)
        images.values<float>()[voxel(s, y, x)] *= static_cast<float>(std::exp(field(s, y, x)));
}

// Deviation over the brain of the logarithm of what two stacks differ by.
double spread(const Tensor& images, const Tensor& other, const Tensor& brain) {
  double sum = 0, squares = 0, n = 0;
  for (std::size_t i = 0; i < brain.values<std::uint8_t>().size(); ++i) {
    if (!brain.values<std::uint8_t>()[i]) continue;
    const double log = std::log(static_cast<double>(images.values<float>()[i]) /
                                static_cast<double>(other.values<float>()[i]));
    sum += log;
    squares += log * log;
    ++n;
  }
  return std::sqrt(std::max(0., squares / n - sum / n * sum / n));
}

// Of the logarithm of the field that was taken out of field_at(), over the brain: what is left.
double median_ratio(const Tensor& images, const PreparedSubject& head) {
  const std::int64_t slices = images.shape()[0];
  std::vector<double> drawn, found;
  for (std::int64_t s = 0; s < slices; ++s)
    for (std::int64_t y = 0; y < kJudgedSize; ++y)
      for (std::int64_t x = 0; x < kJudgedSize; ++x) {
        const std::size_t i = voxel(s, y, x);
        if (!head.brain.values<std::uint8_t>()[i]) continue;
        drawn.push_back(field_at(s, y, x, slices));
        found.push_back(drawn.back() -
                        std::log(static_cast<double>(images.values<float>()[i]) /
                                 static_cast<double>(head.images.values<float>()[i])));
      }
  return quantile(found, 0.5);
}

}  // namespace

TEST_CASE("a field drawn over a head is taken out of it") {
  const std::int64_t slices = GENERATE(1, 12);
  PreparedSubject head = folded_subject(slices);
  const std::size_t outside = voxel(0, 5, 100);
  REQUIRE(head.brain.values<std::uint8_t>()[outside] == 0);
  head.images.values<float>()[outside] = 40;
  Tensor images = head.images.clone();
  shade(images, [&](auto s, auto y, auto x) { return field_at(s, y, x, slices); });
  REQUIRE(spread(images, head.images, head.brain) > 0.15);
  CHECK(remove_bias_field(images, head.brain, {.usual = 0}));
  CHECK(spread(images, head.images, head.brain) < 0.02);
  CHECK(std::abs(median_ratio(images, head)) < 0.02);  // of the drawn field it is not 0
  // The field goes on outside of the brain: what is left is the same factor everywhere.
  const auto left = [&](std::size_t i) {
    return images.values<float>()[i] / head.images.values<float>()[i];
  };
  CHECK(left(outside) == Approx(left(voxel(0, 64, 64))).epsilon(0.05));
  // A bright lesion of a third of the brain hardly moves it.
  PreparedSubject ill = folded_subject(slices);
  for (std::int64_t s = 0; s < slices; ++s) plant(ill, s, 63, 40, 30, 60.0f);
  Tensor shaded = ill.images.clone();
  shade(shaded, [&](auto s, auto y, auto x) { return field_at(s, y, x, slices); });
  CHECK(remove_bias_field(shaded, ill.brain, {.usual = 0}));
  CHECK(spread(shaded, ill.images, ill.brain) < 0.06);
}

TEST_CASE("what may be no field is left where it is") {
  const PreparedSubject head = folded_subject(6);
  const auto same = [&](const Tensor& images) {
    return std::ranges::equal(images.values<float>(), head.images.values<float>());
  };
  Tensor images = head.images.clone();
  CHECK_FALSE(remove_bias_field(images, head.brain));
  CHECK(same(images));
  // Of a strong one nearly all is taken out, less of a weak one.
  const auto left = [&](double strength) {
    Tensor shaded = head.images.clone();
    shade(shaded, [&](auto s, auto y, auto x) { return strength * field_at(s, y, x, 6); });
    const double before = spread(shaded, head.images, head.brain);
    remove_bias_field(shaded, head.brain);
    return spread(shaded, head.images, head.brain) / before;
  };
  CHECK(left(1) < 0.1);
  CHECK(left(0.4) > 0.25);
  CHECK(left(0.4) < 0.9);
  CHECK(left(0.2) > 0.95);
  Tensor strong = head.images.clone();
  shade(strong, [&](auto s, auto y, auto x) { return field_at(s, y, x, 6); });
  const Tensor before = strong.clone();
  CHECK_FALSE(remove_bias_field(strong, head.brain, {.strongest = 0}));
  const Tensor none(head.brain.shape(), DType::u8);
  CHECK_FALSE(remove_bias_field(strong, none));
  CHECK(std::ranges::equal(strong.values<float>(), before.values<float>()));
  // No factor is stronger than that.
  CHECK(remove_bias_field(strong, head.brain, {.strongest = 0.1}));
  for (std::size_t i = 0; i < strong.values<float>().size(); ++i)
    if (const float was = before.values<float>()[i]; was > 0)
      REQUIRE(std::abs(std::log(strong.values<float>()[i] / was)) < 0.1001f);
}

TEST_CASE("a field does not depend on the unit, nor on where magnitudes begin") {
  const PreparedSubject head = folded_subject(70);  // more slices than are compared
  Tensor images = head.images.clone();
  shade(images, [&](auto s, auto y, auto x) { return field_at(s, y, x, 70); });
  Tensor other = images.clone();
  for (float& value : other.values<float>()) value = value / 16 - 5;
  CHECK(remove_bias_field(images, head.brain));
  CHECK(remove_bias_field(other, head.brain));
  float furthest = 0;
  for (std::size_t i = 0; i < images.values<float>().size(); ++i)
    furthest = std::max(furthest,
                        std::abs(images.values<float>()[i] - 16 * (other.values<float>()[i] + 5)));
  CHECK(furthest < 0.05f);
}

TEST_CASE("what cannot be shaded stays, and nothing leaves f32") {
  PreparedSubject head = folded_subject(2);
  shade(head.images, [](auto s, auto y, auto x) { return field_at(s, y, x, 2); });
  Tensor few(head.brain.shape(), DType::u8);
  std::fill_n(few.values<std::uint8_t>().begin() + kJudgedSize * kJudgedSize / 2, 400,
              std::uint8_t{1});
  CHECK_FALSE(remove_bias_field(head.images, few));
  Tensor flat(head.brain.shape(), DType::f32);
  CHECK_FALSE(remove_bias_field(flat, head.brain));
  for (float& value : flat.values<float>()) value = 7;
  CHECK_FALSE(remove_bias_field(flat, head.brain, {.usual = 0}));
  for (const std::size_t corner : {voxel(0, 0, 0), voxel(0, 127, 127), voxel(0, 0, 127)})
    head.images.values<float>()[corner] = std::numeric_limits<float>::max();
  CHECK(remove_bias_field(head.images, head.brain));
  for (const float value : head.images.values<float>()) REQUIRE(std::isfinite(value));
}

TEST_CASE("numbers and shapes that make no field are refused") {
  PreparedSubject head = folded_subject(1);
  for (const BiasFieldOptions& options :
       {BiasFieldOptions{.strongest = -1}, BiasFieldOptions{.usual = std::nan("")},
        BiasFieldOptions{.rim = 31}, BiasFieldOptions{.smoothing = -1},
        BiasFieldOptions{.least_level = 0}, BiasFieldOptions{.tolerance = 0}})
    CHECK_THROWS_AS(remove_bias_field(head.images, head.brain, options), Error);
  Tensor small({1, 64, 64}, DType::f32);
  CHECK_THROWS_AS(remove_bias_field(small, head.brain), Error);
}

TEST_CASE("a shaded head is prepared nearly as it is without the shading") {
  const HeadStack head = head_stack(24, 5);
  Tensor shaded = head.images.clone();
  shade(shaded, [](auto s, auto y, auto x) { return 0.7 * field_at(s, y, x, 24); });
  const auto difference = [&](const PreparationOptions& options) {
    const PreparedSubject plain = prepare_subject({.name = "a", .images = head.images}, options);
    const PreparedSubject other = prepare_subject({.name = "b", .images = shaded}, options);
    double sum = 0, n = 0;
    for (std::size_t i = 0; i < plain.images.values<float>().size(); ++i)
      if (plain.brain.values<std::uint8_t>()[i]) {
        sum += static_cast<double>(
            std::abs(plain.images.values<float>()[i] - other.images.values<float>()[i]));
        ++n;
      }
    return sum / n;
  };
  PreparationOptions without;
  without.bias_field.strongest = 0;
  CHECK(difference({}) < difference(without) / 2);
}
