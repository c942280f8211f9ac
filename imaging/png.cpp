#include "png.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

constexpr int kLargest = 16384;
constexpr char kGreyType = 0, kPaletteType = 3;
constexpr std::uint8_t kNoFilter = 0, kPaethFilter = 4;

std::string big_endian(std::size_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
  return bytes;
}

std::string chunk(std::string_view type, std::string_view data) {
  std::string body(type);
  body += data;
  const uLong crc =
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(data.size()) + body + big_endian(crc);
}

std::string deflated(const std::vector<std::uint8_t>& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string result(size, '\0');
  const int code = compress2(reinterpret_cast<Bytef*>(result.data()), &size, bytes.data(),
                             bytes.size(), Z_BEST_COMPRESSION);
  if (code != Z_OK) fail(ErrorKind::internal, "compressing a picture failed (zlib ", code, ")");
  result.resize(size);
  return result;
}

// Of the neighbours at the left, above and between them, the one nearest to left + above - between.
int paeth(int left, int above, int between) {
  const int to_left = std::abs(above - between), to_above = std::abs(left - between),
            to_between = std::abs(left + above - 2 * between);
  if (to_left <= to_above && to_left <= to_between) return left;
  return to_above <= to_between ? above : between;
}

std::vector<std::uint8_t> filtered(std::span<const std::uint8_t> pixels, std::size_t width,
                                   std::uint8_t filter) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const bool first = i % width == 0, top = i < width;
    if (first) bytes.push_back(filter);
    const int expected = filter == kNoFilter
                             ? 0
                             : paeth(first ? 0 : pixels[i - 1], top ? 0 : pixels[i - width],
                                     first || top ? 0 : pixels[i - width - 1]);
    bytes.push_back(static_cast<std::uint8_t>(pixels[i] - expected));
  }
  return bytes;
}

std::string png(std::span<const std::uint8_t> pixels, int width, int height, char type,
                const std::string& palette) {
  require(width >= 1 && width <= kLargest && height >= 1 && height <= kLargest, "a picture of ",
          width, " x ", height, " pixels; its sides go from 1 to ", kLargest);
  const auto columns = static_cast<std::size_t>(width), rows = static_cast<std::size_t>(height);
  require(pixels.size() == columns * rows, "a picture of ", width, " x ", height, " from ",
          pixels.size(), " pixels");
  const std::string header = big_endian(columns) + big_endian(rows) +
                             std::string({8, type, 0, 0, 0});  // 8 bits, not interlaced
  return "\x89PNG\r\n\x1A\n" + chunk("IHDR", header) + palette +
         chunk("IDAT",
               deflated(filtered(pixels, columns, type == kGreyType ? kPaethFilter : kNoFilter))) +
         chunk("IEND", "");
}

}  // namespace

std::string grey_png(std::span<const std::uint8_t> pixels, int width, int height) {
  return png(pixels, width, height, kGreyType, "");
}

std::string palette_png(std::span<const std::uint8_t> pixels, int width, int height,
                        std::span<const PaletteColour> palette) {
  require(!palette.empty() && palette.size() <= 256, "a palette of ", palette.size(),
          " colours; it has 1 to 256");
  std::string colours, opacities;
  for (const PaletteColour& entry : palette) {
    for (const std::uint8_t value : {entry.colour.red, entry.colour.green, entry.colour.blue})
      colours += static_cast<char>(value);
    opacities += static_cast<char>(entry.opacity);
  }
  for (const std::uint8_t pixel : pixels)
    require(pixel < palette.size(), "a pixel has colour ", int{pixel}, " of ", palette.size());
  return png(pixels, width, height, kPaletteType,
             chunk("PLTE", colours) + chunk("tRNS", opacities));
}

}  // namespace ratnet::inline v1
