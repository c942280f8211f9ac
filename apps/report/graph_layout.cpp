#include "graph_layout.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "graph_side.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::size_t kMostLayers = 1000;
constexpr std::size_t kMostConnections = 4000;
constexpr double kGap = 15;        // between rows with straight connections
constexpr double kCurvedGap = 28;  // at least, where one runs aslant
constexpr double kWidestGap = 70;
constexpr double kGutter = 84;  // between the halves of a U, and between columns
constexpr double kArrow = 6;
constexpr double kCorner = 10;   // radius
constexpr double kPorts = 22;    // between the ends of curves at one box
constexpr double kAspect = 1.1;  // width over height that columns aim at

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// Draws one curve, piece by piece.
class Pen {
 public:
  explicit Pen(DrawnPoint start) : points_{start} {}

  void line(DrawnPoint to) {
    const DrawnPoint from = points_.back();
    if (std::abs(to.x - from.x) + std::abs(to.y - from.y) < 0.01) return;
    curve({(2 * from.x + to.x) / 3, (2 * from.y + to.y) / 3},
          {(from.x + 2 * to.x) / 3, (from.y + 2 * to.y) / 3}, to);
  }
  // From upright to upright.
  void sway(DrawnPoint to) {
    const DrawnPoint from = points_.back();
    const double middle = (from.y + to.y) / 2;
    curve({from.x, middle}, {to.x, middle}, to);
  }
  // From level to level.
  void shift(DrawnPoint to) {
    const DrawnPoint from = points_.back();
    const double middle = (from.x + to.x) / 2;
    curve({middle, from.y}, {middle, to.y}, to);
  }
  // Round the corner at `corner` towards `to`, as far as the radius.
  void turn(DrawnPoint corner, DrawnPoint to) {
    const auto near = [&](DrawnPoint end) {
      const double length = std::hypot(end.x - corner.x, end.y - corner.y);
      const double share = length > 0 ? std::min(1.0, kCorner / length) : 0;
      return DrawnPoint{corner.x + share * (end.x - corner.x),
                        corner.y + share * (end.y - corner.y)};
    };
    line(near(points_.back()));
    curve(corner, corner, near(to));
  }

  std::vector<DrawnPoint> take() { return std::move(points_); }

 private:
  void curve(DrawnPoint a, DrawnPoint b, DrawnPoint to) {
    points_.insert(points_.end(), {a, b, to});
  }
  std::vector<DrawnPoint> points_;
};

class Layouter {
 public:
  Layouter(const Graph& graph, double box_width, std::span<const double> heights)
      : graph_(graph),
        heights_(heights),
        box_width_(box_width),
        rows_(assign_rows(graph)),
        is_u_(std::count(rows_.rising.begin(), rows_.rising.end(), true) > 0),
        sides_{arrange_side(graph, rows_, false, box_width),
               is_u_ ? arrange_side(graph, rows_, true, box_width) : GraphSide{}},
        offset_(is_u_ ? sides_[0].width + kGutter : 0) {}

  GraphLayout laid_out() {
    find_connections();
    find_row_heights();
    find_columns();
    place_rows();
    place_boxes();
    for (const Connection& connection : connections_)
      layout_.curves.push_back(connection.crosses ? across(connection) : along(connection));
    return std::move(layout_);
  }

 private:
  struct Connection {
    int from, to;
    bool crosses;  // from one half of a U to the other
    bool skip = false;
    bool level_out = true, level_in = true;  // then: nothing stands between it and the gutter
    std::vector<double> xs{};  // where not: by row from the first to the last, before columns
    double port = 0;           // across: how far below the middle of the box's side it ends
  };

  const GraphSide& side_of(int node) const { return sides_[rows_.rising[at(node)] ? 1 : 0]; }
  double x_of(int node, int place) const {
    return side_of(node).places[at(place)].x + (rows_.rising[at(node)] ? offset_ : 0);
  }
  double centre(int node) const { return x_of(node, side_of(node).lanes[at(node)][0]); }

  // Whether another box stands between this one and the other half.
  bool is_innermost(int node) const {
    for (const GraphPlace& place : side_of(node).places)
      if (place.box && place.node != node && place.row == rows_.row[at(node)] &&
          (place.x > side_of(node).places[at(side_of(node).lanes[at(node)][0])].x) !=
              rows_.rising[at(node)])
        return false;
    return true;
  }

