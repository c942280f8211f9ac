// What each layer of a graph makes and what it costs, for one sample.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph.h"

namespace ratnet::inline v1 {

struct GraphRow {
  std::string name;
  std::string_view kind;
  std::string fields;               // those that differ from their default, as summary() words them
  std::vector<std::string> inputs;  // names of the layers it reads
  Shape output;                     // of one sample: [spatial..., C]
  std::int64_t parameters = 0;
  std::int64_t trainable = 0;  // of the parameters: all but running statistics
  double multiply_adds = 0;
  // In f32. 0 where the output is the input under another shape.
  std::int64_t output_bytes = 0;
};

struct GraphTable {
  std::vector<GraphRow> rows;  // in the order of the graph's nodes
  std::int64_t parameters = 0;
  std::int64_t trainable = 0;
  double multiply_adds = 0;
  std::int64_t output_bytes = 0;
};

GraphTable graph_table(const Graph& graph);

// The totals as phrases: "281346 parameters, all trainable", "... multiply-adds", "... of outputs".
std::vector<std::string> totals_in_words(const GraphTable& table);

}  // namespace ratnet::inline v1
