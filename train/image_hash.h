// A fingerprint of an image's pixels, by which exact duplicates are found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ratnet::inline v1 {

// 128 bits. {0, 0} stands for an image whose pixels are all equal (padding, say): such images are
// alike without being copies of each other.
struct ImageHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  bool constant() const { return low == 0 && high == 0; }
  auto operator<=>(const ImageHash&) const = default;
};

// The hash of one image of `pixel_bytes` bytes a pixel. Equal pixels give equal hashes; different
// ones collide with a probability of about 2^-128. Not meant to withstand an adversary.
ImageHash hash_image(std::span<const std::byte> pixels, std::size_t pixel_bytes);

// One hash of many, in order, as 32 hexadecimal digits: what a model remembers of its data.
std::string combined_hash(std::span<const ImageHash> hashes);

}  // namespace ratnet::inline v1
