// A small chart of dots as inline SVG, in the page's own colours.
#pragma once

#include <string>
#include <string_view>

#include "page.h"

namespace ratnet::inline v1 {

struct ChartAxis {
  std::string name{};
  double low = 0;
  double high = 1;
  bool numbers = true;  // with ticks
};

class Chart {
 public:
  // Throws Error (usage) unless low < high, both finite.
  Chart(ChartAxis x, ChartAxis y, double height = 260);

  // From here on everything is over what was drawn before. Values beyond the axes are drawn at
  // their ends; coordinates that are NaN, nowhere.
  void band(double from_y, double to_y);
  void level(double y);
  void dashed_at(double x);
  void label(double x, double y, std::string_view words);
  // title: what the pointer, or a screen reader, gets to know of it; link: "#id", or empty.
  void dot(double x, double y, Tone tone, std::string_view title, std::string_view link = {});
  void hollow_dot(double x, double y, std::string_view title);

  // alt: what the whole of it shows, in words.
  std::string svg(std::string_view alt) const;

 private:
  double at_x(double value) const;
  double at_y(double value) const;
  void line(const char* kind, double x0, double y0, double x1, double y1);
  void text(double x, double y, const char* anchor, std::string_view words);
  void circle(double x, double y, const std::string& kind, std::string_view title,
              std::string_view link);

  ChartAxis x_, y_;
  double height_;
  std::string parts_;
};

}  // namespace ratnet::inline v1
