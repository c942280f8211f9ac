#include "graph_side.h"

#include <algorithm>

namespace ratnet::inline v1 {
namespace {

constexpr std::size_t kMostPlaces = 40000;
constexpr double kLaneWidth = 8;
constexpr double kBesideBox = 14;  // between a lane and its neighbour
constexpr double kBetweenBoxes = 34;
constexpr int kOrderSweeps = 12;
constexpr int kCoordinateSweeps = 200;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

class Arranger {
 public:
  Arranger(const Graph& graph, const GraphRows& rows, bool rising, double box_width)
      : graph_(graph), rows_(rows), rising_(rising), box_width_(box_width) {
    side_.lanes.resize(graph.nodes().size());
    side_.rows.resize(at(1 + *std::max_element(rows.row.begin(), rows.row.end())));
    side_.links.resize(side_.rows.size());
    for (std::size_t i = 0; i < graph.nodes().size(); ++i)
      if (rows.rising[i] == rising) side_.lanes[i] = {add(static_cast<int>(i), true, rows.row[i])};
    const bool is_u = std::count(rows.rising.begin(), rows.rising.end(), true) > 0;
    lanes_lean_ = is_u && !rising ? -1 : 1;
    find_ahead();
    add_lanes();
    neighbours_[0].resize(side_.places.size());
    neighbours_[1].resize(side_.places.size());
    for (const auto& gap : side_.links)
      for (const auto& [upper, lower] : gap) {
        neighbours_[0][at(lower)].push_back(upper);
        neighbours_[1][at(upper)].push_back(lower);
      }
  }

  GraphSide arranged() {
    find_order();
    find_coordinates();
    return std::move(side_);
  }

 private:
  int add(int node, bool box, int row) {
    require(side_.places.size() < kMostPlaces,
            "the graph has more connections than a drawing can show; draw a part of it");
    const int place = static_cast<int>(side_.places.size());
    side_.places.push_back({node, box, row, box ? box_width_ : kLaneWidth});
    side_.rows[at(row)].push_back(place);
    return place;
  }

  void link(int from, int to) {
    const auto [upper, lower] = rising_ ? std::pair(to, from) : std::pair(from, to);
    side_.links[at(side_.places[at(upper)].row)].emplace_back(upper, lower);
  }

  void find_ahead() {
    const std::vector<Node>& nodes = graph_.nodes();
    ahead_.resize(nodes.size());
    for (std::size_t v = nodes.size(); v-- > 0;)
      for (const int u : nodes[v].inputs)
        if (rows_.rising[at(u)] == rows_.rising[v])
          ahead_[at(u)] = std::max(ahead_[at(u)], ahead_[v] + 1);
  }

  void add_lanes() {
    const std::vector<Node>& nodes = graph_.nodes();
    std::vector<std::vector<int>> readers(nodes.size());
    crosses_.resize(nodes.size());
    for (std::size_t v = 0; v < nodes.size(); ++v)
      for (const int u : nodes[v].inputs) {
        if (rows_.rising[at(u)] != rows_.rising[v]) {
          crosses_[at(u)] = crosses_[v] = true;
        } else if (readers[at(u)].empty() || readers[at(u)].back() != static_cast<int>(v)) {
          readers[at(u)].push_back(static_cast<int>(v));
        }
      }
    const int step = rising_ ? -1 : 1;
    for (std::size_t u = 0; u < nodes.size(); ++u) {
      if (side_.lanes[u].empty() || readers[u].empty()) continue;
      int rows_passed = 0;
      for (const int v : readers[u])
        rows_passed = std::max(rows_passed, step * (rows_.row[at(v)] - rows_.row[u]));
      for (int passed = 1; passed < rows_passed; ++passed) {
        const int lane = add(static_cast<int>(u), false, rows_.row[u] + step * passed);
        link(side_.lanes[u].back(), lane);
        side_.lanes[u].push_back(lane);
      }
      for (const int v : readers[u])
        link(side_.lanes[u][at(step * (rows_.row[at(v)] - rows_.row[u]) - 1)],
             side_.lanes[at(v)][0]);
    }
  }

  // Sorts a row by the mean position of the neighbours above (0) or below (1).
  void sort_row(std::vector<int>& row, int direction) {
    std::vector<std::pair<double, int>> keys;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::vector<int>& near = neighbours_[at(direction)][at(row[i])];
      double key = position_[at(row[i])];
      if (!near.empty()) {
        key = 0;
        for (const int other : near) key += position_[at(other)];
        key /= static_cast<double>(near.size());
      }
      const GraphPlace& place = side_.places[at(row[i])];
      // Of equals, the lane stands aside, and outside of a U; who is connected to the other half
      // stands towards it.
      if (!place.box) key += 0.25 * lanes_lean_;
      if (place.box && crosses_[at(place.node)]) key += rising_ ? -1000 : 1000;
      keys.emplace_back(key, row[i]);
    }
    std::stable_sort(keys.begin(), keys.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = keys[i].second;
    number(row);
  }

