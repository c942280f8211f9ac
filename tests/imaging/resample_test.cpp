// Resampling by field of view.
#include "../../imaging/resample.h"

#include <cmath>
#include <numeric>

#include "../../core/random.h"
#include "../../imaging/empty.h"
#include "../catch.h"

using namespace ratnet;

namespace {

std::vector<float> noise(std::int64_t n, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(static_cast<std::size_t>(n));
  for (float& value : values) value = static_cast<float>(random.uniform(1, 2));
  return values;
}

}  // namespace

TEST_CASE("a slice of the grid's size is copied bit for bit") {
  const auto slice = noise(64 * 48, 1);
  // Square, or as square as headers round it: 0.4% of 64 pixels are a quarter of one.
  for (const double spacing : {0.5, 0.498, 0.502}) {
    const Tensor same = resample_slice(
        slice, {.rows = 64, .columns = 48, .row_spacing = spacing, .column_spacing = 0.5}, 64, 48);
    CHECK(std::equal(slice.begin(), slice.end(), same.values<float>().begin()));
  }
}

TEST_CASE("pixels that are not square are resampled at the grid's size as at any other") {
  // Columns twice as wide as rows are high: the width fills the grid, the height half of it.
  const std::vector<float> slice(64 * 64, 7.0f);
  const SliceGrid wide{64, 64, 1, 2};
  CHECK_FALSE(SliceResampler(wide, 64, 64).copies());
  CHECK(SliceResampler({64, 64, 2, 2}, 64, 64).copies());
  CHECK_FALSE(SliceResampler({64, 64, 0.51, 0.5}, 64, 64).copies());
  const Tensor result = resample_slice(slice, wide, 64, 64);
  for (std::size_t row = 0; row < 64; ++row)
    for (std::size_t column = 0; column < 64; ++column)
      CHECK(result.values<float>()[row * 64 + column] ==
            Approx(row >= 16 && row < 48 ? 7 : 0).margin(1e-5));
}

TEST_CASE("a constant slice stays constant inside its field of view and is zero outside") {
  struct Case {
    SliceGrid from;
    std::int64_t first_row, last_row, first_column, last_column;  // of the field of view
  };
  const Case cases[] = {{{128, 128, 0.25, 0.25}, 0, 63, 0, 63}, {{32, 32, 1, 1}, 0, 63, 0, 63},
                        {{90, 70, 0.3, 0.3}, 0, 63, 7, 56},     {{24, 70, 5, 5}, 21, 42, 0, 63},
                        {{32, 64, 3, 3}, 16, 47, 0, 63},        {{64, 32, 1, 2}, 0, 63, 0, 63},
                        {{100, 100, 1, 0.5}, 0, 63, 16, 47},    {{1, 1, 1, 1}, 0, 63, 0, 63}};
  for (const Case& c : cases) {
    INFO(c.from.rows << " x " << c.from.columns);
    const std::vector<float> slice(static_cast<std::size_t>(c.from.rows * c.from.columns), 7.0f);
    const Tensor result = resample_slice(slice, c.from, 64, 64);
    for (std::int64_t row = 0; row < 64; ++row)
      for (std::int64_t column = 0; column < 64; ++column) {
        const bool inside = row >= c.first_row && row <= c.last_row && column >= c.first_column &&
                            column <= c.last_column;
        CHECK(result.values<float>()[static_cast<std::size_t>(row * 64 + column)] ==
              Approx(inside ? 7 : 0).margin(1e-5));
      }
  }
}

TEST_CASE("halving takes the mean of four pixels") {
  const auto slice = noise(128 * 128, 2);
  const Tensor result = resample_slice(slice, {128, 128, 0.3, 0.3}, 64, 64);
  for (std::size_t row = 0; row < 64; ++row)
    for (std::size_t column = 0; column < 64; ++column) {
      const float* p = &slice[row * 256 + column * 2];
      CHECK(result.values<float>()[row * 64 + column] ==
            Approx((p[0] + p[1] + p[128] + p[129]) / 4).epsilon(1e-6));
    }
}

