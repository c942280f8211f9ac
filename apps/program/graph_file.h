// A graph that somebody wrote (docs/graphs.md).
#pragma once

#include <optional>
#include <string>

#include "../../network/graph.h"
#include "../../train/mri_augmentation.h"
#include "../../train/objective.h"

namespace ratnet::inline v1 {

struct GraphFile {
  Graph graph;
  std::optional<Objective> objective;  // its "losses", where there are any
  std::optional<MriAugmentation> augmentation;
  std::optional<Patches> patches;  // without their size, which is that of the graph's input
};

// Throws Error, beginning with the path: file_system where it cannot be read, input for anything
// else than a graph.
GraphFile read_graph_file(const std::string& path);

}  // namespace ratnet::inline v1
