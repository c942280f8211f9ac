#include "roofline_svg.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../../core/error.h"
#include "colour_scale.h"
#include "label_places.h"
#include "map_legend.h"
#include "svg.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kWidth = 980, kHeight = 656;
constexpr DrawnBox kPlot{74, 108, 880, 488};
constexpr double kLabelHeight = 14, kWidestName = 170;
constexpr Colour kRoof{150, 84, 34};

const Font kTitle{.size = 19, .bold = true, .colour = kInk};
const Font kAbout{.size = 12, .bold = false, .colour = kFaintInk};
const Font kNumber{.size = 11, .bold = false, .colour = kFaintInk};
const Font kName{.size = 10.5, .bold = false, .colour = kInk};
const Font kOfRoof{.size = 11, .bold = false, .colour = kRoof};

// One axis with logarithms of its values.
struct Axis {
  double low, high;   // values
  double begin, end;  // pixels
  double at(double value) const {
    return begin + (end - begin) * std::log(value / low) / std::log(high / low);
  }
  // 1, 2 and 5 times powers of ten, or the powers alone where the others would be too close.
  std::vector<double> ticks() const {
    const bool dense = std::log10(high / low) < 3;
    std::vector<double> found;
    for (int power = static_cast<int>(std::floor(std::log10(low)));
         power <= static_cast<int>(std::ceil(std::log10(high))); ++power)
      for (const double factor : {1.0, 2.0, 5.0})
        if (const double value = factor * std::pow(10, power);
            value >= low && value <= high && (dense || factor == 1))
          found.push_back(value);
    return found;
  }
};

bool is_size(double value) { return std::isfinite(value) && value > 0; }

