// One flow of a drawn graph, downwards or upwards: who stands where in each row (Sugiyama and
// others, 1981: barycentres for the order, then coordinates row by row).
#pragma once

#include <utility>
#include <vector>

#include "graph_rows.h"

namespace ratnet::inline v1 {

// In a row: a layer's box, or the lane by which its output passes on to a farther row.
struct GraphPlace {
  int node = 0;
  bool box = false;
  int row = 0;
  double width = 0;
  double x = 0;  // of its centre
};

struct GraphSide {
  std::vector<GraphPlace> places;
  std::vector<std::vector<int>> rows;  // indices of places, from left to right
  // By gap below a row: places of the two rows, (upper, lower).
  std::vector<std::vector<std::pair<int, int>>> links;
  // By node of this side: its box, then its lane in each row that it passes. All who read a layer
  // share its lane.
  std::vector<std::vector<int>> lanes;
  double width = 0;  // x runs from 0 to this
};

// The layers of one half; all of them where the graph is no U. Throws Error (usage) where there is
// more to draw than a picture can show.
GraphSide arrange_side(const Graph& graph, const GraphRows& rows, bool rising, double box_width);

}  // namespace ratnet::inline v1