TEST_CASE("shrinking keeps the mean and loses what the grid cannot hold") {
  const auto slice = noise(97 * 97, 3);
  const Tensor result = resample_slice(slice, {97, 97, 1, 1}, 64, 64);
  const auto values = result.values<float>();
  const double before = std::accumulate(slice.begin(), slice.end(), 0.0) / (97 * 97);
  const double after = std::accumulate(values.begin(), values.end(), 0.0) / (64 * 64);
  CHECK(after == Approx(before).epsilon(1e-5));

  // A chequerboard of single pixels, far beyond the grid's resolution, must turn grey.
  std::vector<float> board(256 * 256);
  for (std::size_t i = 0; i < board.size(); ++i) board[i] = (i / 256 + i) % 2 ? 1.0f : 0.0f;
  const Tensor grey = resample_slice(board, {256, 256, 1, 1}, 60, 60);
  for (const float value : grey.values<float>()) CHECK(std::abs(value - 0.5) < 0.04);
}

TEST_CASE("a slope keeps its place, enlarged or shrunk") {
  for (const std::int64_t n : {20, 50, 100, 200}) {
    INFO(n);
    std::vector<float> slice(static_cast<std::size_t>(n * n));
    for (std::int64_t i = 0; i < n * n; ++i)
      slice[static_cast<std::size_t>(i)] =
          static_cast<float>((static_cast<double>(i % n) + 0.5) / static_cast<double>(n));
    const Tensor result = resample_slice(slice, {n, n, 0.5, 0.5}, 64, 64);
    // Away from the border, where enlarging keeps the outermost value.
    for (std::size_t column = 3; column < 61; ++column)
      CHECK(result.values<float>()[32 * 64 + column] ==
            Approx((static_cast<double>(column) + 0.5) / 64).margin(2e-3));
  }
}

TEST_CASE("left and right, up and down are treated alike") {
  const auto slice = noise(45 * 77, 4);
  std::vector<float> turned(slice.rbegin(), slice.rend());
  const SliceGrid grid{45, 77, 0.4, 0.3};
  const Tensor one = resample_slice(slice, grid, 64, 64),
               other = resample_slice(turned, grid, 64, 64);
  for (std::size_t i = 0; i < 64 * 64; ++i)
    CHECK(one.values<float>()[i] ==
          Approx(other.values<float>()[64 * 64 - 1 - i]).epsilon(1e-4).margin(1e-5));
}

TEST_CASE("the result's spacing tells the scale, and run() equals resample_slice()") {
  const SliceResampler resampler({24, 70, 5, 5}, 64, 64);
  CHECK(resampler.to().row_spacing == Approx(350.0 / 64));
  CHECK(resampler.to().column_spacing == Approx(350.0 / 64));
  const auto slice = noise(24 * 70, 5);
  std::vector<float> result(64 * 64, NAN), scratch(resampler.scratch_size(), NAN);
  resampler.run(slice, result, scratch);
  const Tensor expected = resample_slice(slice, resampler.from(), 64, 64);
  CHECK(std::equal(result.begin(), result.end(), expected.values<float>().begin()));
  result.pop_back();
  CHECK_THROWS_AS(resampler.run(slice, result, scratch), Error);
}

TEST_CASE("fields of view that make no picture are refused") {
  CHECK_THROWS_AS(SliceResampler({0, 5, 1, 1}, 64, 64), Error);
  CHECK_THROWS_AS(SliceResampler({5, 5, 0, 1}, 64, 64), Error);
  CHECK_THROWS_AS(SliceResampler({5, 5, 1, NAN}, 64, 64), Error);
  CHECK_THROWS_AS(SliceResampler({5, 5, 1e300, 1e-300}, 64, 64), Error);
  CHECK_THROWS_AS(SliceResampler({5, 5, 1, 100}, 64, 64), Error);
  CHECK_THROWS_AS(SliceResampler({64, 64, 0, 0}, 64, 64), Error);
}

TEST_CASE("empty slices") {
  std::vector<float> slice(100, 0.0f);
  CHECK(is_empty_slice(slice));
  slice.assign(100, 5.0f);
  CHECK(is_empty_slice(slice));
  slice[99] = 6;
  CHECK_FALSE(is_empty_slice(slice));
  slice.assign(100, NAN);
  CHECK(is_empty_slice(slice));
  slice[3] = 1;
  CHECK(is_empty_slice(slice));
  slice[4] = 2;
  CHECK_FALSE(is_empty_slice(slice));
}
