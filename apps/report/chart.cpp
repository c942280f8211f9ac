#include "chart.h"

#include <algorithm>
#include <cmath>

#include "../../core/error.h"
#include "html.h"
#include "map_legend.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kWidth = 900, kLeft = 58, kRight = 16, kTop = 22, kBottom = 42;

std::string at(double pixels) { return format("%.1f", pixels); }

// A step of 1, 2 or 5 x 10^k that makes about five ticks.
double step_of(const ChartAxis& axis) {
  const double least = (axis.high - axis.low) / 6;
  const double decade = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * decade >= least) return factor * decade;
  return 10 * decade;
}

void check(const ChartAxis& axis) {
  require(std::isfinite(axis.low) && std::isfinite(axis.high) && axis.low < axis.high,
          "a chart's axis '", axis.name, "' from ", axis.low, " to ", axis.high);
}

}  // namespace

Chart::Chart(ChartAxis x, ChartAxis y, double height)
    : x_(std::move(x)), y_(std::move(y)), height_(height) {
  check(x_);
  check(y_);
  const double left = at_x(x_.low), right = at_x(x_.high), floor = at_y(y_.low);
  line("axis", left, floor, right, floor);
  text((left + right) / 2, height_ - 6, "middle", x_.name);
  text(left, 13, "start", y_.name);
  const auto ticks = [](const ChartAxis& axis, auto&& draw) {
    if (!axis.numbers) return;
    const double step = step_of(axis);
    for (double i = std::ceil(axis.low / step); i * step <= axis.high + 1e-9 * step; ++i)
      draw(i * step, format("%.6g", i == 0 ? 0.0 : i * step));
  };
  ticks(x_, [&](double value, const std::string& words) {
    text(at_x(value), floor + 17, "middle", words);
    line("axis", at_x(value), floor, at_x(value), floor + 4);
  });
  ticks(y_, [&](double value, const std::string& words) {
    text(left - 8, at_y(value) + 4, "end", words);
    line("axis", left, at_y(value), right, at_y(value));
  });
}

double Chart::at_x(double value) const {
  const double share = std::clamp((value - x_.low) / (x_.high - x_.low), 0.0, 1.0);
  return kLeft + share * (kWidth - kLeft - kRight);
}

double Chart::at_y(double value) const {
  const double share = std::clamp((value - y_.low) / (y_.high - y_.low), 0.0, 1.0);
  return height_ - kBottom - share * (height_ - kTop - kBottom);
}

void Chart::line(const char* kind, double x0, double y0, double x1, double y1) {
  parts_ += element(
      "line", {{"class", kind}, {"x1", at(x0)}, {"y1", at(y0)}, {"x2", at(x1)}, {"y2", at(y1)}});
}

void Chart::text(double x, double y, const char* anchor, std::string_view words) {
  parts_ += element("text", {{"x", at(x)}, {"y", at(y)}, {"text-anchor", anchor}}, escaped(words));
}

void Chart::band(double from_y, double to_y) {
  if (std::isnan(from_y) || std::isnan(to_y)) return;
  const double top = at_y(std::max(from_y, to_y)), bottom = at_y(std::min(from_y, to_y));
  parts_ += element("rect", {{"class", "band"},
                             {"x", at(at_x(x_.low))},
                             {"y", at(top)},
                             {"width", at(at_x(x_.high) - at_x(x_.low))},
                             {"height", at(std::max(bottom - top, 1.0))}});
}

void Chart::level(double y) {
  if (!std::isnan(y)) line("level", at_x(x_.low), at_y(y), at_x(x_.high), at_y(y));
}

void Chart::dashed_at(double x) {
  if (!std::isnan(x)) line("dashed", at_x(x), at_y(y_.low), at_x(x), at_y(y_.high));
}

void Chart::label(double x, double y, std::string_view words) {
  text(at_x(x), at_y(y), "start", words);
}

void Chart::circle(double x, double y, const std::string& kind, std::string_view title,
                   std::string_view link) {
  if (std::isnan(x) || std::isnan(y)) return;
  std::string dot = element("circle",
                            {{"class", kind},
                             {"cx", at(at_x(x))},
                             {"cy", at(at_y(y))},
                             {"r", kind == "hollow" ? "4" : "5"}},
                            text_element("title", title));
  if (!link.empty())
    dot = element("a", {{"href", std::string(link)}, {"aria-label", std::string(title)}}, dot);
  parts_ += dot + "\n";
}

void Chart::dot(double x, double y, Tone tone, std::string_view title, std::string_view link) {
  circle(x, y, class_of(tone), title, link);
}

void Chart::hollow_dot(double x, double y, std::string_view title) {
  circle(x, y, "hollow", title, {});
}

std::string Chart::svg(std::string_view alt) const {
  return element(
             "div", {{"class", "wide"}},
             element("svg",
                     {{"class", "chart"},
                      {"viewBox", "0 0 " + format("%.0f", kWidth) + " " + format("%.0f", height_)},
                      {"role", "group"},
                      {"aria-label", std::string(alt)}},
                     "\n" + parts_)) +
         "\n";
}

}  // namespace ratnet::inline v1
