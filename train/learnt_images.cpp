#include "learnt_images.h"

#include <algorithm>
#include <iterator>

namespace ratnet::inline v1 {
namespace {

constexpr std::size_t kMost = std::size_t{1} << 18;

double mark_of(const ImageHash& hash) { return static_cast<double>(hash.low >> 11); }

}  // namespace

std::optional<std::vector<double>> marks_of(std::span<const ImageHash> images) {
  std::vector<double> marks;
  for (const ImageHash& hash : images) {
    if (hash.constant()) continue;
    if (marks.size() == kMost) return std::nullopt;
    marks.push_back(mark_of(hash));
  }
  std::ranges::sort(marks);
  return marks;
}

const std::vector<double>* marks_in(const Model& model, const std::string& name) {
  const auto found = model.coefficients.find(name);
  if (found == model.coefficients.end()) return nullptr;
  if (!std::ranges::is_sorted(found->second))
    fail(ErrorKind::input, "has coefficients '", name, "' that do not ascend");
  return &found->second;
}

std::optional<std::vector<double>> merged_marks(std::span<const double> a,
                                                std::span<const double> b) {
  std::vector<double> both;
  std::ranges::set_union(a, b, std::back_inserter(both));
  if (both.size() > kMost) return std::nullopt;
  return both;
}

bool is_marked(std::span<const double> marks, const ImageHash& image) {
  return !image.constant() && std::ranges::binary_search(marks, mark_of(image));
}

}  // namespace ratnet::inline v1
