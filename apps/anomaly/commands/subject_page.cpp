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
  return report.summary.slice_p_values[at(slice)];
}

double score_of(const SubjectReport& report, std::int64_t slice) {
  return report.summary.slice_scores[at(slice)];
}

bool is_unusual_slice(const SubjectReport& report, std::int64_t slice) {
  return is_unusual(p_value_of(report, slice), false_alarm_rate(report.model));
}

std::string name_of(std::int64_t slice) { return text("slice ", slice); }
std::string id_of(std::int64_t slice) { return text("slice-", slice); }

// Why a slice is not judged, by where it lies.
std::string reason(const SubjectReport& report, std::int64_t slice) {
  const PreparedSubject& subject = report.subject;
  if (!(subject.areas[at(slice)] > 0)) return "no brain found";
  const auto first = std::ranges::find(subject.judged, 1), begin = subject.judged.begin();
  if (first == subject.judged.end()) return "cannot be judged";
  if (slice < first - begin) return "near the skull base";
  const bool above = std::find(begin + slice, subject.judged.end(), 1) == subject.judged.end();
  return above ? "near the vertex" : "too little brain";
}

std::string score_chart(const SubjectReport& report) {
  const PreparedSubject& subject = report.subject;
  const ConformalReference& reference = *report.model.reference;
  const double rate = false_alarm_rate(report.model);
  // How far up the healthy go: from here on a slice is unusual.
  const double healthy = reference.sample_threshold(rate);
  double highest = healthy, low = 0, high = 1;
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    const double score = score_of(report, s);
    if (std::isnan(score)) continue;
    highest = std::max(highest, score);
    low = std::min(low, subject.positions[at(s)]);
    high = std::max(high, subject.positions[at(s)]);
  }
  Chart chart({.name = "position in the brain: 0 its bottom, 1 its top", .low = low, .high = high},
              {.name = "slice score", .low = 0, .high = highest > 0 ? 1.05 * highest : 1.0});
  chart.band(reference.sample_quantile(rate), healthy);
  chart.level(reference.sample_quantile(0.5));
  bool has_hollow = false;
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    const double position = subject.positions[at(s)], score = score_of(report, s);
    const std::string words = name_of(s) + ", score " + score_words(score);
    if (report.summary.is_judged(s)) {
      chart.dot(position, score, is_unusual_slice(report, s) ? Tone::alert : Tone::calm, words,
                "#" + id_of(s));
    } else if (!std::isnan(score)) {
      chart.hollow_dot(position, score, words + ", not judged");
      has_hollow = true;
    }
  }
  std::string legend = key("alert", "unusual slice (p at most " + percent(rate) + ")") +
                       key("calm", "judged slice") +
                       key("band", "healthy band: at most " + percent(rate) +
                                       " of a healthy subject's slices lie above") +
                       key("level", "middle of the healthy slices");
  if (has_hollow) legend += key("hollow", "not judged, and not part of the verdict");
  return chart.svg(text("Scores of the slices by position; the highest is ",
                        score_words(report.summary.score), " at slice ", report.summary.worst_slice,
                        ". The table of slices below has all of them.")) +
         element("ul", {{"class", "legend"}}, legend) + "\n";
}

// expected: the reconstructions on the judged grid.
Picture picture_of(const SubjectReport& report, const Tensor& expected, const Crop& crop,
                   std::int64_t slice) {
  Picture picture{
      .id = id_of(slice),
      .name = name_of(slice),
      .caption = {},
      .image = slice_png(cropped(slice_of<float>(report.subject.images, slice), crop), crop.side)};
  if (!report.summary.is_judged(slice)) {
    picture.caption = reason(report, slice);
    return picture;
  }
  const double score = score_of(report, slice);
  picture.caption =
      "score " + score_words(score) + ", p " + p_value_words(p_value_of(report, slice));
  if (is_unusual_slice(report, slice)) picture.caption += ", unusual";
  picture.overlay = overlay_png(cropped(slice_of<float>(report.scores.maps, slice), crop),
                                crop.side, report.model.model.threshold);
  picture.companion = slice_png(cropped(slice_of<float>(expected, slice), crop), crop.side);
  picture.rank = score;
  picture.marked = is_unusual_slice(report, slice);
  return picture;
}