  void find_connections() {
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      const int v = static_cast<int>(i);
      std::vector<int> inputs;
      for (const int u : graph_.nodes()[i].inputs)
        if (!std::count(inputs.begin(), inputs.end(), u)) inputs.push_back(u);
      std::vector<Connection> along, across;
      for (const int u : inputs) {
        Connection connection{u, v, rows_.rising[at(u)] != rows_.rising[i]};
        if (connection.crosses) {
          connection.level_out = is_innermost(u);
          connection.level_in = is_innermost(v);
          across.push_back(connection);
          continue;
        }
        const int passed = std::abs(rows_.row[i] - rows_.row[at(u)]);
        for (int k = 0; k < passed; ++k)
          connection.xs.push_back(x_of(u, side_of(u).lanes[at(u)][at(k)]));
        along.push_back(connection);
      }
      for (Connection& connection : along)
        connection.skip = std::any_of(along.begin(), along.end(), [&](const Connection& other) {
          return other.xs.size() < connection.xs.size();
        });
      for (Connection& connection : across) connection.skip = inputs.size() > 1;
      // Ends side by side in the order in which they arrive.
      std::stable_sort(along.begin(), along.end(), [](const Connection& a, const Connection& b) {
        return a.xs.back() < b.xs.back();
      });
      // What comes from right above stays upright.
      double upright = static_cast<double>(along.size() - 1) / 2;
      for (std::size_t k = 0; k < along.size(); ++k)
        if (std::abs(along[k].xs.back() - centre(v)) < 2) upright = static_cast<double>(k);
      const double ports = std::min(kPorts, box_width_ / 2 / static_cast<double>(along.size() + 1));
      for (std::size_t k = 0; k < along.size(); ++k)
        along[k].xs.push_back(centre(v) + ports * (static_cast<double>(k) - upright));
      std::stable_sort(across.begin(), across.end(), [&](const Connection& a, const Connection& b) {
        return rows_.row[at(a.from)] < rows_.row[at(b.from)];
      });
      const double sides = std::min(kPorts, heights_[i] / static_cast<double>(across.size() + 1));
      for (std::size_t k = 0; k < across.size(); ++k)
        across[k].port =
            sides * (static_cast<double>(k) - static_cast<double>(across.size() - 1) / 2);
      connections_.insert(connections_.end(), along.begin(), along.end());
      connections_.insert(connections_.end(), across.begin(), across.end());
    }
  }

  void find_row_heights() {
    const std::size_t n = sides_[0].rows.size();
    height_.assign(n, 0);
    gap_.assign(n, kGap);
    for (std::size_t i = 0; i < heights_.size(); ++i)
      height_[at(rows_.row[i])] = std::max(height_[at(rows_.row[i])], heights_[i]);
    for (const Connection& connection : connections_) {
      const int from = rows_.row[at(connection.from)];
      const int step = rows_.row[at(connection.to)] > from ? 1 : -1;
      for (std::size_t k = 0; k + 1 < connection.xs.size(); ++k) {
        const int row = from + step * static_cast<int>(k);
        const double aslant = std::abs(connection.xs[k + 1] - connection.xs[k]);
        double& gap = gap_[at(std::min(row, row + step))];
        if (aslant > 1) gap = std::max(gap, std::clamp(0.2 * aslant, kCurvedGap, kWidestGap));
      }
      if (!connection.level_out) widen_gap(rows_.row[at(connection.from)]);
      if (!connection.level_in) widen_gap(rows_.row[at(connection.to)]);
    }
  }
  void widen_gap(int row) { gap_[at(row)] = std::max(gap_[at(row)], 2 * kCurvedGap); }

  // Cuts a long drawing where only one layer's output passes.
  void find_columns() {
    const std::size_t n = height_.size();
    column_.assign(n, 0);
    if (is_u_) return;
    const auto one_passes = [&](std::size_t r) {
      const GraphSide& side = sides_[0];
      return std::all_of(side.links[r].begin(), side.links[r].end(), [&](const auto& link) {
        return side.places[at(link.first)].node ==
               side.places[at(side.links[r].front().first)].node;
      });
    };
    double total = 0;
    for (std::size_t r = 0; r < n; ++r) total += height_[r] + gap_[r];
    const double columns = std::floor(std::sqrt(kAspect * total / (sides_[0].width + kGutter)));
    std::vector<std::size_t> cuts;  // rows that a column may end with
    std::vector<double> end;        // by row: how far down it ends
    for (std::size_t r = 0; r < n; ++r) {
      end.push_back((r > 0 ? end.back() : 0) + height_[r] + gap_[r]);
      if (r + 1 < n && one_passes(r)) cuts.push_back(r);
    }
    double begin = 0;
    for (double remaining = columns; remaining > 1; --remaining) {
      const double wanted = begin + (total - begin) / remaining;
      const auto cut =
          std::min_element(cuts.begin(), cuts.end(), [&](std::size_t a, std::size_t b) {
            return std::abs(end[a] - wanted) < std::abs(end[b] - wanted);
          });
      // Better one column fewer than one of a few layers.
      if (cut == cuts.end() || std::abs(end[*cut] - wanted) > (wanted - begin) / 3) continue;
      begin = end[*cut];
      for (std::size_t r = *cut + 1; r < n; ++r) ++column_[r];
    }
  }

  void place_rows() {
    const std::size_t n = height_.size();
    const bool wraps = column_.back() > 0;
    top_.assign(n, 0);
    double y = 0;
    for (std::size_t r = 0; r < n; ++r) {
      if (r == 0 || column_[r] != column_[r - 1]) y = wraps ? 2 * kArrow + 2 * kCorner : 0;
      top_[r] = y;
      y += height_[r];
      const bool runs_below =
          gap_[r] >= 2 * kCurvedGap || (r + 1 < n && column_[r + 1] != column_[r]);
      layout_.height = std::max(layout_.height, y + (runs_below ? kCurvedGap : 0));
      y += gap_[r];
    }
    layout_.width = is_u_ ? offset_ + sides_[1].width
                          : column_.back() * (sides_[0].width + kGutter) + sides_[0].width;
  }

  double shift(int row) const { return column_[at(row)] * (sides_[0].width + kGutter); }
  double bottom(int row) const { return top_[at(row)] + height_[at(row)]; }

  void place_boxes() {
    for (std::size_t i = 0; i < heights_.size(); ++i) {
      const int row = rows_.row[i];
      layout_.boxes.push_back({centre(static_cast<int>(i)) - box_width_ / 2 + shift(row),
                               top_[at(row)] + (height_[at(row)] - heights_[i]) / 2, box_width_,
                               heights_[i]});
    }
  }

  GraphCurve along(const Connection& connection) const {
    const DrawnBox& from = layout_.boxes[at(connection.from)];
    const DrawnBox& to = layout_.boxes[at(connection.to)];
    const bool rises = rows_.rising[at(connection.from)];
    const int step = rises ? -1 : 1;
    int row = rows_.row[at(connection.from)];
    Pen pen({connection.xs[0] + shift(row), rises ? from.y : from.y + from.height});
    for (std::size_t k = 0; k + 1 < connection.xs.size(); ++k, row += step) {
      const double x = connection.xs[k] + shift(row);
      const double next = connection.xs[k + 1] + shift(row + step);
      pen.line({x, rises ? top_[at(row)] : bottom(row)});
      if (column_[at(row)] != column_[at(row + step)]) {
        const double under = bottom(row) + 2 * kCorner,
                     over = top_[at(row + step)] - 2 * kArrow - kCorner;
        const double gutter = shift(row + step) - kGutter / 2;
        pen.turn({x, under}, {gutter, under});
        pen.turn({gutter, under}, {gutter, over});
        pen.turn({gutter, over}, {next, over});
        pen.turn({next, over}, {next, top_[at(row + step)]});
        pen.line({next, top_[at(row + step)] - kArrow});
      } else {
        pen.sway({next, rises ? bottom(row + step) + kArrow : top_[at(row + step)] - kArrow});
      }
    }
    const double x = connection.xs.back() + shift(row);
    const double edge = rises ? to.y + to.height : to.y;
    pen.line({x, edge - step * kArrow});
    return {connection.from, connection.to, connection.skip, pen.take(), {x, edge}};
  }

  // From the falling half of a U to the rising one: level, or through the gap below a row of boxes.
  GraphCurve across(const Connection& connection) const {
    const DrawnBox& from = layout_.boxes[at(connection.from)];
    const DrawnBox& to = layout_.boxes[at(connection.to)];
    const double near = sides_[0].width, far = offset_;
    const auto lane = [&](int node) { return bottom(rows_.row[at(node)]) + kCurvedGap; };
    const double y0 = connection.level_out ? from.y + from.height / 2 : lane(connection.from);
    const double y1 =
        connection.level_in ? to.y + to.height / 2 + connection.port : lane(connection.to);
    const double out = from.x + from.width / 2, in = to.x + to.width / 2;
    DrawnPoint tip{to.x, y1};
    Pen pen(connection.level_out ? DrawnPoint{from.x + from.width, y0}
                                 : DrawnPoint{out, from.y + from.height});
    if (!connection.level_out) pen.turn({out, y0}, {near, y0});
    pen.line({near, y0});
    if (std::abs(y0 - y1) > 0.01) pen.shift({far - 2 * kArrow, y1});
    if (connection.level_in) {
      pen.line({to.x - kArrow, y1});
    } else {
      tip = {in, to.y + to.height};
      pen.turn({in, y1}, {in, tip.y});
      pen.line({in, tip.y + kArrow});
    }
    return {connection.from, connection.to, connection.skip, pen.take(), tip};
  }

  const Graph& graph_;
  std::span<const double> heights_;
  const double box_width_;
  const GraphRows rows_;
  const bool is_u_;
  const std::array<GraphSide, 2> sides_;
  const double offset_;  // of the rising half
  std::vector<Connection> connections_;
  std::vector<double> height_, gap_, top_;  // by row; a gap lies below its row
  std::vector<int> column_;                 // by row
  GraphLayout layout_;
};

}  // namespace

GraphLayout lay_out(const Graph& graph, double box_width, std::span<const double> heights) {
  require(heights.size() == graph.nodes().size(), "heights of ", heights.size(), " boxes for ",
          graph.nodes().size(), " layers");
  std::size_t connections = 0;
  for (const Node& node : graph.nodes()) connections += node.inputs.size();
  require(heights.size() <= kMostLayers && connections <= kMostConnections, "a graph of ",
          heights.size(), " layers with ", connections, " connections; a drawing shows at most ",
          kMostLayers, " with ", kMostConnections);
  return Layouter(graph, box_width, heights).laid_out();
}

}  // namespace ratnet::inline v1
