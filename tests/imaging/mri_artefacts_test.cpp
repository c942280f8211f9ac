// Shading, blur, thick voxels, ghosts and noise against their definitions.
#include "../../imaging/mri_artefacts.h"

#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>

#include "../catch.h"

using namespace ratnet;

namespace {

constexpr double kPi = std::numbers::pi;

std::vector<float> noise(const Size3& size, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(size[0] * size[1] * size[2]));
  for (float& value : values) value = static_cast<float>(random.uniform(1, 2));
  return values;
}

std::vector<float> line(std::span<const float> values) { return {values.begin(), values.end()}; }

// |inverse DFT of (DFT times exp(i phase cos(2 pi k / period)))|, every sum written out.
std::vector<double> modulated(std::span<const float> x, int period, double phase) {
  const std::size_t n = x.size();
  const auto turn = [&](std::size_t k, std::size_t i) {
    return 2 * kPi * static_cast<double>(k * i % n) / static_cast<double>(n);
  };
  std::vector<std::complex<double>> lines(n);
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t i = 0; i < n; ++i)
      lines[k] += std::polar(static_cast<double>(x[i]), -turn(k, i));
    lines[k] *= std::polar(1.0, phase * std::cos(2 * kPi * static_cast<double>(k) / period));
  }
  std::vector<double> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    std::complex<double> sum = 0;
    for (std::size_t k = 0; k < n; ++k) sum += lines[k] * std::polar(1.0, turn(k, i));
    out[i] = std::abs(sum) / static_cast<double>(n);
  }
  return out;
}

}  // namespace

TEST_CASE("a bias field is the exponential of its cosines") {
  for (const Size3 size : {Size3{3, 5, 7}, Size3{1, 5, 4}, Size3{1, 1, 6}}) {
    const int order = 3;
    const std::int64_t terms = bias_field_terms(size, order);
    CHECK(terms == (size[0] > 1 ? 19 : size[1] > 1 ? 9 : 3));
    Random random(1);
    std::vector<double> coefficients(static_cast<std::size_t>(terms));
    for (double& x : coefficients) x = random.normal(0, 0.2);
    const std::vector<float> before = noise(size, 2);
    std::vector<float> after = before;
    multiply_bias_field(after, size, order, coefficients);
    std::size_t voxel = 0;
    for (std::int64_t d = 0; d < size[0]; ++d)
      for (std::int64_t h = 0; h < size[1]; ++h)
        for (std::int64_t w = 0; w < size[2]; ++w, ++voxel) {
          const std::int64_t at[] = {d, h, w};
          double log_field = 0;
          std::size_t term = 0;
          for (int i = 0; i <= order; ++i)
            for (int j = 0; j <= order; ++j)
              for (int k = 0; k <= order; ++k) {
                const int orders[] = {i, j, k};
                bool there = i + j + k > 0 && i + j + k <= order;
                double product = 1;
                for (std::size_t n = 0; n < 3; ++n) {
                  if (orders[n] == 0) continue;
                  there = there && size[n] > 1;
                  product *= std::sqrt(2.0) *
                             std::cos(kPi * orders[n] * (static_cast<double>(at[n]) + 0.5) /
                                      static_cast<double>(size[n]));
                }
                if (there) log_field += coefficients[term++] * product;
              }
          REQUIRE(term == coefficients.size());
          REQUIRE(after[voxel] == Approx(before[voxel] * std::exp(log_field)).epsilon(1e-5));
        }
  }
  CHECK(bias_field_terms({1, 1, 1}, 3) == 0);
  std::vector<float> few(6);
  CHECK_THROWS_AS(multiply_bias_field(few, {1, 2, 3}, 1, std::vector<double>(3)), Error);
  CHECK_THROWS_AS(multiply_bias_field(few, {1, 2, 2}, 1, std::vector<double>(2)), Error);
  CHECK_THROWS_AS(bias_field_terms({1, 2, 3}, 0), Error);
  CHECK_THROWS_AS(bias_field_terms({1, 2, 3}, 9), Error);
}

