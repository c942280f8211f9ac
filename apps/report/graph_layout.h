// Where the boxes and curves of a drawn graph lie. Lengths are in pixels from the top left.
#pragma once

#include <span>
#include <vector>

#include "../../network/graph.h"
#include "drawn_box.h"

namespace ratnet::inline v1 {

struct GraphCurve {
  int from = 0;  // nodes
  int to = 0;
  bool skip = false;  // passes other layers by
  // Cubic Bézier: where it begins, then two controls and an end for every piece.
  std::vector<DrawnPoint> points;
  DrawnPoint tip;  // of its arrow, at the edge of the box
};

struct GraphLayout {
  std::vector<DrawnBox> boxes;     // by node; none overlaps another
  std::vector<GraphCurve> curves;  // by the order of nodes and their inputs; none enters a box
  double width = 0;
  double height = 0;
};

// heights: of every node's box. A U is drawn as one, its expanding half rising beside the other;
// any other graph runs downwards, over several columns where one would be long. Throws Error
// (usage) for more than 1000 layers or more connections than a picture can show.
GraphLayout lay_out(const Graph& graph, double box_width, std::span<const double> heights);

}  // namespace ratnet::inline v1
