#include "graph_svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "../../network/graph_table.h"
#include "canvas.h"
#include "colour_scale.h"
#include "graph_layout.h"
#include "svg.h"

namespace ratnet::inline v1 {
namespace {

struct Family {
  const char* name;
  Colour strong;
  Colour pale;
  std::array<std::string_view, 4> parts;  // a kind with one of these in its name belongs here
};

// The first that fits; the last takes the rest.
constexpr Family kFamilies[] = {
    {"input", {74, 85, 104}, {233, 236, 241}, {"input"}},
    {"convolution", {43, 108, 176}, {230, 240, 250}, {"conv"}},
    {"normalisation", {29, 138, 125}, {226, 244, 241}, {"norm"}},
    {"pooling, resampling", {197, 78, 52}, {252, 234, 228}, {"pool", "sampl", "resize"}},
    {"joining", {121, 84, 168}, {240, 234, 248}, {"add", "concat", "multiply"}},
    {"dense", {72, 133, 46}, {234, 245, 227}, {"dense"}},
    {"activation", {201, 137, 0}, {254, 244, 219}, {"lu", "softmax", "sigmoid", "tanh"}},
    {"other", {128, 134, 144}, {243, 244, 246}, {}}};

const Family& family_of(std::string_view kind) {
  return *std::find_if(std::begin(kFamilies), std::end(kFamilies) - 1, [&](const Family& family) {
    return std::any_of(family.parts.begin(), family.parts.end(), [&](std::string_view part) {
      return !part.empty() && kind.find(part) != std::string_view::npos;
    });
  });
}

constexpr Colour kSkip{121, 84, 168};
constexpr Colour kFlow{120, 128, 140};
constexpr double kMargin = 32;
constexpr double kLeastWidth = 420;                // of the page
constexpr double kPadding = 12;                    // beside the text in a box
constexpr double kNarrowest = 150, kWidest = 250;  // of boxes
constexpr double kTitleLine = 17, kTextLine = 14, kBar = 3;
constexpr std::size_t kMostLines = 2;  // of options

const Font kTitle{.size = 21, .bold = true, .colour = kInk};
const Font kName{.size = 12.5, .bold = true, .colour = kInk};
const Font kPlain{.size = 10.5, .bold = false, .colour = kInk};
const Font kFaint{.size = 10.5, .bold = false, .colour = kFaintInk};
const Font kTotals{.size = 12.5, .bold = false, .colour = kFaintInk};

std::string number(double value) {
  std::array<char, 48> buffer;
  std::snprintf(buffer.data(), buffer.size(), "%.1f", value == 0 ? 0.0 : value);
  return buffer.data();
}

std::string with_crosses(std::string words) {
  for (std::size_t i = 0; (i = words.find(" x ", i)) != std::string::npos;)
    words.replace(i, 3, " \xC3\x97 ");
  return words;
}

std::string sizes_in_words(const Shape& shape) {
  std::string words;
  for (const std::int64_t size : shape.sizes())
    words += (words.empty() ? "" : " \xC3\x97 ") + std::to_string(size);
  return words;
}

std::string share_in_words(double share) {
  return share <= 0 ? "" : share < 0.001 ? "< 0.1 %" : number(100 * share) + " %";
}

// "262.3 k": what fits in a box.
std::string short_count(std::int64_t count) {
  double value = static_cast<double>(count);
  std::size_t unit = 0;
  for (; value >= 10000 && unit < 3; ++unit) value /= 1000;
  return unit == 0 ? std::to_string(count) : number(value) + std::array{"", " k", " M", " G"}[unit];
}

// Smaller by `left` there and by `others` on the other sides.
DrawnBox inset(const DrawnBox& box, double left, double others) {
  return {box.x + left, box.y + others, box.width - left - others, box.height - 2 * others};
}

void draw_curve(SvgWriter& writer, const GraphCurve& curve, DrawnPoint offset) {
  const auto moved = [&](DrawnPoint p) { return DrawnPoint{p.x + offset.x, p.y + offset.y}; };
  const Colour colour = curve.skip ? kSkip : kFlow;
  std::vector<DrawnPoint> points;
  for (const DrawnPoint& p : curve.points) points.push_back(moved(p));
  writer.curve(points, colour, 1.6);
  const DrawnPoint end = points.back(), tip = moved(curve.tip);
  const double length = std::hypot(tip.x - end.x, tip.y - end.y);
  const double across_x = (tip.y - end.y) / length * 3.8, across_y = (end.x - tip.x) / length * 3.8;
  writer.polygon(std::array{tip, DrawnPoint{end.x + across_x, end.y + across_y},
                            DrawnPoint{end.x - across_x, end.y - across_y}},
                 colour);
}

// A row of the table as it stands in its box.
struct Label {
  std::string share;
  std::vector<std::string> options;
  std::string output;
  std::string parameters;
  bool one_line = false;  // options and output stand side by side
};

class Drawing {
 public:
  Drawing(const Graph& graph, std::string_view title)
      : graph_(graph), table_(graph_table(graph)), title_(shortened(ruler_, title, kTitle, 600)) {}

