#include "graph_table.h"

#include <array>
#include <cstdio>
#include <set>

namespace ratnet::inline v1 {
namespace {

// Four digits and a unit, the largest one that leaves 1 or more.
std::string in_units(double value, double step, std::span<const char* const> units) {
  std::size_t unit = 0;
  for (; value >= step && unit + 1 < units.size(); ++unit) value /= step;
  std::array<char, 48> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.4g%s", value, units[unit]);
  return buffer.data();
}

}  // namespace

GraphTable graph_table(const Graph& graph) {
  const std::vector<LayerShapes> shapes = graph.infer(1, false);
  GraphTable table;
  std::set<std::string> counted;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Node& node = graph.nodes()[i];
    GraphRow row{.name = node.name,
                 .kind = kind_of(node.layer),
                 .fields = summary(node.layer),
                 .inputs = {},
                 .output = Shape(shapes[i].output.sizes().subspan(1)),
                 .multiply_adds = shapes[i].multiply_adds};
    for (const int input : node.inputs)
      row.inputs.push_back(graph.nodes()[static_cast<std::size_t>(input)].name);
    for (const WeightSpec& weight : shapes[i].weights) {
      // Shared ones stand with the first node that has them.
      if (!counted.insert(node.weights_name() + "/" + weight.name).second) continue;
      row.parameters += weight.shape.count();
      if (!weight.statistic) row.trainable += weight.shape.count();
    }
    if (!shapes[i].same_memory)
      row.output_bytes = row.output.count() * static_cast<std::int64_t>(sizeof(float));
    table.parameters += row.parameters;
    table.trainable += row.trainable;
    table.multiply_adds += row.multiply_adds;
    table.output_bytes += row.output_bytes;
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::vector<std::string> totals_in_words(const GraphTable& table) {
  constexpr std::array<const char*, 5> counts = {"", " thousand", " million", " billion",
                                                 " trillion"};
  constexpr std::array<const char*, 5> bytes = {" bytes", " KiB", " MiB", " GiB", " TiB"};
  return {text(table.parameters, " parameters, ",
               table.trainable == table.parameters ? "all" : std::to_string(table.trainable),
               " trainable"),
          in_units(table.multiply_adds, 1000, counts) + " multiply-adds for one sample",
          in_units(static_cast<double>(table.output_bytes), 1024, bytes) +
              " of outputs for one sample"};
}

}  // namespace ratnet::inline v1
