#include "components.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

// Sets of provisional labels; the root of a set is its smallest label.
class Sets {
 public:
  std::int32_t add() {
    parents_.push_back(static_cast<std::int32_t>(parents_.size()));
    return parents_.back();
  }
  std::int32_t root(std::int32_t label) {
    while (parent(label) != label) label = parent(label) = parent(parent(label));
    return label;
  }
  std::int32_t join(std::int32_t a, std::int32_t b) {
    const std::int32_t first = root(a), second = root(b);
    parent(std::max(first, second)) = std::min(first, second);
    return std::min(first, second);
  }
  std::size_t size() const { return parents_.size(); }

 private:
  std::int32_t& parent(std::int32_t label) { return parents_[static_cast<std::size_t>(label)]; }
  std::vector<std::int32_t> parents_{0};  // label 0 is outside
};

// The neighbours that stand earlier in memory.
std::vector<std::array<std::int64_t, 3>> earlier_neighbours(const Mask& mask,
                                                            Connectivity connectivity) {
  const int most = connectivity == Connectivity::faces                           ? 1
                   : connectivity == Connectivity::edges || mask.dimensions == 2 ? 2
                                                                                 : 3;
  std::vector<std::array<std::int64_t, 3>> steps;
  for (int z = mask.dimensions == 2 ? 0 : -1; z <= 0; ++z)
    for (int y = -1; y <= 1; ++y)
      for (int x = -1; x <= 1; ++x) {
        const bool earlier = z < 0 || (z == 0 && (y < 0 || (y == 0 && x < 0)));
        if (earlier && std::abs(z) + std::abs(y) + std::abs(x) <= most) steps.push_back({z, y, x});
      }
  return steps;
}

}  // namespace

Components connected_components(const Mask& mask, Connectivity connectivity) {
  require(mask.count() < std::numeric_limits<std::int32_t>::max(), "components of ", mask.count(),
          " voxels: at most ", std::numeric_limits<std::int32_t>::max() - 1, " are counted");
  Components components{mask.dimensions, mask.sizes, 0, {}};
  components.labels.resize(mask.voxels.size());
  std::vector<std::int32_t>& labels = components.labels;
  const auto steps = earlier_neighbours(mask, connectivity);
  const auto [depth, height, width] = mask.sizes;
  Sets sets;
  std::size_t i = 0;
  for (std::int64_t z = 0; z < depth; ++z)
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x, ++i) {
        if (mask.voxels[i] == 0) continue;
        std::int32_t label = 0;
        for (const auto& [dz, dy, dx] : steps) {
          if (z + dz < 0 || y + dy < 0 || y + dy >= height || x + dx < 0 || x + dx >= width)
            continue;
          const std::int64_t offset = (dz * height + dy) * width + dx;
          const std::int32_t other =
              labels[static_cast<std::size_t>(static_cast<std::int64_t>(i) + offset)];
          if (other != 0) label = label == 0 ? sets.root(other) : sets.join(label, other);
        }
        labels[i] = label != 0 ? label : sets.add();
      }

  std::vector<std::int32_t> numbers(sets.size());
  for (std::int32_t& label : labels) {
    if (label == 0) continue;
    std::int32_t& number = numbers[static_cast<std::size_t>(sets.root(label))];
    if (number == 0) number = ++components.count;
    label = number;
  }
  return components;
}

std::vector<std::int64_t> component_sizes(const Components& components) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(components.count) + 1);
  for (const std::int32_t label : components.labels) ++sizes[static_cast<std::size_t>(label)];
  return sizes;
}

}  // namespace ratnet::inline v1
