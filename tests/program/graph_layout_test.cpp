#include "../../apps/report/graph_layout.h"

#include <algorithm>
#include <cmath>

#include "../../apps/dark_slices/ratnet.h"
#include "../../apps/report/graph_rows.h"
#include "../catch.h"
#include "drawn_graphs.h"

using namespace ratnet;
using namespace ratnet::test;

namespace {

constexpr double kWidth = 160;

GraphLayout laid_out(const Graph& graph) {
  std::vector<double> heights;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i)
    heights.push_back(40 + 7 * static_cast<double>(i % 4));
  return lay_out(graph, kWidth, heights);
}

bool inside(const DrawnBox& box, DrawnPoint p) {
  constexpr double kEdge = 0.01;
  return p.x > box.x + kEdge && p.x < box.x + box.width - kEdge && p.y > box.y + kEdge &&
         p.y < box.y + box.height - kEdge;
}

std::vector<DrawnPoint> sampled(const GraphCurve& curve) {
  std::vector<DrawnPoint> points = {curve.points.front(), curve.tip};
  for (std::size_t i = 0; i + 3 < curve.points.size(); i += 3)
    for (int k = 0; k <= 40; ++k) {
      const double t = k / 40.0, s = 1 - t;
      const double w[] = {s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t};
      DrawnPoint p;
      for (std::size_t j = 0; j < 4; ++j) {
        p.x += w[j] * curve.points[i + j].x;
        p.y += w[j] * curve.points[i + j].y;
      }
      points.push_back(p);
    }
  return points;
}

void check_layout(const Graph& graph) {
  const GraphLayout layout = laid_out(graph);
  REQUIRE(layout.boxes.size() == graph.nodes().size());
  int overlaps = 0, entered = 0, outside = 0;
  for (std::size_t i = 0; i < layout.boxes.size(); ++i) {
    const DrawnBox& a = layout.boxes[i];
    outside += a.x < -0.01 || a.y < -0.01 || a.x + a.width > layout.width + 0.01 ||
               a.y + a.height > layout.height + 0.01;
    for (std::size_t j = 0; j < i; ++j) {
      const DrawnBox& b = layout.boxes[j];
      overlaps += a.x < b.x + b.width + 4 && b.x < a.x + a.width + 4 && a.y < b.y + b.height + 4 &&
                  b.y < a.y + a.height + 4;
    }
  }
  std::size_t connections = 0;
  for (const Node& node : graph.nodes()) {
    std::vector<int> inputs = node.inputs;
    std::sort(inputs.begin(), inputs.end());
    connections +=
        static_cast<std::size_t>(std::unique(inputs.begin(), inputs.end()) - inputs.begin());
  }
  CHECK(layout.curves.size() == connections);
  for (const GraphCurve& curve : layout.curves) {
    for (const DrawnPoint& p : sampled(curve)) {
      outside += p.x < -0.01 || p.y < -0.01 || p.x > layout.width + 0.01 ||
                 p.y > layout.height + 0.01 || !std::isfinite(p.x) || !std::isfinite(p.y);
      for (const DrawnBox& box : layout.boxes) entered += inside(box, p);
    }
    // It begins and ends at its boxes.
    const auto touches = [&](int node, DrawnPoint p) {
      const DrawnBox& b = layout.boxes[static_cast<std::size_t>(node)];
      return inside({b.x - 0.1, b.y - 0.1, b.width + 0.2, b.height + 0.2}, p);
    };
    CHECK(touches(curve.from, curve.points.front()));
    CHECK(touches(curve.to, curve.tip));
  }
  CHECK(overlaps == 0);
  CHECK(entered == 0);
  CHECK(outside == 0);
}

}  // namespace

TEST_CASE("boxes of a drawn graph lie apart and no curve enters one") {
  SECTION("RatNet") { check_layout(ratnet_graph()); }
  SECTION("a U of five levels") { check_layout(u_net(5, 64)); }
  SECTION("a U of two levels") { check_layout(u_net(2, 8)); }
  SECTION("a wide U") { check_layout(wide_u_net()); }
  SECTION("two inputs and outputs") { check_layout(two_by_two()); }
  SECTION("one layer read twice") { check_layout(tangled(1)); }
  SECTION("a tangle") { check_layout(tangled(37)); }
  SECTION("200 layers over several columns") { check_layout(residual(50)); }
  SECTION("an input alone") {
    GraphBuilder builder;
    const int x = builder.input("x", {1});
    check_layout(builder.build({x}));
  }
}

TEST_CASE("a U is drawn as a U") {
  const Graph graph = u_net(5, 64);
  const GraphLayout layout = laid_out(graph);
  const auto box = [&](const std::string& name) {
    return layout.boxes[static_cast<std::size_t>(graph.find(name))];
  };
  const auto middle = [](const DrawnBox& b) { return b.y + b.height / 2; };
  for (const std::string level : {"1", "2", "3", "4"}) {
    CHECK(middle(box("enc" + level + "/relu2")) == Approx(middle(box("join" + level))));
    CHECK(box("join" + level).x >= box("enc" + level + "/relu2").x + kWidth);
    CHECK(box("dec" + level + "/conv1").y < box("join" + level).y);
  }
  for (const char* name : {"enc1/conv1", "pool1", "enc3/relu2", "bottom/conv1"}) {
    CHECK(box(name).x == Approx(box("image").x).margin(0.5));
    CHECK(box(name).y < box("bottom/relu2").y);
  }
  const auto skips = std::count_if(layout.curves.begin(), layout.curves.end(),
                                   [](const GraphCurve& curve) { return curve.skip; });
  CHECK(skips == 4);
  const std::vector<bool> rising = assign_rows(wide_u_net()).rising;
  CHECK(std::count(rising.begin(), rising.end(), true) == 7);
  // Without skips it is a plain column, and so is a network whose resolution only falls.
  CHECK(assign_rows(ratnet_graph()).rising == std::vector<bool>(15, false));
  CHECK(assign_rows(two_by_two()).row == std::vector<int>{0, 0, 1, 1, 2, 3, 4, 5, 5, 6});
}

TEST_CASE("a long graph runs over several columns, and too long a one is refused") {
  const GraphLayout layout = laid_out(residual(50));
  CHECK(layout.height < 5 * layout.width);
  CHECK(layout.boxes.back().x > layout.boxes.front().x + 2 * kWidth);
  CHECK_THROWS_AS(laid_out(residual(251)), Error);
  CHECK_THROWS_AS(laid_out(tangled(900)), Error);
}
