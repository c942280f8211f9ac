#include "patches.h"

#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "../core/json_depth.h"
#include "label_index.h"
#include "patch_cut.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::json;

// Apart from the numbers of a sample's changes (loader.cpp).
constexpr std::uint32_t kOfPlace = 1u << 30;

// Any label of the mask equally often, then any of its pixels; absent where there is none.
std::optional<std::int64_t> labelled_pixel(const ConstView& mask, Random& random) {
  const LabelIndex one_of_each(mask, 1, random.bits(), 255);
  const auto labels = one_of_each.labels();
  if (labels.empty()) return std::nullopt;
  const auto chosen = static_cast<std::size_t>(random.integer(std::ssize(labels)));
  return one_of_each.voxels(labels[chosen])[0];
}

}  // namespace

Shape Patches::shape(std::int64_t channels) const {
  Shape shape(size);
  shape.push_back(channels);
  return shape;
}

Patches patches_from_json(std::string_view source) {
  check_json_depth(source);
  const Json json = Json::parse(source, nullptr, false);
  if (!json.is_object())
    fail(ErrorKind::input, "patches is not an object such as {\"per_image\": 8}");
  Patches patches;
  for (const auto& [key, value] : json.items()) {
    const double number = value.is_number() ? value.get<double>() : std::nan("");
    if (key == "per_image") {
      if (!value.is_number_integer() || !(number >= 1 && number <= kMostPatchesPerImage))
        fail(ErrorKind::input, "patches: per_image is not a whole number from 1 to ",
             kMostPatchesPerImage);
      patches.per_image = value.get<std::int64_t>();
    } else if (key == "labelled") {
      if (!(number >= 0 && number <= 1))
        fail(ErrorKind::input, "patches: labelled is not a share from 0 to 1");
      patches.labelled = number;
    } else {
      fail(ErrorKind::input, "patches has no member '", key.substr(0, 32),
           "'; it has per_image and labelled");
    }
  }
  return patches;
}

std::string to_json(const Patches& patches) {
  Json json = {{"per_image", patches.per_image}};
  if (patches.labelled) json["labelled"] = *patches.labelled;
  return json.dump();
}

Size3 patch_place(const Patches& patches, const Shape& image, const ConstView& mask,
                  std::uint64_t seed, std::int64_t epoch, std::int64_t index, std::int64_t copy) {
  const ImageGrid grid{three_axes("patches", image.without_last().sizes())};
  const Size3 size = three_axes("patches", patches.size);
  Random random = random_for(seed, epoch, index, kOfPlace + static_cast<std::uint32_t>(copy));
  // From epoch to epoch it is another's turn.
  const std::int64_t turn = index * patches.per_image + copy + epoch;
  std::optional<std::int64_t> about;
  if (mask && in_share(patches.labelled_share(true), turn)) about = labelled_pixel(mask, random);
  return patch_corner(grid, size, about, random);
}

}  // namespace ratnet::inline v1
