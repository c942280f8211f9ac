// Connected components of a mask.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "mask.h"

namespace ratnet::inline v1 {

// Which voxels touch: those that share a face (4 neighbours in a slice, 6 in a volume), a face or
// an edge (8, 18), or a corner too (8, 26).
enum class Connectivity : std::uint8_t { faces, edges, corners };

struct Components {
  int dimensions = 3;
  std::array<std::int64_t, 3> sizes{1, 1, 1};
  std::int32_t count = 0;
  // [Z, Y, X]: 0 outside, else the component, 1..count in the order of their first voxels.
  std::vector<std::int32_t> labels;
};

// By union-find over one pass (Rosenfeld and Pfaltz 1966, Tarjan 1975). Throws Error (usage) for
// 2^31 voxels or more.
Components connected_components(const Mask& mask,
                                Connectivity connectivity = Connectivity::corners);

// Voxels of each component; entry 0 counts those outside.
std::vector<std::int64_t> component_sizes(const Components& components);

}  // namespace ratnet::inline v1
