// Elements of a drawing as one SVG file that stands alone: no scripts, styles or fonts from
// elsewhere, and a white ground, so that it reads the same on light and on dark pages.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "canvas.h"
#include "drawn_box.h"

namespace ratnet::inline v1 {

// One element a line, in the order in which they lie on each other. Coordinates are pixels from the
// top left, written with one digit after the point.
class SvgWriter {
 public:
  void box(const DrawnBox& box, double radius, Colour fill);
  // Text on its baseline y.
  void words(double x, double y, std::string_view text, const Font& font,
             Align align = Align::left);
  // The same, turned by so many degrees clockwise about the point.
  void turned_words(DrawnPoint at, double degrees, std::string_view text, const Font& font,
                    Align align = Align::left);
  void line(DrawnPoint from, DrawnPoint to, Colour colour, double thickness = 1,
            bool dashed = false);
  // A start, then three points for each piece of a cubic Bezier curve.
  void curve(std::span<const DrawnPoint> points, Colour colour, double thickness);
  void polygon(std::span<const DrawnPoint> points, Colour fill);
  // With a thin white edge.
  void circle(DrawnPoint centre, double radius, Colour fill);
  // Around what the pointer, or a screen reader, gets to know as `title`.
  void open(std::string_view title);
  void close();

  std::string page(double width, double height, std::string_view title) const;

 private:
  void text_at(std::string_view place, std::string_view text, const Font& font, Align align);

  std::string svg_;
};

}  // namespace ratnet::inline v1
