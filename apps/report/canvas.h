// A picture one draws on and writes as PNG. Cairo stays behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "../../imaging/colour.h"

namespace ratnet::inline v1 {

struct Font {
  double size = 15;  // pixels
  bool bold = false;
  Colour colour{30, 34, 40};
};

// Where the given point lies on a text: `left` puts the text to the right of it.
enum class Align { left, centre, right };

// White at construction. Coordinates are pixels from the top left; text stands on its baseline y.
class Canvas {
 public:
  // Text is DejaVu Sans; where no font is installed, the plain one built into Cairo. Throws Error:
  // usage for a size outside 1..16384, internal when Cairo fails or text would not show.
  Canvas(int width, int height);
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  int width() const { return width_; }
  int height() const { return height_; }

  void rectangle(double x, double y, double width, double height, Colour colour);
  void frame(double x, double y, double width, double height, Colour colour);
  void line(double x0, double y0, double x1, double y1, Colour colour, double thickness = 1);
  // pixels: [height, width], drawn into the box at (x, y); smooth when it is scaled.
  void image(double x, double y, double box_width, double box_height,
             std::span<const Colour> pixels, int width, int height);

  // Bytes that are no UTF-8 and control characters show as U+FFFD.
  void text(double x, double y, std::string_view words, const Font& font = {},
            Align align = Align::left);
  // The same, turned to read upwards.
  void text_upwards(double x, double y, std::string_view words, const Font& font = {},
                    Align align = Align::left);
  double text_width(std::string_view words, const Font& font = {});

  // Whole or absent. Throws Error (file_system).
  void write_png(const std::string& path);

 private:
  struct State;
  std::unique_ptr<State> state_;
  int width_;
  int height_;
};

// The text shortened in its middle with an ellipsis until it is at most `width` pixels wide.
std::string shortened(Canvas& canvas, std::string_view words, const Font& font, double width);

}  // namespace ratnet::inline v1
