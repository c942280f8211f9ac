#include "sliding.h"

#include <algorithm>

#include "../core/error.h"
#include "../kernels/window.h"

namespace ratnet::inline v1 {

std::int64_t size_along(const Sizes& sizes, int d, int rank, std::int64_t otherwise,
                        const char* who, const char* what) {
  if (sizes.empty()) return otherwise;
  if (sizes.size() == 1) return sizes[0];
  require(sizes.size() == static_cast<std::size_t>(rank), who, ": ", what, " has ", sizes.size(),
          " numbers for an input of ", rank, " spatial dimensions");
  return sizes[static_cast<std::size_t>(d)];
}

Window window_over(const Shape& input, const SlidingSizes& sizes, const char* who) {
  const int rank = input.rank() - 2;
  require(rank >= 1 && rank <= 3, who, ": needs an input [N, 1 to 3 spatial sizes, C], got ",
          input);
  require(sizes.padding == Padding::custom || (sizes.pad_before.empty() && sizes.pad_after.empty()),
          who, ": pad_before and pad_after are for padding 'custom'");
  Window window;
  window.rank = rank;
  for (int i = 0; i < rank; ++i) {
    const auto d = static_cast<std::size_t>(i);
    window.kernel[d] = size_along(sizes.kernel, i, rank, 1, who, "kernel");
    window.stride[d] = size_along(sizes.stride, i, rank, 1, who, "stride");
    window.dilation[d] = size_along(sizes.dilation, i, rank, 1, who, "dilation");
    if (sizes.padding == Padding::custom) {
      window.pad_before[d] = size_along(sizes.pad_before, i, rank, 0, who, "pad_before");
      window.pad_after[d] = size_along(sizes.pad_after, i, rank, 0, who, "pad_after");
    }
  }
  window.check(who);
  if (sizes.padding == Padding::same) {
    for (int i = 0; i < rank; ++i) {
      const auto d = static_cast<std::size_t>(i);
      const std::int64_t size = input[i + 1];
      const std::int64_t positions = (size + window.stride[d] - 1) / window.stride[d];
      const std::int64_t total =
          std::max<std::int64_t>(0, (positions - 1) * window.stride[d] +
                                        window.dilation[d] * (window.kernel[d] - 1) + 1 - size);
      window.pad_before[d] = total / 2;
      window.pad_after[d] = total - total / 2;
    }
  }
  return window;
}

}  // namespace ratnet::inline v1
