#include "../../imaging/png.h"

#include <filesystem>
#include <fstream>

#include "../../apps/report/data_uri.h"
#include "../../core/error.h"
#include "../../core/random.h"
#include "../catch.h"
#include "read_png.h"
#include "run_program.h"

using namespace ratnet;

namespace {

// Cairo's idea of a PNG of ours.
Picture read_back(const std::string& png) {
  const test::Folder folder;
  const std::string path = folder / "picture.png";
  std::ofstream(path, std::ios::binary) << png;
  return read_png(path);
}

std::vector<std::uint8_t> noise(std::size_t n, int below) {
  Random random(n);
  std::vector<std::uint8_t> values;
  for (std::size_t i = 0; i < n; ++i)
    values.push_back(static_cast<std::uint8_t>(random.integer(below)));
  return values;
}

}  // namespace

TEST_CASE("grey pictures come back as they were") {
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 7}, {13, 1}, {31, 17}, {128, 128}}) {
    const auto pixels = noise(static_cast<std::size_t>(width * height), 256);
    const Picture picture = read_back(grey_png(pixels, width, height));
    REQUIRE(picture.width == width);
    REQUIRE(picture.height == height);
    for (std::size_t i = 0; i < pixels.size(); ++i)
      CHECK(picture.pixels[i] == Colour{pixels[i], pixels[i], pixels[i]});
  }
}

TEST_CASE("pictures with a palette come back as they were, clear where they are") {
  const PaletteColour palette[] = {{{255, 255, 255}, 0}, {{200, 100, 5}}, {{1, 2, 3}}};
  for (const auto& [width, height] : {std::pair{1, 1}, {5, 3}, {29, 23}}) {
    const auto pixels = noise(static_cast<std::size_t>(width * height), 3);
    const Picture picture = read_back(palette_png(pixels, width, height, palette));
    REQUIRE(picture.width == width);
    for (std::size_t i = 0; i < pixels.size(); ++i)
      // Cairo multiplies by the opacity: white that is clear is black.
      CHECK(picture.pixels[i] == (pixels[i] ? palette[pixels[i]].colour : Colour{0, 0, 0}));
  }
}

TEST_CASE("a smooth picture takes less room than its pixels") {
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < 128 * 128; ++i)
    pixels.push_back(static_cast<std::uint8_t>(i / 128 + i % 128));
  CHECK(grey_png(pixels, 128, 128).size() < 600);
}

TEST_CASE("pictures that are none are refused") {
  const std::vector<std::uint8_t> pixels = {0, 1, 2, 3};
  const std::vector<PaletteColour> palette(4), huge(257);
  CHECK_NOTHROW(palette_png(pixels, 2, 2, palette));
  CHECK_THROWS_AS(grey_png(pixels, 3, 1), Error);
  CHECK_THROWS_AS(grey_png({}, 0, 0), Error);
  CHECK_THROWS_AS(grey_png(pixels, -2, -2), Error);
  CHECK_THROWS_AS(palette_png(pixels, 2, 2, std::span(palette).first(3)), Error);
  CHECK_THROWS_AS(palette_png(pixels, 2, 2, {}), Error);
  CHECK_THROWS_AS(palette_png(pixels, 2, 2, huge), Error);
}

TEST_CASE("data in addresses are those of RFC 4648") {
  const std::pair<const char*, const char*> known[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {"\xFB\xFF\xFE", "+//+"}};
  for (const auto& [plain, coded] : known)
    CHECK(data_uri(plain) == std::string("data:image/png;base64,") + coded);
}
