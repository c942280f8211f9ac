// The random numbers of operations that draw: element i takes number i % 4 of block i / 4, of which
// the low 32 bits count.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "../core/random.h"
#include "everywhere.h"

namespace ratnet::inline v1 {

// key: [seed, step]. stream: which operation of the graph.
RATNET_EVERYWHERE inline std::array<std::uint32_t, 4> random_block(const std::int64_t* key,
                                                                   std::uint32_t stream,
                                                                   std::int64_t block) {
  return philox({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(key[1]), stream, 0},
                static_cast<std::uint64_t>(key[0]));
}

// Four normal numbers in place of them (Box and Muller 1958).
RATNET_EVERYWHERE inline void normal_block(const std::int64_t* key, std::uint32_t stream,
                                           std::int64_t block, double (&normal)[4]) {
  constexpr double kTwoPi = 6.283185307179586;
  const auto numbers = random_block(key, stream, block);
  for (std::size_t k = 0; k < 4; k += 2) {
    const double radius = std::sqrt(-2 * std::log(open_unit(numbers[k])));
    const double angle = kTwoPi * open_unit(numbers[k + 1]);
    normal[k] = radius * std::cos(angle);
    normal[k + 1] = radius * std::sin(angle);
  }
}

}  // namespace ratnet::inline v1
