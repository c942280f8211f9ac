// Images in shared memory that convolutions read as they are, with a border of zeros around them.
#pragma once

#include <ratnet_ptx.h>

#include <cstdint>

namespace ratnet::inline v1 {
namespace {

constexpr int kChannels = 32;

// kLines x kColumns pixels of 32 channels. Pixel x holds its 16-byte chunk c in the place of chunk
// c ^ (x / kShared % kChunks), where kShared pixels share 128 bytes. Of 8 neighbouring pixels each
// then has the same chunk in another of the 8 x 16 bytes that make the 32 banks: x % kShared and
// x / kShared % kChunks take every pair of values once, and the xor only permutes the second. So
// one matrix of load_matrices is read without a bank conflict. (A line is a multiple of 128 bytes.)
template <class Numbers, int kLines, int kColumns>
struct ChannelImage {
  static constexpr int kPixelBytes = kChannels * Numbers::kBytes;
  static constexpr int kChunks = kPixelBytes / 16;
  static constexpr int kShared = 128 / kPixelBytes;
  static constexpr int kLineBytes = kColumns * kPixelBytes;
  static_assert(kLineBytes % 128 == 0);

  alignas(16) unsigned char bytes[kLines * kLineBytes];

  __device__ static int place(int line, int x, int chunk) {
    return line * kLineBytes + x * kPixelBytes + 16 * (chunk ^ (x / kShared % kChunks));
  }
  __device__ void store(int line, int x, int channel, const typename Numbers::Pair& pair) {
    const int byte = channel * Numbers::kBytes;
    *reinterpret_cast<typename Numbers::Pair*>(bytes + place(line, x, byte / 16) + byte % 16) =
        pair;
  }
};

constexpr int kSide = 64;  // of a slice
constexpr int kSlicePixels = kSide * kSide;

// A slice as it is stored; lines and columns -1 and 64 are zeros. Between two lines lie 16 bytes of
// zeros, so that lines begin where copy_async can write.
template <class Pixel>
struct Slice {
  static constexpr int kGap = 16 / static_cast<int>(sizeof(Pixel));
  static constexpr int kPitch = kSide + kGap;

  alignas(16) Pixel pixels[(kSide + 2) * kPitch + kGap];

  __device__ static int place(int line, int x) { return kGap + (line + 1) * kPitch + x; }
};

}  // namespace
}  // namespace ratnet::inline v1
