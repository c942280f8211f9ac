// Binary morphology and Otsu's threshold against their definitions.
#include "../../imaging/morphology.h"

#include <cmath>
#include <vector>

#include "../../core/error.h"
#include "../../core/random.h"
#include "../../imaging/otsu.h"
#include "../catch.h"

using namespace ratnet;

namespace {

using Image = std::vector<std::uint8_t>;

Image random_image(std::int64_t rows, std::int64_t columns, double density, Random& random) {
  Image image(static_cast<std::size_t>(rows * columns));
  for (auto& pixel : image) pixel = random.uniform() < density;
  return image;
}

// Pixels of which any (dilation) or all (erosion) neighbours within the image are inside.
Image naive(const Image& image, std::int64_t rows, std::int64_t columns, double radius, bool any) {
  Image result(image.size());
  for (std::int64_t y = 0; y < rows; ++y)
    for (std::int64_t x = 0; x < columns; ++x) {
      bool found = false, missing = false;
      for (std::int64_t v = 0; v < rows; ++v)
        for (std::int64_t u = 0; u < columns; ++u) {
          const auto dy = static_cast<double>(v - y), dx = static_cast<double>(u - x);
          if (dy * dy + dx * dx > radius * radius) continue;
          (image[static_cast<std::size_t>(v * columns + u)] != 0 ? found : missing) = true;
        }
      result[static_cast<std::size_t>(y * columns + x)] = any ? found : !missing;
    }
  return result;
}

}  // namespace

TEST_CASE("a disc dilates and erodes as it is defined, at the border too") {
  Random random(3, 1);
  for (const auto& [rows, columns] :
       {std::pair<std::int64_t, std::int64_t>{1, 1}, {1, 7}, {5, 1}, {13, 17}, {19, 33}})
    for (const double radius : {0.0, 1.0, 1.5, 2.0, 2.9, 5.0, 64.0})
      for (const double density : {0.02, 0.5, 0.97}) {
        const Image image = random_image(rows, columns, density, random);
        const Image wide = naive(image, rows, columns, radius, true);
        const Image thin = naive(image, rows, columns, radius, false);
        Image result = image;
        dilate_disc(result, rows, columns, radius);
        CHECK(result == wide);
        result = image;
        erode_disc(result, rows, columns, radius);
        CHECK(result == thin);
        result = image;
        close_disc(result, rows, columns, radius);
        CHECK(result == naive(wide, rows, columns, radius, false));
        for (std::size_t i = 0; i < image.size(); ++i) REQUIRE(result[i] >= image[i]);
        result = image;
        open_disc(result, rows, columns, radius);
        CHECK(result == naive(thin, rows, columns, radius, true));
        for (std::size_t i = 0; i < image.size(); ++i) REQUIRE(result[i] <= image[i]);
      }
}

TEST_CASE("holes are what no way across faces leads out of") {
  const auto image = [](const char* text) {
    Image pixels;
    for (; *text != 0; ++text) pixels.push_back(*text == '#');
    return pixels;
  };
  Image holes = image(
      "......."
      ".#####."
      ".#...#."
      ".#.#.#."
      ".#####."
      "..#.###"
      "..##.#."
      "###.###");
  fill_holes(holes, 8, 7);
  CHECK(holes == image("......."
                       ".#####."
                       ".#####."
                       ".#####."
                       ".#####."
                       "..#####"
                       "..####."
                       "###.###"));
  Image one{0};
  fill_holes(one, 1, 1);
  CHECK(one == Image{0});
}

TEST_CASE("morphology refuses sizes and discs that make no sense") {
  Image image(12);
  CHECK_THROWS_AS(dilate_disc(image, 3, 5, 1), Error);
  CHECK_THROWS_AS(fill_holes(image, -3, -4), Error);
  CHECK_THROWS_AS(erode_disc(image, 3, 4, -1), Error);
  CHECK(image == Image(12));  // as it was
  CHECK_THROWS_AS(erode_disc(image, 3, 4, 65), Error);
  CHECK_THROWS_AS(open_disc(image, 3, 4, std::nan("")), Error);
  CHECK(image == Image(12));
  // Whose product does not fit 64 bits.
  CHECK_THROWS_AS(dilate_disc(image, std::int64_t{1} << 62, 4, 1), Error);
}

TEST_CASE("Otsu's level parts two groups with the least variance within them") {
  Random random(5, 2);
  std::vector<float> values;
  for (int i = 0; i < 900; ++i)
    values.push_back(
        static_cast<float>(i % 3 == 0 ? 70 + 9 * random.normal() : 20 + 5 * random.normal()));
  const double low = 0, high = 100, level = otsu_threshold(values, low, high);
  // By the bins' numbers, as the histogram sees the values.
  const auto within = [&](double at) {
    double result = 0;
    for (const bool bright : {false, true}) {
      std::vector<double> group;
      for (const float value : values)
        if ((static_cast<double>(value) >= at) == bright)
          group.push_back(std::floor((static_cast<double>(value) - low) / (high - low) * 256));
      double mean = 0;
      for (const double x : group) mean += x / static_cast<double>(group.size());
      for (const double x : group) result += (x - mean) * (x - mean);
    }
    return result;
  };
  for (int bin = 1; bin < 256; ++bin) CHECK(within(level) <= within(bin * 100.0 / 256) + 1e-6);
  CHECK(level > 30);
  CHECK(level < 60);
  CHECK_THROWS_AS(otsu_threshold(values, 1, 1), Error);
}
