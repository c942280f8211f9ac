// Images that a model has learnt from, known again.
#include "../../train/learnt_images.h"

#include <algorithm>

#include "../catch.h"

using namespace ratnet;

TEST_CASE("images are known again by their marks, those of a single value never") {
  std::vector<ImageHash> images;
  for (std::uint64_t i = 1; i <= 50; ++i) images.push_back({i * 0x9E3779B97F4A7C15, i});
  images.push_back({});
  const auto marks = marks_of(images);
  REQUIRE(marks);
  CHECK(marks->size() == 50);
  CHECK(std::is_sorted(marks->begin(), marks->end()));
  for (std::size_t i = 0; i < 50; ++i) CHECK(is_marked(*marks, images[i]));
  CHECK_FALSE(is_marked(*marks, {}));
  CHECK_FALSE(is_marked(*marks, {0x123456789ABCDEF0, 1}));
  CHECK_FALSE(is_marked({}, images[0]));
}

TEST_CASE("marks of two trainings are joined, each once, unless they are too many") {
  const std::vector<double> a = {1, 3, 5}, b = {2, 3, 8};
  CHECK(*merged_marks(a, b) == std::vector<double>{1, 2, 3, 5, 8});
  CHECK(*merged_marks(a, {}) == a);
  std::vector<double> many(1u << 18);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<double>(2 * i);
  CHECK(merged_marks(many, many));
  CHECK_FALSE(merged_marks(many, a));
}

TEST_CASE("so many images that they would fill a model's header are not kept") {
  std::vector<ImageHash> images;
  for (std::uint64_t i = 0; i < (1u << 18); ++i) images.push_back({i << 11 | 1, 1});
  CHECK(marks_of(images)->size() == images.size());
  images.push_back({7, 7});
  CHECK_FALSE(marks_of(images));
}
