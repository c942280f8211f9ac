// Whether losses can read what a graph gives.
#pragma once

#include "objective.h"

namespace ratnet::inline v1 {

// Throws Error (input), naming the loss and its output, where it is not of the shape that the loss
// reads: classes for labels [N, K], for masks [N, spatial of the input, K], an image like the
// input, two codes alike. The numbers of the losses are not looked at.
void check_shapes(const Graph& graph, const Objective& objective);

}  // namespace ratnet::inline v1
