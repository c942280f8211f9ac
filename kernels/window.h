// The geometry of a window that slides over one to three spatial dimensions.
#pragma once

#include <array>
#include <cstdint>

#include "../core/shape.h"

namespace ratnet::inline v1 {

// Sizes in the order of the spatial dimensions of the tensor: [D, H, W], [H, W] or [W]. Entries
// past `rank` are unused.
struct Window {
  int rank = 0;
  std::array<std::int64_t, 3> kernel{1, 1, 1};
  std::array<std::int64_t, 3> stride{1, 1, 1};
  std::array<std::int64_t, 3> dilation{1, 1, 1};
  std::array<std::int64_t, 3> pad_before{0, 0, 0};
  std::array<std::int64_t, 3> pad_after{0, 0, 0};

  // Number of taps of the kernel.
  std::int64_t taps() const;
  // Throws Error (usage), beginning with `who`, where the rank or a number makes no sense.
  void check(const char* who) const;
  // How many positions the window takes along dimension d of an input of that size; 0 or less
  // where it does not fit.
  std::int64_t positions(int d, std::int64_t input) const;
  // [N, spatial..., C] -> [N, positions..., channels]. Throws Error (usage), beginning with `who`,
  // where the window does not fit the input.
  Shape output(const Shape& input, std::int64_t channels, const char* who) const;

  bool operator==(const Window&) const = default;
};

// The same window seen with exactly three spatial dimensions, sizes of 1 put in front.
Window widened(const Window& window);
// [N, spatial..., C] as [N, D, H, W, C].
Shape widened(const Shape& shape);

}  // namespace ratnet::inline v1
