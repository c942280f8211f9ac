#include "../../apps/report/roofline_svg.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../../apps/report/label_places.h"
#include "../../core/error.h"
#include "../../core/random.h"
#include "../catch.h"
#include "well_formed.h"

using namespace ratnet;
using namespace ratnet::test;

namespace {

Roofline roofline(int layers) {
  Roofline made{.flops_per_s = 7e10, .slopes = {{"cache", 6e10}, {"memory", 1.1e10}}, .layers = {}};
  Random random(3);
  for (int i = 0; i < layers; ++i) {
    const double flops = std::pow(10, random.uniform(6, 9));
    made.layers.push_back({.name = "layer" + std::to_string(i),
                           .flops = flops,
                           .bytes = flops / std::pow(10, random.uniform(0, 2)),
                           .seconds = flops / random.uniform(2e10, 7e10)});
  }
  made.layers.push_back({.name = "pooling", .flops = 0, .bytes = 1e6, .seconds = 1e-3});
  return made;
}

}  // namespace

TEST_CASE("a roofline is SVG that stands alone") {
  for (const int layers : {1, 25, 60}) {
    const Roofline made = roofline(layers);
    const std::string svg = roofline_svg(made, "a network", "on a machine");
    CHECK(is_well_formed(svg));
    CHECK(svg.rfind("<svg xmlns=\"http://www.w3.org/2000/svg\"", 0) == 0);
    CHECK(occurrences(svg, "<circle ") == static_cast<std::size_t>(layers));
    int labelled = 0;
    for (int i = 0; i < layers; ++i) {
      const std::string name = ">layer" + std::to_string(i);
      CHECK(occurrences(svg, name + ": ") == 1);
      labelled += static_cast<int>(occurrences(svg, name + ", "));
    }
    const std::string unlabelled = std::to_string(layers - labelled) + " without room for a label";
    CHECK((svg.find(unlabelled) != std::string::npos) == (labelled < layers));
    CHECK(labelled >= std::min(layers, 40));
    CHECK(svg.find("pooling") == std::string::npos);
    CHECK(svg.find("1 layer that multiplies nothing") != std::string::npos);
    for (const char* words : {"70 GF/s", "cache, 60 GB/s", "memory, 11 GB/s", "on a machine"})
      CHECK(svg.find(words) != std::string::npos);
    for (const char* foreign : {"<script", "<style", "href", "url(", "@import", "nan", "inf"})
      CHECK(svg.find(foreign) == std::string::npos);
    if (layers < 60) CHECK(roofline_svg(made, "a network", "on a machine") == svg);
  }
}

TEST_CASE("labels that find no room are counted") {
  const std::string svg = roofline_svg(roofline(120), "many", "");
  CHECK(is_well_formed(svg));
  CHECK(occurrences(svg, "<circle ") == 120);
  CHECK(svg.find(" without room for a label") != std::string::npos);
}

TEST_CASE("names from outside do no harm in a roofline") {
  Roofline made = roofline(1);
  made.layers[0].name = "</text><script>alert(\"&'\")</script>\xFF" + std::string(300, 'W');
  const std::string svg = roofline_svg(made, "\xFF<b>\x01&amp;", "<i>");
  CHECK(is_well_formed(svg));
  CHECK(svg.find("<script") == std::string::npos);
}

TEST_CASE("a roofline refuses what has no place on it") {
  const auto refused = [](auto&& change) {
    Roofline made = roofline(2);
    change(made);
    CHECK_THROWS_AS(roofline_svg(made, "", ""), Error);
  };
  for (const double bad : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    refused([&](Roofline& made) { made.flops_per_s = bad; });
    refused([&](Roofline& made) { made.slopes[1].bytes_per_s = bad; });
    refused([&](Roofline& made) { made.layers[0].bytes = bad; });
    refused([&](Roofline& made) { made.layers[0].seconds = bad; });
  }
  refused([](Roofline& made) { made.layers.erase(made.layers.begin(), made.layers.begin() + 2); });
}

TEST_CASE("labels overlap neither points nor each other") {
  const DrawnBox room{10, 20, 700, 500}, corner{400, 20, 310, 200};
  LabelPlaces places(room);
  places.take(corner);
  Random random(5);
  std::vector<LabelledPoint> points;
  std::vector<DrawnBox> taken = {corner};
  for (int i = 0; i < 40; ++i) {
    const DrawnPoint p{random.uniform(200, 500), random.uniform(150, 350)};
    points.push_back({.centre = p, .radius = 5, .width = 60, .height = 14});
    taken.push_back({p.x - 5, p.y - 5, 10, 10});
  }
  const std::vector<LabelPlace> found = places.place(points);
  REQUIRE(found.size() == points.size());
  int labelled = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const LabelPlace& place = found[i];
    if (!place.found) continue;
    ++labelled;
    CHECK(place.box.x >= room.x);
    CHECK(place.box.y >= room.y);
    CHECK(place.box.x + place.box.width <= room.x + room.width);
    CHECK(place.box.y + place.box.height <= room.y + room.height);
    for (const DrawnBox& other : taken) CHECK_FALSE(overlap(place.box, other));
    taken.push_back(place.box);
    // A line leads to what is not beside its point.
    const DrawnPoint p = points[i].centre;
    if (!place.led) CHECK(std::hypot(place.end.x - p.x, place.end.y - p.y) < 15);
  }
  CHECK(labelled >= 38);
  // Where everything is taken there is no place.
  LabelPlaces full(room);
  full.take(room);
  CHECK_FALSE(full.place({points[0]}).at(0).found);
  CHECK(full.place({}).empty());
}