  std::string svg() {
    find_labels();
    std::vector<double> heights;
    for (std::size_t i = 0; i < labels_.size(); ++i)
      heights.push_back(kTitleLine +
                        kTextLine * static_cast<double>(labels_[i].options.size() +
                                                        (labels_[i].one_line ? 0 : 1)) +
                        (table_.rows[i].multiply_adds > 0 ? 16 : 11));
    const GraphLayout layout = lay_out(graph_, box_width_, heights);
    const double width = std::max(kLeastWidth, layout.width + 2 * kMargin);
    const double head = draw_head(width);
    const DrawnPoint offset{(width - layout.width) / 2, head};
    for (const bool skip : {true, false})  // the main path above the others
      for (const GraphCurve& curve : layout.curves)
        if (curve.skip == skip) draw_curve(writer_, curve, offset);
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      DrawnBox box = layout.boxes[i];
      box.x += offset.x;
      box.y += offset.y;
      draw_box(i, box);
    }
    return writer_.page(width, head + layout.height + kMargin, title_);
  }

 private:
  double share(std::size_t i) const {
    return table_.multiply_adds > 0 ? table_.rows[i].multiply_adds / table_.multiply_adds : 0;
  }
  bool is_output(std::size_t i) const {
    return std::count(graph_.outputs().begin(), graph_.outputs().end(), static_cast<int>(i)) > 0;
  }

  // Words in as few lines as they need; what is too long ends with an ellipsis.
  std::vector<std::string> in_lines(const std::string& words, double width) {
    std::vector<std::string> lines = {""};
    for (std::size_t begin = 0; begin < words.size();) {
      const std::size_t end = std::min(words.find(", ", begin), words.size() - 1) + 1;
      const std::string word = words.substr(begin, end - begin);
      const std::string longer = lines.back() + (lines.back().empty() ? "" : " ") + word;
      if (!lines.back().empty() && ruler_.text_width(longer, kPlain) > width &&
          lines.size() < kMostLines)
        lines.push_back(word);
      else
        lines.back() = longer;
      begin = end + (end < words.size() ? 1 : 0);
    }
    for (std::string& line : lines) line = shortened(ruler_, line, kPlain, width);
    return lines;
  }

  void find_labels() {
    double widest = 0;
    for (std::size_t i = 0; i < table_.rows.size(); ++i) {
      const GraphRow& row = table_.rows[i];
      Label label{.share = share_in_words(share(i)),
                  .options = {},
                  .output = sizes_in_words(row.output),
                  .parameters = row.parameters ? short_count(row.parameters) + " params" : ""};
      widest = std::max(
          {widest, ruler_.text_width(row.name, kName) + 14 + ruler_.text_width(label.share, kFaint),
           ruler_.text_width(label.output, kPlain) + 14 +
               ruler_.text_width(label.parameters, kFaint),
           ruler_.text_width(options_of(row), kPlain) / 1.5});
      labels_.push_back(std::move(label));
    }
    box_width_ = std::clamp(std::ceil(widest + 2 * kPadding), kNarrowest, kWidest);
    const double width = box_width_ - 2 * kPadding;
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      Label& label = labels_[i];
      const std::string options = options_of(table_.rows[i]);
      label.options = in_lines(options, width);
      label.one_line =
          label.parameters.empty() &&
          ruler_.text_width(options, kPlain) + 14 + ruler_.text_width(label.output, kPlain) <=
              width;
    }
  }

  static std::string options_of(const GraphRow& row) {
    // An input's only field is its shape, which the box tells anyway.
    if (row.fields.empty() || row.inputs.empty()) return std::string(row.kind);
    return with_crosses(std::string(row.kind) + ", " + row.fields);
  }

