#include "reliability_png.h"

#include <algorithm>
#include <cmath>

#include "../../core/error.h"
#include "canvas.h"
#include "colour_scale.h"
#include "map_legend.h"

namespace ratnet::inline v1 {
namespace {

constexpr int kMargin = 26;
constexpr int kAxisWidth = 62;  // left of the plot: the axis' name and numbers
constexpr int kSide = 440;      // of the plot
constexpr int kStripHeight = 90;
constexpr int kStripGap = 76;  // between the two: numbers, the axis' name, the strip's heading
constexpr int kKeyHeight = 36;
constexpr int kWidth = 2 * kMargin + kAxisWidth + kSide;
constexpr Font kTitle{.size = 20, .bold = true};
constexpr Font kFigures{.size = 15};
constexpr Font kNote{.size = 13, .colour = kFaintInk};
constexpr Font kName{.size = 14, .colour = kFaintInk};
constexpr Colour kBar{120, 160, 196};
constexpr Colour kGap{240, 178, 122};

struct Box {
  double x = 0;
  double y = 0;

  // Of a probability or fraction; whole pixels keep edges sharp.
  double across(double p) const { return std::round(x + p * kSide); }
  double up(double p) const { return std::round(y + (1 - p) * kSide); }
};

void check(const Calibration& calibration) {
  const std::size_t bins = calibration.bins.size();
  require(bins >= 1 && bins <= 100, "a reliability diagram of ", bins, " bins: 1 to 100 fit");
  for (const CalibrationBin& bin : calibration.bins) {
    require(bin.count >= 0, "a bin of ", bin.count, " samples");
    if (bin.count == 0) continue;
    for (const double value : {bin.mean_probability, bin.positive_fraction})
      require(value >= 0 && value <= 1, "a bin with the value ", value, ", not in [0, 1]");
  }
}

std::int64_t samples_of(const Calibration& calibration) {
  std::int64_t n = 0;
  for (const CalibrationBin& bin : calibration.bins) n += bin.count;
  return n;
}

std::string figures_of(const Calibration& calibration) {
  const std::int64_t n = samples_of(calibration);
  if (n == 0) return "no samples";
  return text("expected calibration error ", format("%.3f", calibration.error), ", ", n,
              n == 1 ? " sample" : " samples");
}

void draw_diagonal(Canvas& canvas, const Box& box) {
  constexpr int kDashes = 40;
  for (int i = 0; i < kDashes; ++i) {
    const double from = (i + 0.2) / kDashes, to = (i + 0.8) / kDashes;
    canvas.line(box.x + from * kSide, box.y + (1 - from) * kSide, box.x + to * kSide,
                box.y + (1 - to) * kSide, kInk, 1.4);
  }
}

// Left and right edge of a bin's bar, with a white line between bars where there is room for it.
struct Bar {
  double left = 0;
  double width = 0;
};
Bar bar_of(const Box& box, std::size_t bin, std::size_t bins) {
  const auto n = static_cast<double>(bins);
  const double left = box.across(static_cast<double>(bin) / n);
  const double right = box.across(static_cast<double>(bin + 1) / n);
  const double space = right - left >= 8 ? 1 : 0;
  return {left + space, right - left - 2 * space};
}

void draw_plot(Canvas& canvas, const Box& box, const ReliabilityDiagram& diagram) {
  for (int i = 0; i <= 5; ++i) {
    const double p = i / 5.0;
    if (i > 0 && i < 5) {
      canvas.rectangle(box.x, box.up(p), kSide, 1, kGrid);
      canvas.rectangle(box.across(p), box.y, 1, kSide, kGrid);
    }
    canvas.text(box.x - 9, box.up(p) + 4, format("%.1f", p), kTick, Align::right);
    canvas.text(box.across(p), box.y + kSide + 19, format("%.1f", p), kTick, Align::centre);
  }
  const std::vector<CalibrationBin>& bins = diagram.calibration.bins;
  for (std::size_t b = 0; b < bins.size(); ++b) {
    if (bins[b].count == 0) continue;
    const Bar bar = bar_of(box, b, bins.size());
    const double top = box.up(bins[b].positive_fraction),
                 predicted = box.up(bins[b].mean_probability);
    canvas.rectangle(bar.left, top, bar.width, box.y + kSide - top, kBar);
    canvas.rectangle(bar.left, std::min(top, predicted), bar.width, std::abs(top - predicted),
                     kGap);
    canvas.rectangle(bar.left, std::min(top, box.y + kSide - 3), bar.width, 3, kLine);
  }
  draw_diagonal(canvas, box);
  canvas.frame(box.x, box.y, kSide, kSide, kGrid);
  canvas.text_upwards(box.x - 44, box.y + kSide / 2.0,
                      shortened(canvas, diagram.fraction, kName, kSide), kName, Align::centre);
  canvas.text(box.x + kSide / 2.0, box.y + kSide + 41,
              shortened(canvas, diagram.probability, kName, kSide), kName, Align::centre);
}

void draw_counts(Canvas& canvas, const Box& box, const Calibration& calibration) {
  std::int64_t most = 0;
  for (const CalibrationBin& bin : calibration.bins) most = std::max(most, bin.count);
  const double y = box.y + kSide + kStripGap;
  canvas.text(box.x, y - 9, "samples in each bin", kName);
  for (std::size_t b = 0; b < calibration.bins.size() && most > 0; ++b) {
    const std::int64_t count = calibration.bins[b].count;
    if (count == 0) continue;
    const Bar bar = bar_of(box, b, calibration.bins.size());
    // One sample among many still shows.
    const double height = std::max(
        1.0, std::round(kStripHeight * static_cast<double>(count) / static_cast<double>(most)));
    canvas.rectangle(bar.left, y + kStripHeight - height, bar.width, height, kFaintInk);
  }
  canvas.frame(box.x, y, kSide, kStripHeight, kGrid);
  if (most > 0) canvas.text(box.x - 9, y + 9, text(most), kTick, Align::right);
  canvas.text(box.x - 9, y + kStripHeight, "0", kTick, Align::right);
}

void draw_key(Canvas& canvas, double x, double y) {
  const auto swatch = [&](Colour colour, const char* words) {
    canvas.rectangle(x, y - 11, 14, 14, colour);
    canvas.text(x += 20, y, words, kNote);
    x += canvas.text_width(words, kNote) + 22;
  };
  canvas.rectangle(x, y - 14, 14, 3, kLine);
  swatch(kBar, "what came true");
  swatch(kGap, "gap to what was predicted");
  for (int i = 0; i < 3; ++i) canvas.line(x + 8 * i, y - 5, x + 8 * i + 5, y - 5, kInk, 1.4);
  canvas.text(x + 28, y, "no gap", kNote);
}

}  // namespace

void write_reliability_png(const std::string& path, const ReliabilityDiagram& diagram) {
  check(diagram.calibration);
  require(diagram.notes.size() <= 100, diagram.notes.size(), " notes on a picture: 100 fit");
  const Box box{kMargin + kAxisWidth,
                kMargin + 50 + 19.0 * static_cast<double>(diagram.notes.size()) + kKeyHeight};
  const double height = box.y + kSide + kStripGap + kStripHeight + kMargin;
  Canvas canvas(kWidth, static_cast<int>(height));
  const double inner = kWidth - 2 * kMargin;
  double y = kMargin + 16;
  canvas.text(kMargin, y, shortened(canvas, diagram.name, kTitle, inner), kTitle);
  canvas.text(kMargin, y += 25, figures_of(diagram.calibration), kFigures);
  for (const std::string& note : diagram.notes)
    canvas.text(kMargin, y += 19, shortened(canvas, note, kNote, inner), kNote);
  draw_key(canvas, box.x, box.y - 13);
  draw_plot(canvas, box, diagram);
  draw_counts(canvas, box, diagram.calibration);
  canvas.write_png(path);
}

}  // namespace ratnet::inline v1