  void number(const std::vector<int>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) position_[at(row[i])] = static_cast<double>(i);
  }

  std::int64_t crossings() const {
    std::int64_t count = 0;
    for (const auto& gap : side_.links)
      for (std::size_t i = 0; i < gap.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
          count += (position_[at(gap[i].first)] - position_[at(gap[j].first)]) *
                       (position_[at(gap[i].second)] - position_[at(gap[j].second)]) <
                   0;
    return count;
  }

  void find_order() {
    position_.resize(side_.places.size());
    for (const auto& row : side_.rows) number(row);
    auto best = side_.rows;
    std::int64_t fewest = -1;
    for (int sweep = 0; sweep < kOrderSweeps && fewest != 0; ++sweep) {
      // With the flow first: lanes have found their side by then.
      const int direction = (sweep + (rising_ ? 1 : 0)) % 2;
      for (std::size_t r = 0; r < side_.rows.size(); ++r)
        sort_row(side_.rows[direction == 0 ? r : side_.rows.size() - 1 - r], direction);
      const std::int64_t count = crossings();
      if (fewest < 0 || count < fewest) {
        fewest = count;
        best = side_.rows;
      }
    }
    side_.rows = std::move(best);
  }

  // How strongly a link wants to be upright: the longest way through the graph most of all, then
  // lanes; where both meet, the lane gives way.
  double pull(int a, int b) const {
    const GraphPlace& one = side_.places[at(a)];
    const GraphPlace& other = side_.places[at(b)];
    if (!one.box || !other.box) return one.box || other.box ? 0.1 : 4;
    const auto [from, to] = std::minmax(one.node, other.node);
    return ahead_[at(to)] + 1 == ahead_[at(from)] ? 100 : 0.1;
  }

  // The places of a row as near to where their neighbours want them as their widths permit: least
  // squares under an order, by pooling adjacent violators (Barlow and others, 1972).
  void place_row(const std::vector<int>& row, bool above, bool below) {
    struct Block {
      double mean, weight;
      std::size_t size;
    };
    std::vector<Block> blocks;
    std::vector<double> offsets;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const GraphPlace& place = side_.places[at(row[i])];
      if (i == 0) {
        offsets.push_back(0);
      } else {
        const GraphPlace& left = side_.places[at(row[i - 1])];
        offsets.push_back(offsets.back() + (left.width + place.width) / 2 +
                          (left.box && place.box ? kBetweenBoxes : kBesideBox));
      }
      double sum = 0, weight = 0;
      for (int direction = 0; direction < 2; ++direction)
        if (direction == 0 ? above : below)
          for (const int other : neighbours_[at(direction)][at(row[i])]) {
            sum += pull(row[i], other) * side_.places[at(other)].x;
            weight += pull(row[i], other);
          }
      if (weight == 0) {
        weight = 0.1;
        sum = weight * place.x;
      }
      blocks.push_back({sum / weight - offsets.back(), weight, 1});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].mean > blocks.back().mean) {
        const Block last = blocks.back();
        blocks.pop_back();
        Block& block = blocks.back();
        block.mean =
            (block.mean * block.weight + last.mean * last.weight) / (block.weight + last.weight);
        block.weight += last.weight;
        block.size += last.size;
      }
    }
    std::size_t i = 0;
    for (const Block& block : blocks)
      for (std::size_t k = 0; k < block.size; ++k, ++i)
        side_.places[at(row[i])].x = block.mean + offsets[i];
  }

  void find_coordinates() {
    std::vector<std::vector<int>>& rows = side_.rows;
    for (const auto& row : rows) place_row(row, false, false);
    for (int sweep = 0; sweep < kCoordinateSweeps; ++sweep) {
      const bool down = sweep % 2 == 0;
      const bool both = sweep >= kCoordinateSweeps / 2;
      for (std::size_t r = 0; r < rows.size(); ++r)
        place_row(rows[down ? r : rows.size() - 1 - r], down || both, !down || both);
    }
    double left = 1e300, right = -1e300;
    for (const GraphPlace& place : side_.places) {
      left = std::min(left, place.x - place.width / 2);
      right = std::max(right, place.x + place.width / 2);
    }
    for (GraphPlace& place : side_.places) place.x -= left;
    side_.width = std::max(0.0, right - left);
  }

  const Graph& graph_;
  const GraphRows& rows_;
  const bool rising_;
  const double box_width_;
  double lanes_lean_ = 1;
  GraphSide side_;
  std::vector<int> ahead_;     // by node: layers on the longest way from it to an end of this side
  std::vector<bool> crosses_;  // by node: connected to the other half
  std::vector<std::vector<int>> neighbours_[2];  // by place: above, below
  std::vector<double> position_;                 // by place: in its row
};

}  // namespace

GraphSide arrange_side(const Graph& graph, const GraphRows& rows, bool rising, double box_width) {
  return Arranger(graph, rows, rising, box_width).arranged();
}

}  // namespace ratnet::inline v1
