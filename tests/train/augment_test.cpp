#include "../../train/augment.h"

#include <cmath>

#include "../../core/tensor.h"
#include "../catch.h"

using namespace ratnet;

namespace {

constexpr std::int64_t kHeight = 9, kWidth = 7, kChannels = 2;

Tensor image() {
  Tensor t({kHeight, kWidth, kChannels}, DType::f32);
  for (std::int64_t i = 0; i < t.count(); ++i)
    t.values<float>()[static_cast<std::size_t>(i)] = static_cast<float>(1 + i % 97);
  return t;
}

Tensor changed(const Augmentation& options, const Tensor& from, std::uint64_t stream) {
  Tensor to(from.shape(), DType::f32);
  Random random(11, stream);
  augment(options, from.view(), to.view(), random);
  return to;
}

float at(const Tensor& t, std::int64_t y, std::int64_t x, std::int64_t c) {
  if (y < 0 || y >= kHeight || x < 0 || x >= kWidth) return 0;
  return t.values<float>()[static_cast<std::size_t>((y * kWidth + x) * kChannels + c)];
}

bool same(const Tensor& a, const Tensor& b) {
  return std::equal(a.values<float>().begin(), a.values<float>().end(), b.values<float>().begin());
}

// Whether `b` is `a` moved by (down, right), mirrored or not, with zeros moving in.
bool is_moved(const Tensor& a, const Tensor& b, std::int64_t down, std::int64_t right, bool flip) {
  for (std::int64_t y = 0; y < kHeight; ++y)
    for (std::int64_t x = 0; x < kWidth; ++x)
      for (std::int64_t c = 0; c < kChannels; ++c)
        if (at(b, y, x, c) != at(a, y - down, (flip ? kWidth - 1 - x : x) - right, c)) return false;
  return true;
}

}  // namespace

TEST_CASE("no augmentation changes nothing, and each is repeatable") {
  const Tensor from = image();
  CHECK(!Augmentation{}.any());
  CHECK(same(changed({}, from, 1), from));
  const Augmentation all{
      .shift = 2, .subpixel = true, .flip_left_right = true, .gain = 0.2, .noise = 1};
  CHECK(all.any());
  CHECK(same(changed(all, from, 1), changed(all, from, 1)));
  CHECK(!same(changed(all, from, 1), changed(all, from, 2)));
}

TEST_CASE("whole shifts and mirroring move pixels exactly, to every place equally often") {
  const Tensor from = image();
  int found[2][5][5] = {};
  const int draws = 2000;
  for (int i = 0; i < draws; ++i) {
    const Tensor to =
        changed({.shift = 2, .flip_left_right = true}, from, static_cast<std::uint64_t>(i));
    int matches = 0;
    for (int flip = 0; flip < 2; ++flip)
      for (int down = -2; down <= 2; ++down)
        for (int right = -2; right <= 2; ++right)
          if (is_moved(from, to, down, right, flip == 1)) {
            ++matches;
            ++found[flip][down + 2][right + 2];
          }
    REQUIRE(matches == 1);
  }
  for (const auto& flip : found)
    for (const auto& row : flip)
      for (const int count : row) CHECK(std::abs(count - draws / 50) < 30);
}

TEST_CASE("sub-pixel shifts interpolate and keep the sum of what stays inside") {
  Tensor from({9, 7, 1}, DType::f32);
  from.values<float>()[4 * 7 + 3] = 1;
  double rows = 0, columns = 0, squares = 0;
  const int draws = 2000;
  for (int i = 0; i < draws; ++i) {
    const Tensor to = changed({.shift = 2, .subpixel = true}, from, static_cast<std::uint64_t>(i));
    double sum = 0, y_mean = 0, x_mean = 0;
    for (std::int64_t k = 0; k < 63; ++k) {
      const double value = to.values<float>()[static_cast<std::size_t>(k)];
      sum += value;
      y_mean += value * static_cast<double>(k / 7 - 4);
      x_mean += value * static_cast<double>(k % 7 - 3);
    }
    REQUIRE(sum == Approx(1).epsilon(1e-5));
    REQUIRE(std::abs(y_mean) <= 2.0001);
    REQUIRE(std::abs(x_mean) <= 2.0001);
    rows += y_mean;
    columns += x_mean;
    squares += y_mean * y_mean;
  }
  CHECK(std::abs(rows / draws) < 0.1);
  CHECK(std::abs(columns / draws) < 0.1);
  CHECK(squares / draws == Approx(4.0 / 3).epsilon(0.1));  // uniform on [-2, 2]
}

TEST_CASE("gain and noise have the size asked for") {
  Tensor from({50, 50, 1}, DType::f32);
  for (float& value : from.values<float>()) value = 10;
  double least = 2, most = 0;
  for (std::uint64_t i = 0; i < 500; ++i) {
    const double gain = changed({.gain = 0.3}, from, i).values<float>()[0] / 10;
    least = std::min(least, gain);
    most = std::max(most, gain);
  }
  CHECK(least >= 0.7 - 1e-6);
  CHECK(least < 0.72);
  CHECK(most <= 1.3 + 1e-6);
  CHECK(most > 1.28);
  const Tensor noisy = changed({.noise = 2}, from, 1);
  double mean = 0, squares = 0;
  for (const float value : noisy.values<float>()) {
    mean += (value - 10) / 2500;
    squares += (value - 10) * (value - 10) / 2500;
  }
  CHECK(std::abs(mean) < 0.2);
  CHECK(std::sqrt(squares) == Approx(2).epsilon(0.1));
}

TEST_CASE("an augmentation that makes no sense is refused") {
  check_augmentation({});
  for (const Augmentation& wrong :
       {Augmentation{.shift = -1}, Augmentation{.shift = std::nan("")}, Augmentation{.gain = 1},
        Augmentation{.gain = -0.1}, Augmentation{.noise = -1}})
    CHECK_THROWS_AS(check_augmentation(wrong), Error);
}
