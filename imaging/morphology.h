// Morphology of binary images with a disc (Serra, Image Analysis and Mathematical Morphology,
// 1982).
//
// An image is [rows, columns] u8, 1 inside and 0 outside, changed in place. The disc holds the
// pixels whose centre is no further than `radius` pixels, 0 to 64, from its own; it need not be
// whole. What lies beyond the image counts for nothing: closing never removes a pixel and opening
// never adds one, at the border neither. All throw Error (usage) for another radius and for spans
// of another size.
#pragma once

#include <cstdint>
#include <span>

namespace ratnet::inline v1 {

void dilate_disc(std::span<std::uint8_t> image, std::int64_t rows, std::int64_t columns,
                 double radius);

void erode_disc(std::span<std::uint8_t> image, std::int64_t rows, std::int64_t columns,
                double radius);

// Eroded, then dilated: what the disc does not fit into goes.
void open_disc(std::span<std::uint8_t> image, std::int64_t rows, std::int64_t columns,
               double radius);

// Dilated, then eroded: gaps the disc does not fit into are filled.
void close_disc(std::span<std::uint8_t> image, std::int64_t rows, std::int64_t columns,
                double radius);

// Everything from where no way leads across faces, outside the object, to the image's border.
void fill_holes(std::span<std::uint8_t> image, std::int64_t rows, std::int64_t columns);

}  // namespace ratnet::inline v1