std::string slice_table(const SubjectReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (std::int64_t s = 0; s < report.subject.slices(); ++s) {
    const bool judged = report.summary.is_judged(s);
    const std::string name = std::to_string(s);
    rows.push_back({judged ? element("a", {{"href", "#" + id_of(s)}}, name) : name,
                    position_words(report.subject.positions[at(s)]),
                    escaped(score_words(score_of(report, s))),
                    escaped(p_value_words(p_value_of(report, s))),
                    !judged                       ? "not judged: " + reason(report, s)
                    : is_unusual_slice(report, s) ? "unusual"
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
  if (report.summary.judged > 0)
    sentences.push_back("Coloured are pixels whose map reaches " +
                        format("%.3g", report.model.model.threshold) +
                        ", the threshold that was set on healthy subjects alone.");
  sentences.push_back(
      text("The verdict's rates hold on average over the choice of the ",
           report.model.reference->subjects(),
           " healthy subjects it rests on, and for subjects handled like them: same scanner, "
           "sequence and number of slices. A slice's p-value is right for a slice picked at "
           "random, not for the worst of many; that is what the verdict is for."));
  sentences.push_back("This is a tool for research. It makes no diagnosis.");
  return sentences;
}

void add_slices(Page& page, const SubjectReport& report) {
  PictureGrid grid{.by_rank = "worst first",
                   .by_place = "bottom to top",
                   .image = "input",
                   .overlay = "overlay",
                   .companion = "reconstruction"};
  const Crop crop = crop_to_brain(report.subject);
  const Tensor expected = resample_slices(report.reconstruction.images, kJudgedSize);
  std::vector<Picture> others;
  std::int64_t empty = 0;
  for (std::int64_t s = 0; s < report.subject.slices(); ++s) {
    if (report.summary.is_judged(s))
      grid.pictures.push_back(picture_of(report, expected, crop, s));
    else if (report.subject.areas[at(s)] > 0)
      others.push_back(picture_of(report, expected, crop, s));
    else
      ++empty;
  }
  if (!grid.pictures.empty()) {
    const double threshold = report.model.model.threshold;
    const std::string legend = heat_legend("overlay: map from", format("%.3g", threshold),
                                           format("%.3g and more", kOverlayTop * threshold));
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

void check(const SubjectReport& report) {
  const PreparedSubject& subject = report.subject;
  check_subject("report", subject);
  const auto slices = at(subject.slices());
  require(report.summary.slice_scores.size() == slices &&
              report.summary.slice_p_values.size() == slices &&
              report.scores.maps.shape() == subject.images.shape(),
          "report on '", subject.name, "': ", report.summary.slice_scores.size(), " scores, ",
          report.summary.slice_p_values.size(), " p-values and maps ", report.scores.maps.shape(),
          " for ", slices, " slices");
  const Shape& made = report.reconstruction.images.shape();
  require(made.rank() == 3 && made[0] == subject.slices() && made[1] == made[2], "report on '",
          subject.name, "': reconstructions ", made, " of ", slices, " slices");
}

std::string subject_page(const SubjectReport& report) {
  check(report);
  const SubjectSummary& summary = report.summary;
  const double rate = false_alarm_rate(report.model);
  const Verdict verdict = verdict_of({.p_value = summary.p_value,
                                      .calibration = report.model.reference->subjects(),
                                      .rate = rate,
                                      .judged = summary.judged,
                                      .slices = summary.slices()});
  Page page("Anomaly report", summary.name, report.about);
  page.verdict(tone_of(verdict.kind), verdict.headline, verdict.sentences);
  std::vector<std::string> warnings = report.model.model.warnings;
  if (const std::string leak = leak_warning(summary); !leak.empty()) warnings.push_back(leak);
  page.warnings(warnings);
  if (summary.judged > 0) {
    const auto unusual = std::ranges::count_if(summary.slice_p_values,
                                               [&](double p) { return is_unusual(p, rate); });
    page.section(
        "Slice scores",
        facts({{"slices judged", text(summary.judged, " of ", summary.slices())},
               {"worst slice", std::to_string(summary.worst_slice)},
               {"its score", score_words(summary.score)},
               {"p-value of the subject", p_value_words(summary.p_value)},
               {"unusual slices at " + percent(rate), text(unusual, " of ", summary.judged)}}) +
            score_chart(report));
  }
  add_slices(page, report);
  page.folded("Table of slices", slice_table(report));
  page.section("How to read this", paragraphs(how_to_read(report)));
  return page.html();
}

}  // namespace ratnet::inline v1