TEST_CASE("gamma keeps the range and bends what lies between") {
  std::vector<float> scan = {10, 20, 15, 12.5f};
  change_gamma(scan, 2);
  CHECK(scan == std::vector<float>{10, 20, 12.5f, 10.625f});
  std::vector<float> flat(5, -3);
  change_gamma(flat, 2);
  CHECK(flat == std::vector<float>(5, -3));
  CHECK_THROWS_AS(change_gamma(scan, 0), Error);
  CHECK_THROWS_AS(change_gamma(scan, NAN), Error);
}

TEST_CASE("a blur is the Gaussian, with the border's value beyond it") {
  const Size3 size{3, 5, 7};
  const double sigma = GENERATE(0.4, 1.3, 5.0);
  const std::vector<float> before = noise(size, 3);
  std::vector<float> after = before;
  blur_gaussian(after, size, sigma);
  const auto reach = static_cast<std::int64_t>(std::ceil(4 * sigma));
  const auto inside = [](std::int64_t i, std::int64_t n) {
    return std::clamp<std::int64_t>(i, 0, n - 1);
  };
  for (const Size3 at : {Size3{0, 0, 0}, Size3{1, 2, 3}, Size3{2, 4, 6}, Size3{0, 3, 6}}) {
    double sum = 0, weights = 0;
    for (std::int64_t d = -reach; d <= reach; ++d)
      for (std::int64_t h = -reach; h <= reach; ++h)
        for (std::int64_t w = -reach; w <= reach; ++w) {
          const double weight =
              std::exp(-static_cast<double>(d * d + h * h + w * w) / (2 * sigma * sigma));
          weights += weight;
          sum += weight *
                 before[static_cast<std::size_t>(
                     (inside(at[0] + d, 3) * 5 + inside(at[1] + h, 5)) * 7 + inside(at[2] + w, 7))];
        }
    CHECK(after[static_cast<std::size_t>((at[0] * 5 + at[1]) * 7 + at[2])] ==
          Approx(sum / weights).epsilon(1e-5));
  }
  std::vector<float> single{7};
  blur_gaussian(single, {1, 1, 1}, sigma);
  CHECK(single[0] == 7);
  CHECK_THROWS_AS(blur_gaussian(single, {1, 1, 1}, -1), Error);
  CHECK_THROWS_AS(blur_gaussian(single, {1, 1, 2}, 1), Error);
}

TEST_CASE("low resolution takes means and interpolates between them") {
  std::vector<float> scan = {1, 3, 5, 7, 2, 6};
  lower_resolution(scan, {1, 1, 6}, 2, 2);  // means 2, 6, 4, centres at 0.5, 2.5, 4.5
  CHECK(scan == std::vector<float>{2, 3, 5, 5.5f, 4.5f, 4});

  // Five voxels of which three are made: 5/3 long each.
  scan = {3, 6, 9, 12, 15};
  lower_resolution(scan, {5, 1, 1}, 0, 1.67);
  const double a = (3 + 6 * 2.0 / 3) / (5.0 / 3), b = (6.0 / 3 + 9 + 12.0 / 3) / (5.0 / 3),
               c = (12 * 2.0 / 3 + 15) / (5.0 / 3);
  const double wanted[] = {a, 0.6 * a + 0.4 * b, b, 0.4 * b + 0.6 * c, c};
  for (std::size_t i = 0; i < 5; ++i) CHECK(scan[i] == Approx(wanted[i]).epsilon(1e-5));

  std::vector<float> whole = noise({2, 3, 4}, 4);
  const std::vector<float> kept = whole;
  for (std::size_t axis = 0; axis < 3; ++axis) lower_resolution(whole, {2, 3, 4}, axis, 1.05);
  CHECK(whole == kept);
  lower_resolution(whole, {2, 3, 4}, 1, 50);  // one voxel is left: the mean of each line
  for (std::size_t i = 0; i < 24; ++i) {
    const std::size_t first = i / 12 * 12 + i % 4;
    CHECK(whole[i] == Approx((kept[first] + kept[first + 4] + kept[first + 8]) / 3));
  }
  CHECK_THROWS_AS(lower_resolution(whole, {2, 3, 4}, 3, 2), Error);
  CHECK_THROWS_AS(lower_resolution(whole, {2, 3, 4}, 1, 0.5), Error);
  CHECK_THROWS_AS(lower_resolution(whole, {2, 3, 5}, 1, 2), Error);
}

