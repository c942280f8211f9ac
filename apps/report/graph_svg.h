// A graph as a picture: one SVG file without scripts, styles or fonts from elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "../../network/graph.h"

namespace ratnet::inline v1 {

// Boxes with name, kind, options, output and parameters, coloured by family of layer; below each
// its share of the multiply-adds. Text is measured in DejaVu Sans. Throws Error (usage) where the
// graph is too large to draw (graph_layout.h).
std::string graph_svg(const Graph& graph, std::string_view title);

}  // namespace ratnet::inline v1
