#include "map_png.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>
#include <string_view>

#include "../../core/error.h"
#include "canvas.h"
#include "colour_scale.h"
#include "map_legend.h"
#include "map_raster.h"

namespace ratnet::inline v1 {
namespace {

constexpr int kMargin = 26;
constexpr int kAxisWidth = 92;  // left of the map: ticks and names of the axes
constexpr int kLegendGap = 54;  // holds the colour bar's numbers
constexpr int kStripHeight = 56;
constexpr int kStripGap = 34;  // above a strip, its heading in it
constexpr int kLeastWidth = 780;
constexpr Font kTitle{.size = 20, .bold = true};
constexpr Font kVerdict{.size = 17};
constexpr Font kNote{.size = 13, .colour = kFaintInk};

struct Counts {
  std::int64_t judged = 0;
  std::int64_t dark = 0;
  std::int64_t volumes_with_dark = 0;
  std::int64_t empty = 0;
  std::vector<std::int64_t> dark_in_volume;
};

Counts count(const SliceMap& map) {
  Counts counts;
  for (std::int64_t v = 0; v < map.volumes; ++v) {
    std::int64_t dark = 0;
    for (std::int64_t s = 0; s < map.slices; ++s) {
      const float p = map.probability[static_cast<std::size_t>(v * map.slices + s)];
      ++(std::isnan(p) ? counts.empty : counts.judged);
      if (static_cast<double>(p) >= map.threshold) ++dark;
    }
    counts.dark += dark;
    counts.volumes_with_dark += dark > 0;
    counts.dark_in_volume.push_back(dark);
  }
  return counts;
}

void check(const SliceMap& map) {
  require(map.volumes >= 1 && map.slices >= 1, "a map of ", map.volumes, " volumes x ", map.slices,
          " slices");
  const std::size_t n = map.probability.size(), slices = static_cast<std::size_t>(map.slices);
  require(n % slices == 0 && n / slices == static_cast<std::size_t>(map.volumes), "a map of ",
          map.volumes, " volumes x ", map.slices, " slices from ", n, " probabilities");
  require(map.threshold >= 0 && map.threshold <= 1, "a threshold of ", map.threshold,
          " is not between 0 and 1");
  require(
      map.brain_level.empty() || map.brain_level.size() == static_cast<std::size_t>(map.volumes),
      map.brain_level.size(), " brain levels for ", map.volumes, " volumes");
  for (const float p : map.probability)
    require(std::isnan(p) || (p >= 0 && p <= 1), "a probability of ", p, " in the map");
}

bool has_time(const SliceMap& map) {
  return map.repetition_time >= 1e-3 && map.repetition_time <= 3600;
}

std::vector<std::string> wrapped(Canvas& canvas, std::string_view words, const Font& font,
                                 double width) {
  std::vector<std::string> lines;
  std::string line;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    const std::string word = shortened(canvas, words.substr(0, end), font, width);
    words.remove_prefix(std::min(end + 1, words.size()));
    std::string longer = line;
    if (!line.empty()) longer += ' ';
    longer += word;
    if (!line.empty() && canvas.text_width(longer, font) > width) {
      lines.push_back(line);
      line = word;
    } else {
      line = longer;
    }
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

// The smallest of 1, 2, 5 x 10^k that is >= least.
double nice_step(double least) {
  const double decade = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * decade >= least * (1 - 1e-9)) return factor * decade;
  return 10 * decade;
}

struct Plot {
  Cells columns;
  Cells rows;
  double x = 0;
  double y = 0;
  double bottom = 0;  // of the last strip

