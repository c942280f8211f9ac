// What many values can become one by.
#pragma once

#include <cstdint>

namespace ratnet::inline v1 {

enum class Reduction : std::uint8_t { sum, mean, max };

}  // namespace ratnet::inline v1
