#include "subject_page.h"

#include <algorithm>
#include <cmath>

#include "../../../core/error.h"
#include "../../report/chart.h"
#include "../../report/html.h"
#include "../../report/map_legend.h"
#include "../../report/page.h"
#include "../../report/picture_grid.h"
#include "../subject_slices.h"
#include "report_words.h"
#include "slice_pictures.h"
#include "verdict.h"

namespace ratnet::inline v1 {
namespace {

std::size_t at(std::int64_t slice) { return static_cast<std::size_t>(slice); }

double p_value_of(const SubjectReport& report, std::int64_t slice) {
  return report.slice_p_values.empty() ? std::numeric_limits<double>::quiet_NaN()
                                       : report.slice_p_values[at(slice)];
}

bool is_unusual(const SubjectReport& report, std::int64_t slice) {
  return is_judged(report, slice) && p_value_of(report, slice) <= report.rate;
}

// Whether a slice could be called unusual at all, were it ever so high.
bool can_be_unusual(const SubjectReport& report) {
  return report.reference && !report.slice_p_values.empty() &&
         report.rate >= report.reference->smallest_rate();
}

std::string name_of(std::int64_t slice) { return text("slice ", slice); }
std::string id_of(std::int64_t slice) { return text("slice-", slice); }

// Why a slice is not judged, by where it lies.
std::string reason(const SubjectReport& report, std::int64_t slice) {
  const PreparedSubject& subject = report.subject;
  if (subject.judged[at(slice)]) return "no score";
  if (!(subject.areas[at(slice)] > 0)) return "no brain found";
  const auto first = std::ranges::find(subject.judged, 1), begin = subject.judged.begin();
  if (first == subject.judged.end()) return "cannot be judged";
  if (slice < first - begin) return "near the skull base";
  const bool above = std::find(begin + slice, subject.judged.end(), 1) == subject.judged.end();
  return above ? "near the vertex" : "too little brain";
}

// How far up the healthy go: from here on a slice is unusual, if they are enough to say so.
struct HealthyBand {
  double low, middle, high;
  std::string words;
};

HealthyBand healthy_band(const ConformalReference& reference, double rate) {
  const bool enough = rate >= reference.smallest_rate();
  const double middle = reference.sample_quantile(0.5);
  if (!enough)
    return {reference.sample_quantile(0), middle, reference.sample_quantile(1),
            text("all slices of ", reference.subjects(), " healthy subjects")};
  return {reference.sample_quantile(rate), middle, reference.sample_threshold(rate),
          "healthy band: at most " + percent(rate) + " of a healthy subject's slices lie above"};
}

std::string score_chart(const SubjectReport& report) {
  const PreparedSubject& subject = report.subject;
  double highest = 0, low = 0, high = 1;
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    const double score = report.scores.slice_scores[at(s)];
    if (std::isnan(score)) continue;
    highest = std::max(highest, score);
    low = std::min(low, subject.positions[at(s)]);
    high = std::max(high, subject.positions[at(s)]);
  }
  std::string legend = key("calm", "judged slice");
  if (report.reference) {
    highest = std::max(highest, healthy_band(*report.reference, report.rate).high);
    if (can_be_unusual(report))
      legend = key("alert", "unusual slice (p at most " + percent(report.rate) + ")") + legend;
  }
  Chart chart({.name = "position in the brain: 0 its bottom, 1 its top", .low = low, .high = high},
              {.name = "slice score", .low = 0, .high = highest > 0 ? 1.05 * highest : 1.0});
  if (report.reference) {
    const HealthyBand band = healthy_band(*report.reference, report.rate);
    chart.band(band.low, band.high);
    chart.level(band.middle);
    legend += key("band", band.words) + key("level", "middle of the healthy slices");
  }
  bool has_hollow = false;
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    const double position = subject.positions[at(s)], score = report.scores.slice_scores[at(s)];
    const std::string words = name_of(s) + ", score " + score_words(score);
    if (is_judged(report, s)) {
      chart.dot(position, score, is_unusual(report, s) ? Tone::alert : Tone::calm, words,
                "#" + id_of(s));
    } else if (!std::isnan(score)) {
      chart.hollow_dot(position, score, words + ", not judged");
      has_hollow = true;
    }
  }
  if (has_hollow) legend += key("hollow", "not judged, and not part of the verdict");
  const std::int64_t worst = worst_slice(report);
  return chart.svg(text("Scores of the slices by position; the highest is ",
                        score_words(report.scores.slice_scores[at(worst)]), " at slice ", worst,
                        ". The table of slices below has all of them.")) +
         element("ul", {{"class", "legend"}}, legend) + "\n";
}

