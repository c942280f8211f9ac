// Floats as integers, to be sorted and searched by their digits.
#pragma once

#include <bit>
#include <cstdint>

namespace ratnet::inline v1 {

// An integer in the order of the floats (IEEE 754): -0 stands before 0, NaN at an end.
inline std::uint32_t float_rank(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

// Its inverse.
inline float float_of_rank(std::uint32_t rank) {
  return std::bit_cast<float>(rank >> 31 ? rank & 0x7fffffffu : ~rank);
}

}  // namespace ratnet::inline v1