  void draw_box(std::size_t i, const DrawnBox& box) {
    const GraphRow& row = table_.rows[i];
    const Label& label = labels_[i];
    const Family& family = family_of(row.kind);
    const double left = box.x + kPadding, right = box.x + box.width - kPadding;
    writer_.open(text(row.name, ": ", row.kind, row.fields.empty() ? "" : ", ", row.fields,
                      "; output ", label.output, "; ", row.parameters, " parameters; ",
                      row.multiply_adds, " multiply-adds"));
    const double edge = is_output(i) ? 2.2 : 0;
    if (edge > 0) writer_.box(box, 7, kInk);
    writer_.box(inset(box, edge, edge), 6, family.strong);
    writer_.box(inset(box, std::max(5.0, edge), std::max(1.0, edge)), 5, family.pale);
    double y = box.y + kTitleLine;
    writer_.words(right, y, label.share, kFaint, Align::right);
    writer_.words(
        left, y,
        shortened(
            ruler_, row.name, kName,
            right - left - (label.share.empty() ? 0 : ruler_.text_width(label.share, kFaint) + 8)),
        kName);
    for (const std::string& line : label.options) writer_.words(left, y += kTextLine, line, kPlain);
    if (label.one_line)
      writer_.words(right, y, label.output, kPlain, Align::right);
    else
      writer_.words(left, y += kTextLine, label.output, kPlain);
    if (ruler_.text_width(label.output, kPlain) + ruler_.text_width(label.parameters, kFaint) + 6 <=
        right - left)
      writer_.words(right, y, label.parameters, kFaint, Align::right);
    if (row.multiply_adds > 0) {
      writer_.box({left, y + 6, right - left, kBar}, kBar / 2, kGrid);
      writer_.box({left, y + 6, std::max(kBar, (right - left) * share(i)), kBar}, kBar / 2,
                  family.strong);
    }
    writer_.close();
  }

  // Title, totals and legend. Returns where the drawing begins.
  double draw_head(double width) {
    double y = kMargin + 16;
    writer_.words(kMargin, y, title_, kTitle);
    std::vector<std::string> phrases = totals_in_words(table_);
    phrases.insert(phrases.begin(), text(table_.rows.size(), " layers"));
    std::string line;
    y += 24;
    for (const std::string& phrase : phrases) {
      const std::string longer = line.empty() ? phrase : text(line, " \xC2\xB7 ", phrase);
      if (!line.empty() && ruler_.text_width(longer, kTotals) > width - 2 * kMargin) {
        writer_.words(kMargin, y, line, kTotals);
        y += 18;
        line = phrase;
      } else {
        line = longer;
      }
    }
    writer_.words(kMargin, y, line, kTotals);
    y += 26;

    double x = kMargin;
    const auto entry = [&](std::string_view words, double symbol, auto&& draw) {
      const double needed = symbol + 6 + ruler_.text_width(words, kPlain);
      if (x > kMargin && x + needed > width - kMargin) {
        x = kMargin;
        y += 19;
      }
      draw(x, y);
      writer_.words(x + symbol + 6, y, words, kPlain);
      x += needed + 18;
    };
    for (const Family& family : kFamilies)
      if (std::any_of(table_.rows.begin(), table_.rows.end(),
                      [&](const GraphRow& row) { return &family_of(row.kind) == &family; }))
        entry(family.name, 14, [&](double left, double base) {
          writer_.box({left, base - 10, 14, 12}, 3, family.strong);
          writer_.box({left + 4, base - 9, 9, 10}, 2, family.pale);
        });
    entry("output", 14, [&](double left, double base) {
      writer_.box({left, base - 10, 14, 12}, 4, kInk);
      writer_.box({left + 2, base - 8, 10, 8}, 2, {255, 255, 255});
    });
    entry("share of multiply-adds", 26, [&](double left, double base) {
      writer_.box({left, base - 5, 26, kBar}, kBar / 2, kGrid);
      writer_.box({left, base - 5, 11, kBar}, kBar / 2, kFaintInk);
    });
    return y + 30;
  }

  const Graph& graph_;
  const GraphTable table_;
  Canvas ruler_{1, 1};
  const std::string title_;
  std::vector<Label> labels_;  // by row of the table
  double box_width_ = 0;
  SvgWriter writer_;
};

}  // namespace

std::string graph_svg(const Graph& graph, std::string_view title) {
  return Drawing(graph, title).svg();
}

}  // namespace ratnet::inline v1
