#include "label_places.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>
#include <utility>

#include "../../core/random.h"

namespace ratnet::inline v1 {
namespace {

// Points a few pixels apart on a line.
template <class Visit>
void along(DrawnPoint from, DrawnPoint to, double step, Visit&& visit) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  const int count = static_cast<int>(std::ceil(length / step));
  for (int i = 0; i <= count; ++i) {
    const double share = count ? static_cast<double>(i) / count : 0;
    visit(DrawnPoint{from.x + share * (to.x - from.x), from.y + share * (to.y - from.y)});
  }
}

bool holds(const DrawnBox& box, DrawnPoint p) {
  return p.x >= box.x && p.x <= box.x + box.width && p.y >= box.y && p.y <= box.y + box.height;
}

// Whether any of the boxes holds any point of the line.
template <class Boxes, class Ignored>
bool meets(const Boxes& boxes, DrawnPoint from, DrawnPoint to, Ignored&& ignored) {
  const DrawnBox around{std::min(from.x, to.x) - 1, std::min(from.y, to.y) - 1,
                        std::abs(from.x - to.x) + 2, std::abs(from.y - to.y) + 2};
  bool met = false;
  for (const DrawnBox& box : boxes)
    if (overlap(around, box) && !ignored(box))
      along(from, to, 3, [&](DrawnPoint p) { met |= holds(box, p); });
  return met;
}

// On which side of a line a point lies: the sign.
double side(DrawnPoint a, DrawnPoint b, DrawnPoint p) {
  return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

}  // namespace

bool overlap(const DrawnBox& a, const DrawnBox& b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

void LabelPlaces::take_line(DrawnPoint from, DrawnPoint to) {
  along(from, to, 4, [&](DrawnPoint p) { take({p.x - 2, p.y - 2, 4, 4}); });
}

bool LabelPlaces::is_free(const DrawnBox& box) const {
  const auto in_the_way = [&](const DrawnBox& other) { return overlap(box, other); };
  return box.x >= room_.x && box.y >= room_.y && box.x + box.width <= room_.x + room_.width &&
         box.y + box.height <= room_.y + room_.height &&
         std::none_of(taken_.begin(), taken_.end(), in_the_way) &&
         std::none_of(labels_.begin(), labels_.end(), in_the_way);
}

bool LabelPlaces::passes_labels(const Line& line) const {
  return !meets(labels_, line.from, line.to, [](const DrawnBox&) { return false; });
}

// Whether nothing on the way could be taken for what the line leads from or to; `centre`: of its
// own point, with which others may lie together.
bool LabelPlaces::is_clear(const Line& line, DrawnPoint centre) const {
  const auto crosses = [&](const Line& other) {
    return side(line.from, line.to, other.from) * side(line.from, line.to, other.to) < 0 &&
           side(other.from, other.to, line.from) * side(other.from, other.to, line.to) < 0;
  };
  return !meets(points_, line.from, line.to, [&](const DrawnBox& point) {
    return holds(point, centre);
  }) && std::none_of(lines_.begin(), lines_.end(), crosses);
}

LabelPlace LabelPlaces::place_next(const LabelledPoint& point) {
  const auto& [centre, radius, width, height] = point;
  constexpr int kDirections = 48;
  constexpr double kFar = 9, kFarthest = 400;
  for (const bool clearly : {true, false})
    for (double distance = 4; distance <= kFarthest; distance = distance * 1.15 + 2)
      for (int i = 0; i < kDirections; ++i) {
        const double angle = 2 * std::numbers::pi * i / kDirections;
        const double way = radius + distance, x = std::cos(angle), y = std::sin(angle);
        // The box's middle, so that its edge in this direction is as far away as that.
        const DrawnPoint middle{centre.x + x * (way + width / 2),
                                centre.y + y * (way + height / 2)};
        const DrawnBox box{middle.x - width / 2, middle.y - height / 2, width, height};
        const DrawnPoint end{std::clamp(centre.x, box.x, box.x + width),
                             std::clamp(centre.y, box.y, box.y + height)};
        const double length = std::hypot(end.x - centre.x, end.y - centre.y);
        if (length <= radius || !is_free(box)) continue;
        const DrawnPoint begin{centre.x + (end.x - centre.x) * radius / length,
                               centre.y + (end.y - centre.y) * radius / length};
        const Line line{begin, end};
        const bool led = length - radius > kFar;
        if (!passes_labels(line) || (clearly && !is_clear(line, centre))) continue;
        labels_.push_back(box);
        if (led) {
          lines_.push_back(line);
          take_line(begin, end);
        }
        return {
            .found = true, .box = box, .led = led, .begin = begin, .end = end, .clear = clearly};
      }
  return {};
}

std::vector<LabelPlace> LabelPlaces::place(const std::vector<LabelledPoint>& points) const {
  const std::size_t orders =
      std::clamp<std::size_t>(20000 / (points.size() * points.size() + 1), 1, 40);
  LabelPlaces before = *this;
  for (const LabelledPoint& p : points) {
    before.points_.push_back(
        {p.centre.x - p.radius, p.centre.y - p.radius, 2 * p.radius, 2 * p.radius});
    before.take(before.points_.back());
  }
  std::vector<LabelPlace> best;
  double least = 0;
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t attempt = 0; attempt < orders; ++attempt) {
    LabelPlaces room = before;
    std::vector<LabelPlace> places(points.size());
    double cost = 0;
    for (const std::size_t i : order) {
      places[i] = room.place_next(points[i]);
      // A label left out is worse than any line, and one that misleads than any long one.
      const LabelPlace& place = places[i];
      cost += !place.found   ? 1e6
              : !place.clear ? 1e4
              : place.led
                  ? 10 + std::hypot(place.end.x - place.begin.x, place.end.y - place.begin.y)
                  : 0;
    }
    if (attempt == 0 || cost < least) {
      least = cost;
      best = std::move(places);
    }
    Random(attempt).shuffle(std::span(order));
  }
  return best;
}

}  // namespace ratnet::inline v1
