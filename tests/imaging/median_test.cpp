#include "../../imaging/median.h"

#include <algorithm>
#include <vector>

#include "../../core/error.h"
#include "../../core/random.h"
#include "../catch.h"

using namespace ratnet;

namespace {

std::vector<float> naive_median(const std::vector<float>& image, std::int64_t rows,
                                std::int64_t columns, std::int64_t window) {
  std::vector<float> result;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column) {
      std::vector<float> values;
      for (std::int64_t y = row - window / 2; y <= row + window / 2; ++y)
        for (std::int64_t x = column - window / 2; x <= column + window / 2; ++x)
          values.push_back(
              image[static_cast<std::size_t>(std::clamp<std::int64_t>(y, 0, rows - 1) * columns +
                                             std::clamp<std::int64_t>(x, 0, columns - 1))]);
      std::sort(values.begin(), values.end());
      result.push_back(values[values.size() / 2]);
    }
  return result;
}

std::vector<float> median(const std::vector<float>& image, std::int64_t rows, std::int64_t columns,
                          std::int64_t window) {
  std::vector<float> result(image.size());
  median_filter(image, rows, columns, window, result);
  return result;
}

}  // namespace

TEST_CASE("the median filter is the middle of the sorted window") {
  Random random(3);
  for (const auto& [rows, columns] :
       {std::pair{1, 1}, {1, 7}, {5, 1}, {2, 3}, {13, 11}, {37, 64}, {64, 41}})
    for (const int window : {1, 3, 5, 9, 15, 71}) {
      // Distinct values of both signs, ties among few levels, and mostly zeros.
      for (const int kind : {0, 1, 2}) {
        std::vector<float> image(static_cast<std::size_t>(rows * columns));
        for (float& value : image) {
          value = static_cast<float>(random.normal());
          if (kind == 1) value = static_cast<float>(random.integer(4)) - 1;
          if (kind == 2 && random.chance(0.6)) value = 0;
        }
        if (window > 15 && rows > 13) continue;
        INFO(rows << " x " << columns << ", window " << window << ", kind " << kind);
        REQUIRE(median(image, rows, columns, window) == naive_median(image, rows, columns, window));
      }
    }
}

TEST_CASE("the median filter refuses what has no middle") {
  std::vector<float> image(12), result(12);
  CHECK_THROWS_AS(median_filter(image, 3, 4, 4, result), Error);
  CHECK_THROWS_AS(median_filter(image, 3, 4, 0, result), Error);
  CHECK_THROWS_AS(median_filter(image, 3, 4, 257, result), Error);
  CHECK_THROWS_AS(median_filter(image, 4, 4, 3, result), Error);
  CHECK_THROWS_AS(median_filter(image, 0, 0, 3, result), Error);
  CHECK_THROWS_AS(median_filter(image, std::int64_t{1} << 40, std::int64_t{1} << 40, 3, result),
                  Error);
  // One row of 2^18 pixels would be padded to 255 rows.
  std::vector<float> line(std::size_t{1} << 18), smooth(line.size());
  CHECK_THROWS_AS(median_filter(line, 1, std::ssize(line), 255, smooth), Error);
  result.pop_back();
  CHECK_THROWS_AS(median_filter(image, 3, 4, 3, result), Error);
}
