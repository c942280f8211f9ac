// What layers ask for whose output has the shape of their first input.
#pragma once

#include "layer.h"

namespace ratnet::inline v1::layers {

inline LayerShapes unchanged(const Shape& input) {
  LayerShapes shapes;
  shapes.output = input;
  return shapes;
}

// For a backward that reads the output.
inline LayerShapes keeping_output(const Shape& input) {
  LayerShapes shapes = unchanged(input);
  shapes.backward_needs_output = true;
  return shapes;
}

}  // namespace ratnet::inline v1::layers
