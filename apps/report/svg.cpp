#include "svg.h"

#include <array>
#include <cstdio>

#include "html.h"

namespace ratnet::inline v1 {
namespace {

std::string number(double value) {
  std::array<char, 48> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.1f", value == 0 ? 0.0 : value);
  return buffer.data();
}

std::string hex(Colour c) {
  std::array<char, 8> buffer;
  std::snprintf(buffer.data(), buffer.size(), "#%02x%02x%02x", c.red, c.green, c.blue);
  return buffer.data();
}

std::string at(DrawnPoint p) { return number(p.x) + " " + number(p.y); }

}  // namespace

void SvgWriter::box(const DrawnBox& b, double radius, Colour fill) {
  svg_ += "<rect x=\"" + number(b.x) + "\" y=\"" + number(b.y) + "\" width=\"" + number(b.width) +
          "\" height=\"" + number(b.height) + "\" rx=\"" + number(radius) + "\" fill=\"" +
          hex(fill) + "\"/>\n";
}

void SvgWriter::text_at(std::string_view place, std::string_view text, const Font& font,
                        Align align) {
  if (text.empty()) return;
  svg_ += "<text " + std::string(place) + " font-size=\"" + number(font.size) + "\" fill=\"" +
          hex(font.colour) + "\"";
  if (font.bold) svg_ += " font-weight=\"bold\"";
  if (align == Align::centre) svg_ += " text-anchor=\"middle\"";
  if (align == Align::right) svg_ += " text-anchor=\"end\"";
  svg_ += ">" + escaped(text) + "</text>\n";
}

void SvgWriter::words(double x, double y, std::string_view text, const Font& font, Align align) {
  text_at("x=\"" + number(x) + "\" y=\"" + number(y) + "\"", text, font, align);
}

void SvgWriter::turned_words(DrawnPoint to, double degrees, std::string_view text, const Font& font,
                             Align align) {
  text_at("transform=\"translate(" + at(to) + ") rotate(" + number(degrees) + ")\"", text, font,
          align);
}

void SvgWriter::line(DrawnPoint from, DrawnPoint to, Colour colour, double thickness, bool dashed) {
  svg_ += "<path d=\"M" + at(from) + " L" + at(to) + "\" stroke=\"" + hex(colour) +
          "\" stroke-width=\"" + number(thickness) + "\"" +
          (dashed ? " stroke-dasharray=\"6 4\"" : "") + "/>\n";
}

void SvgWriter::curve(std::span<const DrawnPoint> points, Colour colour, double thickness) {
  svg_ += "<path d=\"M" + at(points[0]);
  for (std::size_t i = 1; i < points.size(); i += 3)
    svg_ += " C" + at(points[i]) + " " + at(points[i + 1]) + " " + at(points[i + 2]);
  svg_ += "\" fill=\"none\" stroke=\"" + hex(colour) + "\" stroke-width=\"" + number(thickness) +
          "\"/>\n";
}

void SvgWriter::polygon(std::span<const DrawnPoint> points, Colour fill) {
  svg_ += "<path d=\"";
  for (std::size_t i = 0; i < points.size(); ++i) svg_ += (i == 0 ? "M" : " L") + at(points[i]);
  svg_ += " Z\" fill=\"" + hex(fill) + "\"/>\n";
}

void SvgWriter::circle(DrawnPoint centre, double radius, Colour fill) {
  svg_ += "<circle cx=\"" + number(centre.x) + "\" cy=\"" + number(centre.y) + "\" r=\"" +
          number(radius) + "\" fill=\"" + hex(fill) + "\" stroke=\"#ffffff\"/>\n";
}

void SvgWriter::open(std::string_view title) {
  svg_ += "<g><title>" + escaped(title) + "</title>\n";
}

void SvgWriter::close() { svg_ += "</g>\n"; }

std::string SvgWriter::page(double width, double height, std::string_view title) const {
  const std::string size = number(width) + "\" height=\"" + number(height);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + size + "\" viewBox=\"0 0 " +
         number(width) + " " + number(height) +
         "\" font-family=\"DejaVu Sans, Verdana, Helvetica, Arial, sans-serif\">\n<title>" +
         escaped(title) + "</title>\n<rect width=\"" + size + "\" fill=\"#ffffff\"/>\n" + svg_ +
         "</svg>\n";
}

}  // namespace ratnet::inline v1
