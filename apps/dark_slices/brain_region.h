// Where the brain lies in a slice.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ratnet::inline v1 {

// Where to measure, on every slice of one position.
struct BrainRegion {
  int rows = 0, columns = 0;
  std::vector<std::uint8_t> brain;  // [rows, columns], 1 = brain
  // The picture: rows and columns that are not padding, [first, last).
  int first_row = 0, last_row = 0, first_column = 0, last_column = 0;
  // False for slices of a run that show no brain: less than 0.35 of what its brighter slices have.
  bool has_signal = true;
};

// How much of the brain the region takes in.
enum class RegionExtent {
  core,   // a box that lies inside the brain from its front to its back: for slices of any position
  brain,  // what is connected to that box and about as bright: for one slice position
};

// Finds the brain in a typical slice (a median over time, or over many slices): the head by its
// brightness, then its upper middle.
BrainRegion find_brain(std::span<const float> typical, int rows, int columns, RegionExtent extent);

}  // namespace ratnet::inline v1
