#include "graph_rows.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

namespace ratnet::inline v1 {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// Spatial positions of every output; 1 where it has none.
std::vector<std::int64_t> positions_of(const Graph& graph) {
  std::vector<std::int64_t> positions;
  for (const LayerShapes& shapes : graph.infer(1, false)) {
    positions.push_back(1);
    for (int d = 1; d + 1 < shapes.output.rank(); ++d) positions.back() *= shapes.output[d];
  }
  return positions;
}

// Where resolution begins to rise from its lowest.
std::optional<int> bottom_of(const Graph& graph, const std::vector<std::int64_t>& positions) {
  std::optional<int> bottom;
  for (std::size_t v = 0; v < positions.size(); ++v) {
    const std::vector<int>& inputs = graph.nodes()[v].inputs;
    // Where another input is as large, a small one is a gate and not what the layer enlarges.
    const bool rises = std::all_of(inputs.begin(), inputs.end(),
                                   [&](int u) { return positions[at(u)] < positions[v]; });
    if (rises)
      for (const int u : inputs)
        if (!bottom || positions[at(u)] < positions[at(*bottom)]) bottom = u;
  }
  return bottom;
}

std::vector<bool> rising_half(const Graph& graph) {
  const std::vector<std::int64_t> positions = positions_of(graph);
  std::vector<bool> rising(positions.size());
  const auto bottom = bottom_of(graph, positions);
  if (!bottom) return rising;
  bool skips = false;
  for (std::size_t v = 0; v < rising.size(); ++v) {
    const std::vector<int>& inputs = graph.nodes()[v].inputs;
    rising[v] = std::any_of(inputs.begin(), inputs.end(),
                            [&](int u) { return u == *bottom || rising[at(u)]; });
    for (const int u : inputs)
      skips |= rising[v] && !rising[at(u)] && positions[at(u)] > positions[at(*bottom)];
  }
  if (!skips) rising.assign(rising.size(), false);
  return rising;
}

struct Order {
  int upper;
  int lower;
};

// The longest path from the top to every node, nodes of one group together; nothing where a group
// would have to stand above itself.
std::optional<std::vector<int>> longest_paths(const std::vector<Order>& orders,
                                              const std::vector<int>& group) {
  const std::size_t n = group.size();
  std::vector<std::vector<int>> lower(n);
  std::vector<int> waits(n), row(n), ready;
  for (const Order& order : orders) {
    lower[at(group[at(order.upper)])].push_back(group[at(order.lower)]);
    ++waits[at(group[at(order.lower)])];
  }
  std::size_t done = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (waits[i] == 0) ready.push_back(static_cast<int>(i));
  }
  while (!ready.empty()) {
    const int upper = ready.back();
    ready.pop_back();
    ++done;
    for (const int v : lower[at(upper)]) {
      row[at(v)] = std::max(row[at(v)], row[at(upper)] + 1);
      if (--waits[at(v)] == 0) ready.push_back(v);
    }
  }
  if (done < n) return std::nullopt;
  for (std::size_t i = 0; i < n; ++i) row[i] = row[at(group[i])];
  return row;
}

}  // namespace

GraphRows assign_rows(const Graph& graph) {
  const std::vector<Node>& nodes = graph.nodes();
  GraphRows rows{.row = {}, .rising = rising_half(graph)};
  std::vector<Order> orders;
  for (std::size_t v = 0; v < nodes.size(); ++v)
    for (const int u : nodes[v].inputs)
      if (rows.rising[at(u)] == rows.rising[v])
        orders.push_back(rows.rising[v] ? Order{static_cast<int>(v), u}
                                        : Order{u, static_cast<int>(v)});

  std::vector<int> group(nodes.size());
  std::iota(group.begin(), group.end(), 0);
  rows.row = longest_paths(orders, group).value();
  std::vector<bool> tied(nodes.size());
  const auto falling_input = [&](std::size_t v) -> std::optional<int> {
    for (const int u : nodes[v].inputs)
      if (!rows.rising[at(u)]) return u;
    return std::nullopt;
  };
  for (std::size_t v = 0; v < nodes.size(); ++v) {
    const auto u = rows.rising[v] && nodes[v].inputs.size() > 1 ? falling_input(v) : std::nullopt;
    if (!u) continue;
    group[v] = *u;
    if (auto row = longest_paths(orders, group)) {
      rows.row = std::move(*row);
      tied[v] = tied[at(*u)] = true;
    } else {
      group[v] = static_cast<int>(v);
    }
  }

  // What has room comes as close as it can to what it reads in the rising half, and to who reads it
  // in the falling one; in a graph that is no U, inputs alone do.
  for (std::size_t v = 0; v < nodes.size(); ++v) {
    if (!rows.rising[v] || tied[v]) continue;
    int lowest = std::numeric_limits<int>::max(), beside = 0;
    for (const int u : nodes[v].inputs) {
      if (rows.rising[at(u)]) lowest = std::min(lowest, rows.row[at(u)] - 1);
      beside = std::max(beside, rows.row[at(u)]);
    }
    rows.row[v] = std::max(rows.row[v], std::min(lowest, beside));
  }
  const bool is_u = std::count(rows.rising.begin(), rows.rising.end(), true) > 0;
  std::vector<int> lowest(nodes.size(), std::numeric_limits<int>::max());  // above its readers
  for (std::size_t u = nodes.size(); u-- > 0;) {
    if (!rows.rising[u] && !tied[u] && (is_u || nodes[u].inputs.empty()) &&
        lowest[u] < std::numeric_limits<int>::max())
      rows.row[u] = lowest[u];
    for (const int input : nodes[u].inputs)
      lowest[at(input)] = std::min(lowest[at(input)], rows.row[u] - (rows.rising[u] ? 0 : 1));
  }
  return rows;
}

}  // namespace ratnet::inline v1
