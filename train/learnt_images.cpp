#include "learnt_images.h"

#include <algorithm>

namespace ratnet::inline v1 {
namespace {

double mark_of(const ImageHash& hash) { return static_cast<double>(hash.low >> 11); }

}  // namespace

std::optional<std::vector<double>> marks_of(std::span<const ImageHash> images) {
  constexpr std::size_t kMost = std::size_t{1} << 18;
  std::vector<double> marks;
  for (const ImageHash& hash : images) {
    if (hash.constant()) continue;
    if (marks.size() == kMost) return std::nullopt;
    marks.push_back(mark_of(hash));
  }
  std::ranges::sort(marks);
  return marks;
}

bool is_marked(std::span<const double> marks, const ImageHash& image) {
  return !image.constant() && std::ranges::binary_search(marks, mark_of(image));
}

}  // namespace ratnet::inline v1
