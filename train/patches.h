// Patches of images in place of whole ones: how many a training takes of each, and where they lie.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../core/image_grid.h"

namespace ratnet::inline v1 {

struct Patches {
  // H, W: pieces of images, or of the slices of volumes across D; D, H, W: pieces of volumes.
  // Empty: whole images.
  std::vector<std::int64_t> size = {};
  std::int64_t per_image = 1;  // drawn of every image in an epoch, at most kMostPatchesPerImage
  // This share of them is centred on a pixel of a mask: every label that the image has (not 0 and
  // 255) equally often, then every pixel of it; images without any give pieces from anywhere, as
  // the others of the patches are. Absent: 1/3 where masks are read, as in nnU-Net (Isensee and
  // others, Nature Methods 2021), otherwise 0.
  std::optional<double> labelled = {};

  explicit operator bool() const { return !size.empty(); }
  Shape shape(std::int64_t channels) const;  // of one patch: [H, W, C] or [D, H, W, C]
  double labelled_share(bool masks) const { return labelled.value_or(masks ? 1.0 / 3 : 0.0); }
};

constexpr std::int64_t kMostPatchesPerImage = 4096;
constexpr std::int64_t kMostPatchesPerEpoch = std::int64_t{1} << 24;

// {"per_image": 8, "labelled": 0.333}, both of which may be left out; the size is that of the
// graph's input. Throws Error (input) for other members, other types and numbers out of range.
Patches patches_from_json(std::string_view source);
// The inverse, without the size.
std::string to_json(const Patches& patches);

// The corner of patch `copy` of image `index` in an epoch, the same whatever batch or thread it
// comes in. image: its shape; mask: u8 of its pixels, or absent.
Size3 patch_place(const Patches& patches, const Shape& image, const ConstView& mask,
                  std::uint64_t seed, std::int64_t epoch, std::int64_t index, std::int64_t copy);

}  // namespace ratnet::inline v1
