#include "canvas.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <numbers>
#include <vector>

#include <cairo.h>

#include "../../core/atomic_file.h"
#include "../../core/error.h"
#include "html.h"

namespace ratnet::inline v1 {
namespace {

void check(cairo_status_t status, const char* what) {
  if (status != CAIRO_STATUS_SUCCESS)
    fail(ErrorKind::internal, "drawing failed (", what, "): ", cairo_status_to_string(status));
}

// What the callback of cairo_surface_write_to_png_stream works on: an exception must not cross C.
struct PngSink {
  AtomicFile& file;
  std::exception_ptr failure;
};

cairo_status_t write_some(void* closure, const unsigned char* data, unsigned int length) noexcept {
  auto& sink = *static_cast<PngSink*>(closure);
  try {
    sink.file.write(std::as_bytes(std::span(data, length)));
    return CAIRO_STATUS_SUCCESS;
  } catch (...) {
    sink.failure = std::current_exception();
    return CAIRO_STATUS_WRITE_ERROR;
  }
}

struct DestroySurface {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
using Surface = std::unique_ptr<cairo_surface_t, DestroySurface>;

Surface make_surface(int width, int height) {
  Surface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height));
  check(cairo_surface_status(surface.get()), "picture");
  return surface;
}

}  // namespace

struct Canvas::State {
  Surface surface;
  cairo_t* cairo = nullptr;

  ~State() { cairo_destroy(cairo); }

  void set(Colour colour) {
    cairo_set_source_rgb(cairo, colour.red / 255.0, colour.green / 255.0, colour.blue / 255.0);
  }
  void set(const Font& font) {
    cairo_select_font_face(cairo, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           font.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, font.size);
    set(font.colour);
  }
  double advance(const std::string& words) {
    cairo_text_extents_t extents;
    cairo_text_extents(cairo, words.c_str(), &extents);
    check(cairo_status(cairo), "text");
    return extents.x_advance;
  }
  // Shows the text with the given point of it at the origin.
  void show(const std::string& words, Align align) {
    const double width = advance(words);
    cairo_move_to(cairo, align == Align::left ? 0 : align == Align::right ? -width : -width / 2, 0);
    cairo_show_text(cairo, words.c_str());
    check(cairo_status(cairo), "text");
  }
};

Canvas::Canvas(int width, int height)
    : state_(std::make_unique<State>()), width_(width), height_(height) {
  require(width >= 1 && width <= 16384 && height >= 1 && height <= 16384, "a picture of ", width,
          " x ", height, " pixels");
  state_->surface = make_surface(width, height);
  state_->cairo = cairo_create(state_->surface.get());
  check(cairo_status(state_->cairo), "picture");
  rectangle(0, 0, width, height, {255, 255, 255});
  if (!(text_width("0") > 0))
    fail(ErrorKind::internal,
         "no text can be drawn: no usable font is installed; install DejaVu Sans (Debian: "
         "fonts-dejavu-core)");
}

Canvas::~Canvas() = default;

void Canvas::rectangle(double x, double y, double width, double height, Colour colour) {
  state_->set(colour);
  cairo_rectangle(state_->cairo, x, y, width, height);
  cairo_fill(state_->cairo);
}

void Canvas::frame(double x, double y, double width, double height, Colour colour) {
  state_->set(colour);
  cairo_set_line_width(state_->cairo, 1);
  cairo_rectangle(state_->cairo, x - 0.5, y - 0.5, width + 1, height + 1);
  cairo_stroke(state_->cairo);
}

void Canvas::line(double x0, double y0, double x1, double y1, Colour colour, double thickness) {
  state_->set(colour);
  cairo_set_line_width(state_->cairo, thickness);
  cairo_move_to(state_->cairo, x0, y0);
  cairo_line_to(state_->cairo, x1, y1);
  cairo_stroke(state_->cairo);
}

void Canvas::image(double x, double y, double box_width, double box_height,
                   std::span<const Colour> pixels, int width, int height) {
  require(width >= 1 && width <= 16384 && height >= 1 && height <= 16384 &&
              pixels.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height),
          "an image of ", width, " x ", height, " pixels from ", pixels.size());
  const Surface source = make_surface(width, height);
  cairo_surface_flush(source.get());
  unsigned char* rows = cairo_image_surface_get_data(source.get());
  const int stride = cairo_image_surface_get_stride(source.get());
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column) {
      const Colour c = pixels[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
                              static_cast<std::size_t>(column)];
      const std::uint32_t value = static_cast<std::uint32_t>(c.red) << 16 |
                                  static_cast<std::uint32_t>(c.green) << 8 | c.blue;
      std::memcpy(rows + static_cast<std::ptrdiff_t>(row) * stride + column * 4, &value, 4);
    }
  cairo_surface_mark_dirty(source.get());

  cairo_t* cairo = state_->cairo;
  cairo_save(cairo);
  cairo_translate(cairo, x, y);
  cairo_scale(cairo, box_width / width, box_height / height);
  cairo_set_source_surface(cairo, source.get(), 0, 0);
  const bool same_size = box_width == width && box_height == height;
  cairo_pattern_set_filter(cairo_get_source(cairo),
                           same_size ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
  // Without this the smoothing fades the image's edges into the background.
  cairo_pattern_set_extend(cairo_get_source(cairo), CAIRO_EXTEND_PAD);
  cairo_rectangle(cairo, 0, 0, width, height);
  cairo_fill(cairo);
  cairo_restore(cairo);
  check(cairo_status(cairo), "image");
}

void Canvas::text(double x, double y, std::string_view words, const Font& font, Align align) {
  cairo_save(state_->cairo);
  state_->set(font);
  cairo_translate(state_->cairo, x, y);
  state_->show(printable(words), align);
  cairo_restore(state_->cairo);
}

void Canvas::text_upwards(double x, double y, std::string_view words, const Font& font,
                          Align align) {
  cairo_save(state_->cairo);
  state_->set(font);
  cairo_translate(state_->cairo, x, y);
  cairo_rotate(state_->cairo, -std::numbers::pi / 2);
  state_->show(printable(words), align);
  cairo_restore(state_->cairo);
}

double Canvas::text_width(std::string_view words, const Font& font) {
  state_->set(font);
  return state_->advance(printable(words));
}

void Canvas::write_png(const std::string& path) {
  AtomicFile file(path);
  PngSink sink{file, nullptr};
  const cairo_status_t status =
      cairo_surface_write_to_png_stream(state_->surface.get(), write_some, &sink);
  if (sink.failure) std::rethrow_exception(sink.failure);
  check(status, "PNG");
  file.commit();
}

std::string shortened(Canvas& canvas, std::string_view words, const Font& font, double width) {
  std::string whole = printable(words.substr(0, 4096));
  if (canvas.text_width(whole, font) <= width) return whole;
  // Character boundaries, so that no character is cut.
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < whole.size(); ++i)
    if ((static_cast<unsigned char>(whole[i]) & 0xC0) != 0x80) starts.push_back(i);
  std::size_t keep = 0, too_many = starts.size();
  const auto cut = [&](std::size_t n) {  // n characters in all, a little more of the end
    const std::size_t head = n / 2, tail = n - head;
    return whole.substr(0, starts[head]) + "\xE2\x80\xA6" +
           (tail > 0 ? whole.substr(starts[starts.size() - tail]) : "");
  };
  while (too_many - keep > 1) {
    const std::size_t middle = (keep + too_many) / 2;
    (canvas.text_width(cut(middle), font) <= width ? keep : too_many) = middle;
  }
  return cut(keep);
}

}  // namespace ratnet::inline v1