// expected: the reconstructions on the judged grid; no values where there are none.
Picture picture_of(const SubjectReport& report, const Tensor& expected, const Crop& crop,
                   std::int64_t slice) {
  Picture picture{
      .id = id_of(slice),
      .name = name_of(slice),
      .caption = {},
      .image = slice_png(cropped(slice_of<float>(report.subject.images, slice), crop), crop.side)};
  if (!is_judged(report, slice)) {
    picture.caption = reason(report, slice);
    return picture;
  }
  const double score = report.scores.slice_scores[at(slice)], p = p_value_of(report, slice);
  picture.caption = "score " + score_words(score);
  if (!std::isnan(p)) picture.caption += ", p " + p_value_words(p);
  if (is_unusual(report, slice)) picture.caption += ", unusual";
  picture.overlay = overlay_png(cropped(slice_of<float>(report.scores.maps, slice), crop),
                                crop.side, report.threshold);
  if (expected)
    picture.companion = slice_png(cropped(slice_of<float>(expected, slice), crop), crop.side);
  picture.rank = score;
  picture.marked = is_unusual(report, slice);
  return picture;
}

std::string slice_table(const SubjectReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (std::int64_t s = 0; s < report.subject.slices(); ++s) {
    const bool judged = is_judged(report, s);
    const std::string name = std::to_string(s);
    rows.push_back({judged ? element("a", {{"href", "#" + id_of(s)}}, name) : name,
                    position_words(report.subject.positions[at(s)]),
                    escaped(score_words(report.scores.slice_scores[at(s)])),
                    escaped(p_value_words(judged ? p_value_of(report, s)
                                                 : std::numeric_limits<double>::quiet_NaN())),
                    !judged                 ? "not judged: " + reason(report, s)
                    : is_unusual(report, s) ? "unusual"
                                            : ""});
  }
  return table("Slices are counted from 0 at the bottom.",
               {{"slice"}, {"position", true}, {"score", true}, {"p-value", true}, {"remark"}},
               rows);
}

std::vector<std::string> how_to_read(const SubjectReport& report) {
  std::vector<std::string> sentences{
      "The model has learnt what healthy slices look like. A map shows where a slice departs from "
      "what the model expects in its place; a slice's score is the mean of its map's brightest "
      "pixels; the subject's is that of the worst judged slice."};
  if (std::isfinite(report.threshold) && worst_slice(report) >= 0)
    sentences.push_back("Coloured are pixels whose map reaches " +
                        format("%.3g", report.threshold) +
                        ", the threshold that was set on healthy subjects alone.");
  if (report.reference)
    sentences.push_back(text(
        "The verdict's rates hold on average over the choice of the ", report.reference->subjects(),
        " healthy subjects it rests on, and for subjects handled like them: same scanner, sequence "
        "and number of slices. A slice's p-value is right for a slice picked at random, not for "
        "the worst of many; that is what the verdict is for."));
  sentences.push_back("This is a tool for research. It makes no diagnosis.");
  sentences.insert(sentences.end(), report.notes.begin(), report.notes.end());
  return sentences;
}

