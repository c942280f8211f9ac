#include "image_grid.h"

#include <algorithm>

namespace ratnet::inline v1 {

Size3 three_axes(const char* who, std::span<const std::int64_t> sizes) {
  const bool sound = (sizes.size() == 2 || sizes.size() == 3) &&
                     std::ranges::all_of(sizes, [](std::int64_t n) { return n >= 1; });
  require(sound, who, ": expected sizes H, W or D, H, W of at least 1, got ", Shape(sizes));
  Size3 axes{1, 1, 1};
  std::ranges::copy(sizes, axes.end() - static_cast<std::ptrdiff_t>(sizes.size()));
  return axes;
}

ImageGrid image_grid(const char* who, const ConstView& image) {
  const int rank = image.shape.rank();
  require(image.data && image.dtype == DType::f32 && (rank == 3 || rank == 4) &&
              image.shape.back() >= 1,
          who, ": expected an image f32 [H, W, C] or [D, H, W, C], got ", name_of(image.dtype), " ",
          image.shape);
  return {.size = three_axes(who, image.shape.sizes().first(static_cast<std::size_t>(rank - 1))),
          .channels = image.shape.back()};
}

void check_mask(const char* who, const ConstView& image, const ConstView& mask) {
  const bool sound =
      mask.data && mask.dtype == DType::u8 && mask.shape.rank() == image.shape.rank() - 1 &&
      std::ranges::equal(mask.shape.sizes(),
                         image.shape.sizes().first(static_cast<std::size_t>(mask.shape.rank())));
  require(sound, who, ": the mask of an image ", image.shape, " is u8 of its sizes, got ",
          name_of(mask.dtype), " ", mask.shape);
}

}  // namespace ratnet::inline v1