TEST_CASE("ghosts are what k-space makes of a periodic phase error") {
  const int period = GENERATE(2, 3, 4, 8);
  const double phase = GENERATE(0.1, 0.7);
  const std::vector<float> before = noise({2, 24, 3}, 5);
  std::vector<float> after = before;
  add_ghosts(after, {2, 24, 3}, 1, period, phase);
  for (std::size_t d = 0; d < 2; ++d)
    for (std::size_t w = 0; w < 3; ++w) {
      std::vector<float> one(24);
      for (std::size_t h = 0; h < 24; ++h) one[h] = before[(d * 24 + h) * 3 + w];
      const std::vector<double> wanted = modulated(one, period, phase);
      for (std::size_t h = 0; h < 24; ++h)
        REQUIRE(after[(d * 24 + h) * 3 + w] == Approx(wanted[h]).epsilon(1e-5));
    }
}

TEST_CASE("ghosts of a point lie half a field of view away, between voxels if need be") {
  std::vector<float> point(8);
  point[1] = 1;
  add_ghosts(point, {1, 1, 8}, 2, 2, 0.3);
  for (std::size_t i = 0; i < 8; ++i)
    CHECK(point[i] == Approx(i == 1 ? std::cos(0.3) : i == 5 ? std::sin(0.3) : 0).margin(1e-6));
  std::vector<float> odd(7);
  odd[1] = 1;
  add_ghosts(odd, {7, 1, 1}, 0, 2, 0.3);
  CHECK(odd[1] == Approx(std::cos(0.3)));
  CHECK(odd[4] == Approx(std::sin(0.3) / 2));
  CHECK(odd[5] == Approx(std::sin(0.3) / 2));
  const std::vector<float> before = line(odd);
  add_ghosts(odd, {7, 1, 1}, 0, 2, 0);
  add_ghosts(odd, {7, 1, 1}, 1, 2, 1);
  CHECK(odd == before);
  CHECK_THROWS_AS(add_ghosts(odd, {7, 1, 1}, 0, 1, 1), Error);
  CHECK_THROWS_AS(add_ghosts(odd, {7, 1, 1}, 0, 17, 1), Error);
  CHECK_THROWS_AS(add_ghosts(odd, {7, 1, 1}, 3, 2, 1), Error);
  CHECK_THROWS_AS(add_ghosts(odd, {7, 1, 1}, 0, 2, NAN), Error);
}

TEST_CASE("noise has its distribution") {
  const auto moments = [](std::span<const float> values) {
    double mean = 0, square = 0;
    for (const float value : values) {
      mean += value;
      square += static_cast<double>(value) * value;
    }
    const auto n = static_cast<double>(values.size());
    return std::pair{mean / n, square / n};
  };
  Random random(6);
  std::vector<float> scan(40000, 10);
  add_gaussian_noise(scan, 2, random);
  auto [mean, square] = moments(scan);
  CHECK(mean == Approx(10).margin(0.05));
  CHECK(square - mean * mean == Approx(4).epsilon(0.03));

  // Where there is no signal magnitudes are of Rayleigh's distribution: mean sigma sqrt(pi / 2).
  scan.assign(40000, 0);
  add_rician_noise(scan, 2, random);
  std::tie(mean, square) = moments(scan);
  CHECK(mean == Approx(2 * std::sqrt(kPi / 2)).epsilon(0.01));
  CHECK(square == Approx(8).epsilon(0.03));
  // Elsewhere the mean square is A^2 + 2 sigma^2.
  scan.assign(40000, 3);
  add_rician_noise(scan, 2, random);
  CHECK(moments(scan).second == Approx(17).epsilon(0.03));
  CHECK_THROWS_AS(add_rician_noise(scan, -1, random), Error);
  CHECK_THROWS_AS(add_gaussian_noise(scan, NAN, random), Error);
}