void add_slices(Page& page, const SubjectReport& report) {
  PictureGrid grid{.by_rank = "worst first",
                   .by_place = "bottom to top",
                   .image = "input",
                   .overlay = "overlay",
                   .companion = "reconstruction"};
  const Crop crop = crop_to_brain(report.subject);
  Tensor expected;
  if (report.reconstruction) expected = resample_slices(report.reconstruction->images, kJudgedSize);
  std::vector<Picture> others;
  std::int64_t empty = 0;
  for (std::int64_t s = 0; s < report.subject.slices(); ++s) {
    if (is_judged(report, s))
      grid.pictures.push_back(picture_of(report, expected, crop, s));
    else if (report.subject.areas[at(s)] > 0)
      others.push_back(picture_of(report, expected, crop, s));
    else
      ++empty;
  }
  if (!grid.pictures.empty()) {
    const std::string legend =
        std::isfinite(report.threshold)
            ? heat_legend("overlay: residual from", format("%.3g", report.threshold),
                          format("%.3g and more", kOverlayTop * report.threshold))
            : std::string();
    page.section("Slices", legend + picture_grid(grid));
  }
  const std::int64_t left = static_cast<std::int64_t>(others.size()) + empty;
  if (left == 0) return;
  std::vector<std::string> why{
      "The model is not trusted near the skull base and the vertex, nor where little brain was "
      "found."};
  if (empty > 0) why.push_back(text("No brain was found in ", empty, " of them."));
  page.folded(text(left, left == 1 ? " slice" : " slices", " not judged"),
              paragraphs(why) + (others.empty() ? "" : small_pictures(others)));
}

}  // namespace

bool is_judged(const SubjectReport& report, std::int64_t slice) {
  return report.subject.judged[at(slice)] && !std::isnan(report.scores.slice_scores[at(slice)]);
}

std::int64_t worst_slice(const SubjectReport& report) {
  std::int64_t worst = -1;
  for (std::int64_t s = 0; s < report.subject.slices(); ++s)
    if (is_judged(report, s) &&
        (worst < 0 || report.scores.slice_scores[at(s)] > report.scores.slice_scores[at(worst)]))
      worst = s;
  return worst;
}

void check(const SubjectReport& report) {
  const PreparedSubject& subject = report.subject;
  check_subject("report", subject);
  const auto slices = at(subject.slices());
  require(report.scores.slice_scores.size() == slices &&
              report.scores.maps.shape() == subject.images.shape(),
          "report on '", subject.name, "': ", report.scores.slice_scores.size(),
          " scores and maps ", report.scores.maps.shape(), " for ", slices, " slices");
  require(report.slice_p_values.empty() || report.slice_p_values.size() == slices, "report on '",
          subject.name, "': ", report.slice_p_values.size(), " p-values for ", slices, " slices");
  if (!report.reconstruction) return;
  const Shape& made = report.reconstruction->images.shape();
  require(made.rank() == 3 && made[0] == subject.slices() && made[1] == made[2], "report on '",
          subject.name, "': reconstructions ", made, " of ", slices, " slices");
}

std::string subject_page(const SubjectReport& report) {
  check(report);
  const PreparedSubject& subject = report.subject;
  std::int64_t judged = 0, unusual = 0;
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    judged += is_judged(report, s);
    unusual += is_unusual(report, s);
  }
  const Verdict verdict =
      verdict_of({.p_value = report.p_value,
                  .calibration = report.reference ? report.reference->subjects() : 0,
                  .rate = report.rate,
                  .judged = judged,
                  .slices = subject.slices()});
  Page page("Anomaly report", subject.name, report.model);
  page.verdict(tone_of(verdict.kind), verdict.headline, verdict.sentences);
  page.warnings(report.warnings);
  if (judged > 0) {
    const std::int64_t worst = worst_slice(report);
    std::vector<std::pair<std::string, std::string>> named{
        {"slices judged", text(judged, " of ", subject.slices())},
        {"worst slice", std::to_string(worst)},
        {"its score", score_words(report.scores.slice_scores[at(worst)])}};
    if (!std::isnan(report.p_value))
      named.emplace_back("p-value of the subject", p_value_words(report.p_value));
    if (can_be_unusual(report))
      named.emplace_back("unusual slices at " + percent(report.rate),
                         text(unusual, " of ", judged));
    page.section("Slice scores", facts(named) + score_chart(report));
  }
  add_slices(page, report);
  page.folded("Table of slices", slice_table(report));
  page.section("How to read this", paragraphs(how_to_read(report)));
  return page.html();
}

}  // namespace ratnet::inline v1