class Drawing {
 public:
  explicit Drawing(const Roofline& roofline) : roofline_(roofline) {
    require(is_size(roofline.flops_per_s), "a roof of ", roofline.flops_per_s, " operations");
    for (const auto& slope : roofline.slopes)
      require(is_size(slope.bytes_per_s), "a roof of ", slope.bytes_per_s, " bytes a second");
    for (const auto& layer : roofline.layers) {
      all_seconds_ += layer.seconds;
      if (!(layer.flops > 0)) continue;
      require(is_size(layer.flops) && is_size(layer.bytes) && is_size(layer.seconds), "layer '",
              layer.name, "' with ", layer.flops, " operations on ", layer.bytes, " bytes in ",
              layer.seconds, " s");
      layers_.push_back(layer);
    }
    require(!layers_.empty(), "no layer multiplies, so there is nothing to draw");
    // Large points are drawn first, below the others.
    std::stable_sort(layers_.begin(), layers_.end(),
                     [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
    find_axes();
  }

  std::string svg(std::string_view title, std::string_view about) {
    writer_.words(24, 34, shortened(ruler_, title, kTitle, kWidth - 48), kTitle);
    draw_grid();
    draw_roofs();
    draw_layers();
    double y = 38;
    for (const std::string& line :
         {std::string(about),
          std::string(
              "each point is a layer; its area: share of the time; in per cent: share of the "
              "flat roof"),
          left_out()})
      writer_.words(24, y += 18, shortened(ruler_, line, kAbout, kWidth - 48), kAbout);
    return writer_.page(kWidth, kHeight, title);
  }

 private:
  static double intensity(const Roofline::Layer& layer) { return layer.flops / layer.bytes; }
  static double rate(const Roofline::Layer& layer) { return layer.flops / layer.seconds; }
  DrawnPoint at(double intensity, double rate) const { return {x_.at(intensity), y_.at(rate)}; }

  // Shows all points, where slopes meet the flat roof, and a decade at least.
  void find_axes() {
    double left = intensity(layers_[0]), right = left, bottom = rate(layers_[0]),
           top = roofline_.flops_per_s;
    for (const auto& layer : layers_) {
      left = std::min(left, intensity(layer));
      right = std::max(right, intensity(layer));
      bottom = std::min(bottom, rate(layer));
      top = std::max(top, rate(layer));
    }
    for (const auto& slope : roofline_.slopes) {
      left = std::min(left, roofline_.flops_per_s / slope.bytes_per_s);
      right = std::max(right, roofline_.flops_per_s / slope.bytes_per_s);
    }
    x_ = {left / 2, right * 2.5, kPlot.x, kPlot.x + kPlot.width};
    y_ = {std::min(bottom / 2, top / 20), top * 1.8, kPlot.y + kPlot.height, kPlot.y};
  }

  void draw_grid() {
    const double floor = y_.begin;
    for (const double value : x_.ticks()) {
      writer_.line({x_.at(value), floor}, {x_.at(value), y_.end}, kGrid);
      writer_.words(x_.at(value), floor + 18, format("%g", value), kNumber, Align::centre);
    }
    for (const double value : y_.ticks()) {
      writer_.line({x_.begin, y_.at(value)}, {x_.end, y_.at(value)}, kGrid);
      writer_.words(x_.begin - 8, y_.at(value) + 4, format("%g", value / 1e9), kNumber,
                    Align::right);
    }
    writer_.words((x_.begin + x_.end) / 2, kHeight - 18,
                  "operations for each byte of inputs, output and weights", kNumber, Align::centre);
    writer_.turned_words({20, (y_.begin + y_.end) / 2}, -90, "GF/s", kNumber, Align::centre);
  }

  void draw_roof(DrawnPoint from, DrawnPoint to) {
    writer_.line(from, to, kRoof, 1.8);
    places_.take_line(from, to);
  }

  void draw_roofs() {
    const double peak = roofline_.flops_per_s;
    double first_meeting = x_.high;
    for (const auto& slope : roofline_.slopes)
      first_meeting = std::min(first_meeting, peak / slope.bytes_per_s);
    if (roofline_.slopes.empty()) first_meeting = x_.low;
    draw_roof(at(first_meeting, peak), at(x_.high, peak));
    const std::string flat = format("%.4g GF/s", peak / 1e9);
    const DrawnPoint corner = at(x_.high, peak);
    writer_.words(corner.x - 4, corner.y - 7, flat, kOfRoof, Align::right);
    const double flat_width = ruler_.text_width(flat, kOfRoof);
    places_.take({corner.x - 4 - flat_width, corner.y - 20, flat_width, 18});
    for (const auto& slope : roofline_.slopes) {
      const double from = std::max(x_.low, y_.low / slope.bytes_per_s);
      const DrawnPoint begin = at(from, from * slope.bytes_per_s),
                       end = at(peak / slope.bytes_per_s, peak);
      draw_roof(begin, end);
      const std::string words = slope.name + format(", %.3g GB/s", slope.bytes_per_s / 1e9);
      const double length = std::hypot(end.x - begin.x, end.y - begin.y);
      const double width = ruler_.text_width(words, kOfRoof);
      if (length < width + 12) continue;
      const double along_x = (end.x - begin.x) / length, along_y = (end.y - begin.y) / length;
      // Above the line, near its lower end, where layers seldom are.
      const DrawnPoint place{begin.x + 8 * along_x + 5 * along_y,
                             begin.y + 8 * along_y - 5 * along_x};
      writer_.turned_words(place, std::atan2(along_y, along_x) * 180 / std::numbers::pi, words,
                           kOfRoof);
      for (double way = 0; way <= width; way += 5)
        places_.take({place.x + way * along_x + 5 * along_y - 7,
                      place.y + way * along_y - 5 * along_x - 7, 14, 14});
    }
  }

  void draw_layers() {
    std::vector<LabelledPoint> points;
    std::vector<std::string> names;
    for (const auto& layer : layers_) {
      const double share = 100 * rate(layer) / roofline_.flops_per_s;
      names.push_back(shortened(ruler_, layer.name, kName, kWidestName) +
                      (share < 1 ? ", < 1 %" : format(", %.0f %%", share)));
      points.push_back({.centre = at(intensity(layer), rate(layer)),
                        .radius = 3.5 + 9 * std::sqrt(layer.seconds / all_seconds_),
                        .width = ruler_.text_width(names.back(), kName) + 4,
                        .height = kLabelHeight});
    }
    const std::vector<LabelPlace> places = places_.place(points);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Roofline::Layer& layer = layers_[i];
      writer_.open(layer.name + format(": %.4g GF/s", rate(layer) / 1e9) +
                   format(", %.3g operations a byte", intensity(layer)) +
                   format(", %.4g ms", layer.seconds * 1e3));
      if (places[i].led) writer_.line(places[i].begin, places[i].end, kFaintInk, 0.8);
      writer_.circle(points[i].centre, points[i].radius, kLine);
      writer_.close();
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      unlabelled_ += !places[i].found;
      if (places[i].found)
        writer_.words(places[i].box.x + 2, places[i].box.y + kLabelHeight - 3.5, names[i], kName);
    }
  }

  std::string left_out() const {
    std::string words;
    double computing = 0;
    for (const auto& layer : layers_) computing += layer.seconds;
    if (const std::size_t others = roofline_.layers.size() - layers_.size(); others > 0)
      words = text("not shown: ", others,
                   others == 1 ? " layer that multiplies" : " layers that multiply", " nothing, ",
                   format("%.2g %%", 100 * (1 - computing / all_seconds_)), " of the time");
    if (unlabelled_)
      words += text(words.empty() ? "" : "; ", unlabelled_, " without room for a label");
    return words;
  }

  const Roofline& roofline_;
  std::vector<Roofline::Layer> layers_;  // those that compute, the longest first
  double all_seconds_ = 0;
  Axis x_{}, y_{};
  Canvas ruler_{1, 1};
  LabelPlaces places_{kPlot};
  int unlabelled_ = 0;
  SvgWriter writer_;
};

}  // namespace

std::string roofline_svg(const Roofline& roofline, std::string_view title, std::string_view about) {
  return Drawing(roofline).svg(title, about);
}

}  // namespace ratnet::inline v1
