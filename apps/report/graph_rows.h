// The rows of a drawn graph.
#pragma once

#include <vector>

#include "../../network/graph.h"

namespace ratnet::inline v1 {

struct GraphRows {
  std::vector<int> row;  // by node; 0 is at the top
  // By node: whether it belongs to the expanding half of a U, which is drawn beside the contracting
  // half and from the bottom to the top. All false where the graph is no U.
  std::vector<bool> rising;
};

// Every layer stands below those it reads, by the longest path; in the expanding half of a U above
// them. A graph is a U where its resolution falls, rises again, and a connection skips the bottom;
// the two ends of such a connection share a row, if the others permit it.
GraphRows assign_rows(const Graph& graph);

}  // namespace ratnet::inline v1
