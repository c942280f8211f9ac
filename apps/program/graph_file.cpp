#include "graph_file.h"

#include <nlohmann/json.hpp>

#include "../../core/atomic_file.h"
#include "../../core/json_depth.h"
#include "../../train/objective_shapes.h"

namespace ratnet::inline v1 {

GraphFile read_graph_file(const std::string& path) {
  constexpr std::size_t kLongest = std::size_t{16} << 20;
  std::string source = read_file(path, kLongest);
  try {
    check_json_depth(source);
    nlohmann::json json = nlohmann::json::parse(source, nullptr, false);
    GraphFile read;
    const auto take = [&](const char* name) -> std::optional<std::string> {
      if (!json.is_object() || !json.contains(name)) return {};
      const std::string taken = json[name].dump();
      json.erase(name);
      source = json.dump();
      return taken;
    };
    if (const auto losses = take("losses")) read.objective = objective_from_json(*losses);
    if (const auto augmentation = take("augmentation"))
      read.augmentation = mri_augmentation_from_json(*augmentation);
    if (const auto patches = take("patches")) read.patches = patches_from_json(*patches);
    read.graph = Graph::from_json(source);
    if (read.objective) check_shapes(read.graph, *read.objective);
    return read;
  } catch (const Error& error) {
    throw error.with_context(path);
  }
}

}  // namespace ratnet::inline v1
