#include "image_hash.h"

#include <bit>
#include <cstdio>
#include <cstring>

namespace ratnet::inline v1 {
namespace {

// Odd numbers with evenly spread bits: fractional parts of square roots of 2, 3, 5, 7.
constexpr std::uint64_t kOdd[4] = {0x6A09E667F3BCC909ull, 0xBB67AE8584CAA73Bull,
                                   0x3C6EF372FE94F82Bull, 0xA54FF53A5F1D36F1ull};

// Two lanes that feed each other. Each step is a bijection of the state, so images that differ in
// one word never collide.
struct Mixer {
  std::uint64_t a = kOdd[0];
  std::uint64_t b = kOdd[1];

  void add(std::uint64_t first, std::uint64_t second) {
    a = std::rotl(a ^ (first * kOdd[2]), 31) * kOdd[3] + b;
    b = std::rotl(b ^ (second * kOdd[1]), 29) * kOdd[2] + a;
  }

  void add(std::span<const std::byte> bytes) {
    std::uint64_t words[2];
    const std::size_t length = bytes.size();
    for (; bytes.size() >= sizeof words; bytes = bytes.subspan(sizeof words)) {
      std::memcpy(words, bytes.data(), sizeof words);
      add(words[0], words[1]);
    }
    std::memset(words, 0, sizeof words);
    if (!bytes.empty()) std::memcpy(words, bytes.data(), bytes.size());
    add(words[0], words[1]);
    add(length, ~length);
  }

  static std::uint64_t avalanche(std::uint64_t x) {
    for (int round = 0; round < 3; ++round) x = (x ^ (x >> 32)) * kOdd[round + 1];
    return x ^ (x >> 32);
  }

  ImageHash finish() {
    for (int round = 0; round < 4; ++round) add(kOdd[round], kOdd[3 - round]);
    return {avalanche(a), avalanche(b)};
  }
};

}  // namespace

ImageHash hash_image(std::span<const std::byte> pixels, std::size_t pixel_bytes) {
  // Equal to itself one pixel further on: all pixels are the same.
  if (pixels.size() <= pixel_bytes ||
      std::memcmp(pixels.data(), pixels.data() + pixel_bytes, pixels.size() - pixel_bytes) == 0)
    return {};
  Mixer mixer;
  mixer.add(pixels);
  ImageHash hash = mixer.finish();
  if (hash.constant()) hash.low = 1;
  return hash;
}

std::string combined_hash(std::span<const ImageHash> hashes) {
  Mixer mixer;
  for (const ImageHash& hash : hashes) mixer.add(hash.low, hash.high);
  mixer.add(hashes.size(), 0);
  const ImageHash all = mixer.finish();
  char digits[33];
  std::snprintf(digits, sizeof digits, "%016llx%016llx", static_cast<unsigned long long>(all.high),
                static_cast<unsigned long long>(all.low));
  return digits;
}

}  // namespace ratnet::inline v1
