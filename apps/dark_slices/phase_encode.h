// The direction in which a slice is phase-encoded: signal lost in some shots ghosts along it.
#pragma once

#include <cstdint>

namespace ratnet::inline v1 {

enum class PhaseEncodeAxis : std::uint8_t {
  left_right,     // along the rows of an upright coronal slice
  dorso_ventral,  // along its columns
};

}  // namespace ratnet::inline v1
