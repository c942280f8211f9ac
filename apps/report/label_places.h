// Where labels of points find room on a drawing.
#pragma once

#include <vector>

#include "drawn_box.h"

namespace ratnet::inline v1 {

bool overlap(const DrawnBox& a, const DrawnBox& b);

struct LabelledPoint {
  DrawnPoint centre;
  double radius = 0;
  double width = 0, height = 0;  // of its label
};

struct LabelPlace {
  bool found = false;
  DrawnBox box;
  bool led = false;  // so far away that a line should lead there, from the point's edge to `end`
  DrawnPoint begin, end;
  bool clear = true;  // the line meets no other line and no other point
};

// Keeps what is taken already.
class LabelPlaces {
 public:
  explicit LabelPlaces(const DrawnBox& room) : room_(room) {}

  // No label may lie there.
  void take(const DrawnBox& box) { taken_.push_back(box); }
  // The same along a line.
  void take_line(DrawnPoint from, DrawnPoint to);

  // Places near the points for their labels, in the order of the points. Each gets the nearest that
  // those before it left; several orders are tried, fewer the more points there are, and the best
  // stands.
  std::vector<LabelPlace> place(const std::vector<LabelledPoint>& points) const;

 private:
  struct Line {
    DrawnPoint from, to;
  };

  LabelPlace place_next(const LabelledPoint& point);
  bool is_free(const DrawnBox& box) const;
  bool passes_labels(const Line& line) const;
  bool is_clear(const Line& line, DrawnPoint centre) const;

  DrawnBox room_;
  std::vector<DrawnBox> taken_;
  std::vector<DrawnBox> points_;
  std::vector<DrawnBox> labels_;
  std::vector<Line> lines_;  // to labels
};

}  // namespace ratnet::inline v1