  double volume_x(double volume) const { return x + columns.centre(volume); }
};

void draw_map(Canvas& canvas, const SliceMap& map, const Plot& plot) {
  canvas.image(plot.x, plot.y, plot.columns.pixels, plot.rows.pixels,
               map_pixels(map, plot.columns, plot.rows), plot.columns.pixels, plot.rows.pixels);
  canvas.frame(plot.x, plot.y, plot.columns.pixels, plot.rows.pixels, kGrid);
  if (plot.columns.size() >= 40 && plot.rows.size() >= 15)
    for (std::int64_t v = 0; v < map.volumes; ++v)
      for (std::int64_t s = 0; s < map.slices; ++s) {
        const float p = map.probability[static_cast<std::size_t>(v * map.slices + s)];
        if (std::isnan(p)) continue;
        const bool dark = static_cast<double>(p) >= map.threshold;
        canvas.text(plot.volume_x(static_cast<double>(v)),
                    plot.y + plot.rows.centre(static_cast<double>(s)) + 4, format("%.2f", p),
                    {.size = 11, .bold = dark, .colour = dark ? Colour{255, 255, 255} : kFaintInk},
                    Align::centre);
      }

  const double step =
      nice_step(std::max(1.0, 16.0 * static_cast<double>(map.slices) / plot.rows.pixels));
  for (double s = 0; s < static_cast<double>(map.slices); s += step) {
    const double y = plot.y + plot.rows.centre(s);
    canvas.line(plot.x - 5, y, plot.x - 1, y, kFaintInk);
    canvas.text(plot.x - 9, y + 4, format("%.0f", s), kTick, Align::right);
  }
  if (plot.rows.pixels >= 60)
    canvas.text_upwards(plot.x - 48, plot.y + plot.rows.pixels / 2.0, "slice", kHeading,
                        Align::centre);
  else
    canvas.text(plot.x - 30, plot.y + plot.rows.pixels / 2.0 + 4, "slice", kHeading, Align::right);
}

void draw_strip_frame(Canvas& canvas, const Plot& plot, double y, std::string_view heading,
                      const std::string& low, const std::string& high) {
  canvas.text(plot.x, y - 9, heading, kHeading);
  canvas.frame(plot.x, y, plot.columns.pixels, kStripHeight, kGrid);
  canvas.text(plot.x - 9, y + 9, high, kTick, Align::right);
  canvas.text(plot.x - 9, y + kStripHeight, low, kTick, Align::right);
}

void draw_dark_per_volume(Canvas& canvas, const Plot& plot, double y, const Counts& counts) {
  const std::int64_t most =
      *std::max_element(counts.dark_in_volume.begin(), counts.dark_in_volume.end());
  draw_strip_frame(canvas, plot, y, "dark slices per volume", "0", std::to_string(most));
  const bool gap = plot.columns.size() >= 3;
  for (int x = 0; x < plot.columns.pixels; ++x) {
    if (gap && x % plot.columns.size() == plot.columns.size() - 1) continue;
    std::int64_t dark = 0;
    for (std::int64_t v = plot.columns.first(x); v < plot.columns.last(x); ++v)
      dark = std::max(dark, counts.dark_in_volume[static_cast<std::size_t>(v)]);
    const double height =
        std::round(kStripHeight * static_cast<double>(dark) / static_cast<double>(most));
    canvas.rectangle(plot.x + x, y + kStripHeight - height, 1, height, kStrong);
  }
}

void draw_brain_level(Canvas& canvas, const Plot& plot, double y, std::span<const double> levels) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double level : levels)
    if (std::isfinite(level)) {
      low = std::min(low, level);
      high = std::max(high, level);
    }
  if (low > high) {
    draw_strip_frame(canvas, plot, y, "brain level per volume: not known", "", "");
    return;
  }
  const double room = std::max(0.08 * (high - low), 0.01 * std::abs(high));
  low -= room > 0 ? room : 1;
  high += room > 0 ? room : 1;
  draw_strip_frame(canvas, plot, y, "brain level per volume", format("%.3g", low),
                   format("%.3g", high));
  const auto height_of = [&](double level) {
    return y + kStripHeight * (high - level) / (high - low);
  };
  for (std::size_t v = 0; v < levels.size(); ++v) {
    if (!std::isfinite(levels[v])) continue;
    const double x = plot.volume_x(static_cast<double>(v)), at = height_of(levels[v]);
    const bool after = v > 0 && std::isfinite(levels[v - 1]);
    const bool before = v + 1 < levels.size() && std::isfinite(levels[v + 1]);
    if (after)
      canvas.line(plot.volume_x(static_cast<double>(v) - 1), height_of(levels[v - 1]), x, at, kLine,
                  1.4);
    else if (!before)
      canvas.rectangle(x - 1.5, at - 1.5, 3, 3, kLine);
  }
}

// One row of numbers under the strips: value = volume x unit.
void draw_axis_row(Canvas& canvas, const Plot& plot, double y, std::string_view name, double unit) {
  canvas.text(plot.x - 14, y, name, kHeading, Align::right);
  const double volumes = static_cast<double>(plot.columns.count);
  const double per_volume = plot.columns.pixels / volumes;
  double step = nice_step(64 * unit / per_volume);
  if (unit == 1) step = std::max(step, 1.0);
  for (int i = 0; i * step <= (volumes - 1) * unit * (1 + 1e-9); ++i)
    canvas.text(plot.volume_x(i * step / unit), y, format("%g", i * step), kTick, Align::centre);
}

void draw_axes(Canvas& canvas, const SliceMap& map, const Plot& plot) {
  const double step =
      std::max(1.0, nice_step(64 * static_cast<double>(map.volumes) / plot.columns.pixels));
  for (double v = 0; v < static_cast<double>(map.volumes); v += step)
    canvas.line(plot.volume_x(v), plot.bottom + 1, plot.volume_x(v), plot.bottom + 6, kFaintInk);
  draw_axis_row(canvas, plot, plot.bottom + 20, "volume", 1);
  if (has_time(map)) {
    const bool minutes = static_cast<double>(map.volumes) * map.repetition_time > 600;
    draw_axis_row(canvas, plot, plot.bottom + 40, minutes ? "time (min)" : "time (s)",
                  map.repetition_time / (minutes ? 60 : 1));
  }
}

