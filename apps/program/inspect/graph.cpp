#include <algorithm>
#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "../../../network/graph_table.h"
#include "descriptions.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kColumns = 8;
using Line = std::array<std::string, kColumns>;
constexpr std::array<bool, kColumns> kToTheRight = {false, false, false, true, true, true};

std::string digits(const char* format, double value) {
  std::array<char, 64> buffer;
  std::snprintf(buffer.data(), buffer.size(), format, value);
  return buffer.data();
}

template <class Items, class Word>
std::string joined(const Items& items, const char* between, Word&& word) {
  std::string line;
  for (const auto& item : items) line += (line.empty() ? "" : between) + word(item);
  return line;
}

}  // namespace

std::string graph_json(const Graph& graph) {
  const GraphTable table = graph_table(graph);
  Json layers = Json::array();
  for (const GraphRow& row : table.rows)
    layers.push_back({{"name", row.name},
                      {"kind", row.kind},
                      {"options", row.fields},
                      {"inputs", row.inputs},
                      {"output", row.output.sizes()},
                      {"parameters", row.parameters},
                      {"trainable", row.trainable},
                      {"multiply_adds", row.multiply_adds},
                      {"output_bytes", row.output_bytes}});
  Json outputs = Json::array();
  for (const int output : graph.outputs())
    outputs.push_back(table.rows[static_cast<std::size_t>(output)].name);
  return Json{{"type", "graph"},
              {"parameters", table.parameters},
              {"trainable", table.trainable},
              {"multiply_adds", table.multiply_adds},
              {"output_bytes", table.output_bytes},
              {"outputs", outputs},
              {"layers", layers}}
      .dump(2);
}

void print_graph(const Graph& graph) {
  const GraphTable table = graph_table(graph);
  std::vector<Line> lines = {{"layer", "kind", "output", "parameters", "multiply-adds",
                              "output bytes", "reads", "options"}};
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const GraphRow& row = table.rows[i];
    const bool from_above =
        row.inputs.empty() || (i > 0 && row.inputs == std::vector{table.rows[i - 1].name});
    lines.push_back(
        {row.name, std::string(row.kind),
         joined(row.output.sizes(), " x ", [](std::int64_t size) { return std::to_string(size); }),
         std::to_string(row.parameters), digits("%.0f", row.multiply_adds),
         std::to_string(row.output_bytes),
         from_above ? "" : joined(row.inputs, ", ", [](const std::string& name) { return name; }),
         row.fields});
  }
  std::array<std::size_t, kColumns> widths{};
  for (std::size_t column = 0; column < kColumns; ++column)
    // A heading alone is no reason for a column.
    for (std::size_t i = lines.size(); i-- > 0;)
      if (i > 0 || widths[column] > 0)
        widths[column] = std::max(widths[column], lines[i][column].size());
  for (const Line& line : lines) {
    std::string printed;
    for (std::size_t column = 0; column < kColumns; ++column) {
      if (widths[column] == 0) continue;
      const std::string blanks(widths[column] - line[column].size(), ' ');
      printed += "  " + (kToTheRight[column] ? blanks + line[column] : line[column] + blanks);
    }
    printed.erase(printed.find_last_not_of(' ') + 1);
    std::printf("%s\n", printed.c_str());
  }
  std::printf("%s\n", joined(totals_in_words(table), "; ", [](const std::string& words) {
                        return words;
                      }).c_str());
}

}  // namespace ratnet::inline v1
