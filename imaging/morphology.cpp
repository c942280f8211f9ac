#include "morphology.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kWidest = 64;

void check_image(std::span<const std::uint8_t> image, std::int64_t rows, std::int64_t columns) {
  const auto pixels = static_cast<std::int64_t>(image.size());
  require(rows >= 1 && columns >= 1 && pixels % rows == 0 && pixels / rows == columns,
          "morphology: ", pixels, " pixels are no image of ", rows, " x ", columns);
}

void check_disc(std::span<const std::uint8_t> image, std::int64_t rows, std::int64_t columns,
                double radius) {
  check_image(image, rows, columns);
  require(radius >= 0 && radius <= kWidest, "morphology: a disc's radius must be 0 to ", kWidest,
          " pixels, got ", radius);
}

// The distance of every pixel to the nearest one inside of its own row, `far` from there on.
void distances_in_row(std::span<const std::uint8_t> row, std::span<std::uint8_t> distances,
                      std::uint8_t far) {
  std::uint8_t last = far;
  const auto step = [&](std::size_t x) {
    last = row[x] != 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(std::min(last + 1, +far));
    return last;
  };
  for (std::size_t x = 0; x < row.size(); ++x) distances[x] = step(x);
  last = far;
  for (std::size_t x = row.size(); x-- > 0;) distances[x] = std::min(distances[x], step(x));
}

void invert(std::span<std::uint8_t> image) {
  for (std::uint8_t& pixel : image) pixel = pixel == 0;
}

}  // namespace

void dilate_disc(std::span<std::uint8_t> image, std::int64_t rows, std::int64_t columns,
                 double radius) {
  check_disc(image, rows, columns, radius);
  const auto reach = static_cast<std::int64_t>(radius);
  const auto width = static_cast<std::size_t>(columns);
  std::vector<std::uint8_t> distances(image.size());
  for (std::size_t at = 0; at < image.size(); at += width)
    distances_in_row(image.subspan(at, width), std::span(distances).subspan(at, width),
                     static_cast<std::uint8_t>(reach + 1));
  for (std::int64_t y = 0; y < rows; ++y) {
    std::uint8_t* pixels = image.data() + y * columns;
    for (std::int64_t other = std::max<std::int64_t>(0, y - reach);
         other <= std::min(rows - 1, y + reach); ++other) {
      const auto away = static_cast<double>(other - y);
      const auto chord = static_cast<std::uint8_t>(std::sqrt(radius * radius - away * away));
      const std::uint8_t* row = distances.data() + other * columns;
      for (std::size_t x = 0; x < width; ++x)
        pixels[x] = static_cast<std::uint8_t>(pixels[x] | (row[x] <= chord));
    }
  }
}

void erode_disc(std::span<std::uint8_t> image, std::int64_t rows, std::int64_t columns,
                double radius) {
  check_disc(image, rows, columns, radius);
  invert(image);
  dilate_disc(image, rows, columns, radius);
  invert(image);
}

void open_disc(std::span<std::uint8_t> image, std::int64_t rows, std::int64_t columns,
               double radius) {
  erode_disc(image, rows, columns, radius);
  dilate_disc(image, rows, columns, radius);
}

void close_disc(std::span<std::uint8_t> image, std::int64_t rows, std::int64_t columns,
                double radius) {
  dilate_disc(image, rows, columns, radius);
  erode_disc(image, rows, columns, radius);
}

void fill_holes(std::span<std::uint8_t> image, std::int64_t rows, std::int64_t columns) {
  check_image(image, rows, columns);
  constexpr std::uint8_t kReached = 2;
  std::vector<std::int64_t> open_ends;
  const auto reach = [&](std::int64_t y, std::int64_t x) {
    if (y < 0 || x < 0 || y >= rows || x >= columns) return;
    std::uint8_t& pixel = image[static_cast<std::size_t>(y * columns + x)];
    if (pixel != 0) return;
    pixel = kReached;
    open_ends.push_back(y * columns + x);
  };
  for (std::int64_t y = 0; y < rows; ++y) reach(y, 0), reach(y, columns - 1);
  for (std::int64_t x = 0; x < columns; ++x) reach(0, x), reach(rows - 1, x);
  while (!open_ends.empty()) {
    const std::int64_t y = open_ends.back() / columns, x = open_ends.back() % columns;
    open_ends.pop_back();
    reach(y - 1, x), reach(y + 1, x), reach(y, x - 1), reach(y, x + 1);
  }
  for (std::uint8_t& pixel : image) pixel = pixel != kReached;
}

}  // namespace ratnet::inline v1