std::string scale_note(const Plot& plot) {
  std::string note;
  if (plot.columns.size() == 0)
    note += "One column of pixels shows the worst of the volumes it covers. ";
  if (plot.rows.size() == 0) note += "One row of pixels shows the worst of the slices it covers. ";
  if (plot.columns.size() < 3) note += "Dark slices are drawn three pixels wide.";
  return note;
}

}  // namespace

std::string verdict_of(const SliceMap& map) {
  const Counts counts = count(map);
  if (counts.judged == 0)
    return text("No verdict: none of ", counts.empty, " slices could be judged");
  std::string words;
  if (counts.dark == 0) {
    words = text("No dark slice among ", counts.judged);
  } else {
    const double percent =
        100.0 * static_cast<double>(counts.dark) / static_cast<double>(counts.judged);
    words = text(counts.dark, " of ", counts.judged, counts.judged == 1 ? " slice" : " slices",
                 " dark (",
                 percent < 0.1 ? "<0.1" : format(percent < 10 ? "%.1f" : "%.0f", percent), "%)");
    if (map.volumes > 1)
      words += text(", in ", counts.volumes_with_dark, " of ", map.volumes, " volumes");
  }
  if (counts.empty > 0)
    words += text("; ", counts.empty, counts.empty == 1 ? " slice" : " slices", " not judged");
  return words;
}

void write_map_png(const std::string& path, const SliceMap& map) {
  check(map);
  const Counts counts = count(map);
  Plot plot{.columns = volume_cells(map.volumes), .rows = slice_cells(map.slices)};
  const int width = std::max(
      kLeastWidth, 2 * kMargin + kAxisWidth + plot.columns.pixels + kLegendGap + kLegendWidth);
  const int inner = width - 2 * kMargin;

  Canvas ruler(1, 1);
  std::vector<std::string> notes;
  for (const std::string& note : map.notes)
    for (std::string& line : wrapped(ruler, note, kNote, inner)) notes.push_back(std::move(line));
  for (std::string& line : wrapped(ruler, scale_note(plot), kNote, inner))
    notes.push_back(std::move(line));
  const std::vector<std::string> verdict = wrapped(ruler, verdict_of(map), kVerdict, inner - 26);

  // Charts over time say something only where there is time, and something to count.
  const bool with_counts = map.slices > 1 && map.volumes > 1 && counts.dark > 0;
  const bool with_level = map.volumes > 1 && !map.brain_level.empty();
  const int strips = (with_counts ? 1 : 0) + (with_level ? 1 : 0);
  plot.x = kMargin + kAxisWidth;
  plot.y = kMargin + 22 + 24 * static_cast<double>(verdict.size()) +
           19 * static_cast<double>(notes.size()) + 30;
  plot.bottom = plot.y + plot.rows.pixels + strips * (kStripGap + kStripHeight);
  const double axes_bottom = plot.bottom + (has_time(map) ? 46 : 26);
  const double body_bottom = std::max(axes_bottom, plot.y + legend_height(counts.empty > 0));
  const int sheet = contact_sheet_height(map.worst, inner);
  const int height = static_cast<int>(body_bottom) + kMargin + (sheet > 0 ? sheet + 16 : 0);

  Canvas canvas(width, height);
  double y = kMargin + 16;
  canvas.text(kMargin, y, shortened(canvas, map.name, kTitle, inner), kTitle);
  y += 8;
  canvas.rectangle(kMargin, y + 6, 14, 14, counts.dark > 0 ? kStrong : colour_of(0.5, 1));
  for (const std::string& line : verdict)
    canvas.text(kMargin + 24, y += 20, line, kVerdict), y += 4;
  for (const std::string& line : notes) canvas.text(kMargin, y += 19, line, kNote);

  draw_map(canvas, map, plot);
  double strip_y = plot.y + plot.rows.pixels + kStripGap;
  if (with_counts) {
    draw_dark_per_volume(canvas, plot, strip_y, counts);
    strip_y += kStripGap + kStripHeight;
  }
  if (with_level) draw_brain_level(canvas, plot, strip_y, map.brain_level);
  draw_axes(canvas, map, plot);
  draw_legend(canvas, map.threshold, plot.x + plot.columns.pixels + kLegendGap, plot.y,
              counts.empty > 0);
  draw_contact_sheet(canvas, kMargin, body_bottom + 16, inner, map.worst);
  canvas.write_png(path);
}

}  // namespace ratnet::inline v1
