#include "patch_cut.h"

#include <algorithm>
#include <cmath>

namespace ratnet::inline v1 {
namespace {

// Copies what a patch and a volume share of a line of `n` voxels from `first`, each of `channels`
// values; the rest is `outside`. A null line is all outside.
template <class T>
void copy_line(const T* line, std::int64_t voxels, std::int64_t first, std::int64_t n,
               std::int64_t channels, T outside, T* to) {
  const std::int64_t begin = line ? std::clamp<std::int64_t>(-first, 0, n) : n;
  const std::int64_t end = line ? std::clamp<std::int64_t>(voxels - first, begin, n) : n;
  std::fill(to, to + begin * channels, outside);
  if (end > begin)
    std::copy(line + (first + begin) * channels, line + (first + end) * channels,
              to + begin * channels);
  std::fill(to + end * channels, to + n * channels, outside);
}

template <class T>
void copy_patch(const void* image, const ImageGrid& grid, const Size3& first, const Size3& size,
                double outside, void* patch) {
  const auto* from = static_cast<const T*>(image);
  auto* to = static_cast<T*>(patch);
  for (std::int64_t d = 0; d < size[0]; ++d)
    for (std::int64_t h = 0; h < size[1]; ++h) {
      const std::int64_t at_d = first[0] + d, at_h = first[1] + h;
      const bool inside = at_d >= 0 && at_d < grid.size[0] && at_h >= 0 && at_h < grid.size[1];
      copy_line(inside ? from + grid.at(at_d, at_h, 0) * grid.channels : nullptr, grid.size[2],
                first[2], size[2], grid.channels, static_cast<T>(outside), to);
      to += size[2] * grid.channels;
    }
}

}  // namespace

bool in_share(double share, std::int64_t index) {
  const auto step = [&](std::int64_t n) { return std::floor(static_cast<double>(n) * share); };
  return step(index + 1) > step(index);
}

Size3 patch_corner(const ImageGrid& grid, const Size3& size,
                   const std::optional<std::int64_t>& about, Random& random) {
  const std::int64_t voxel = about.value_or(0);
  const Size3 centre{voxel / (grid.size[1] * grid.size[2]), voxel / grid.size[2] % grid.size[1],
                     voxel % grid.size[2]};
  Size3 first{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const std::int64_t room = grid.size[axis] - size[axis];
    if (room < 0)
      first[axis] = -(-room / 2);
    else if (about)
      first[axis] = std::clamp<std::int64_t>(centre[axis] - size[axis] / 2, 0, room);
    else
      first[axis] = random.integer(room + 1);
  }
  return first;
}

void cut_patch(const ConstView& image, const ImageGrid& grid, const Size3& first, const Size3& size,
               double outside, void* to) {
  switch (image.dtype) {
    case DType::u8: return copy_patch<std::uint8_t>(image.data, grid, first, size, outside, to);
    case DType::u16: return copy_patch<std::uint16_t>(image.data, grid, first, size, outside, to);
    case DType::i16: return copy_patch<std::int16_t>(image.data, grid, first, size, outside, to);
    case DType::f32: return copy_patch<float>(image.data, grid, first, size, outside, to);
    default: fail(ErrorKind::internal, "patches of images of ", name_of(image.dtype));
  }
}

}  // namespace ratnet::inline v1
