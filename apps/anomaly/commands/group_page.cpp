#include "group_page.h"

#include <algorithm>
#include <cmath>

#include "../../../core/error.h"
#include "../../report/chart.h"
#include "../../report/html.h"
#include "../../report/map_legend.h"
#include "../../report/picture_grid.h"
#include "../subject_slices.h"
#include "report_words.h"
#include "slice_pictures.h"

namespace ratnet::inline v1 {
namespace {

struct Ranked {
  const GroupRow* row;
  Verdict verdict;
};

std::vector<Ranked> ranked(const GroupReport& report) {
  std::vector<Ranked> result;
  for (const GroupRow& row : report.rows)
    result.push_back({&row, verdict_of({.p_value = row.summary.p_value,
                                        .calibration = report.model.reference->subjects(),
                                        .rate = false_alarm_rate(report.model),
                                        .judged = row.summary.judged,
                                        .slices = row.summary.slices()})});
  std::ranges::stable_sort(result, [](const Ranked& a, const Ranked& b) {
    return ranks_before(a.row->summary, b.row->summary);
  });
  return result;
}

std::int64_t count(const std::vector<Ranked>& subjects, VerdictKind kind) {
  return std::ranges::count_if(subjects, [&](const Ranked& r) { return r.verdict.kind == kind; });
}

const char* row_noun(const GroupReport& report) {
  std::vector<std::string> subjects;
  for (const GroupRow& row : report.rows) subjects.push_back(row.summary.subject);
  return noun_of(subjects);
}

void add_verdict(Page& page, const GroupReport& report, const std::vector<Ranked>& subjects) {
  const std::int64_t unusual = count(subjects, VerdictKind::unusual),
                     unjudged = count(subjects, VerdictKind::unjudged),
                     judged = static_cast<std::int64_t>(subjects.size()) - unjudged;
  const double rate = false_alarm_rate(report.model);
  const char* noun = row_noun(report);
  std::vector<std::string> sentences{
      text("Each was compared with ", report.model.reference->subjects(),
           " healthy subjects kept aside. If all ", judged, " were healthy, at most ",
           format("%.2g", rate * static_cast<double>(judged)),
           " of them would be called unusual on average.")};
  if (unjudged > 0)
    sentences.push_back(
        text(counted(unjudged, noun),
             " could not be judged at all: see the end of the table. Nothing is said "
             "of ",
             unjudged == 1 ? "it." : "them."));
  if (!report.throughput.empty()) sentences.push_back(report.throughput);
  page.verdict(unusual > 0  ? Tone::alert
               : judged > 0 ? Tone::calm
                            : Tone::unclear,
               text(unusual, " of ", counted(judged, noun), " unusual, at a false-alarm rate of ",
                    percent(rate)),
               sentences);
}

struct Dot {
  double score;
  Tone tone;
  std::string title;
  std::string link;
};

// Dots of about the same score stand on each other: where there are many, they make a histogram.
// Returns the highest pile's number of dots.
template <class Draw>
int pile(std::vector<Dot> dots, double top, Draw&& draw) {
  constexpr int kBins = 84;  // each as wide as a dot
  std::vector<int> heights(kBins);
  std::ranges::stable_sort(dots, {}, &Dot::score);
  for (const Dot& dot : dots) {
    const double share = std::clamp(dot.score / top, 0.0, 1.0);
    int& height = heights[static_cast<std::size_t>(std::min(share * kBins, kBins - 1.0))];
    draw(dot, height++);
  }
  return *std::ranges::max_element(heights);
}

std::string score_chart(const GroupReport& report, const std::vector<Ranked>& subjects) {
  std::vector<Dot> dots, healthy;
  double top = 0;
  for (const auto& [row, verdict] : subjects) {
    const double score = row->summary.score;
    if (std::isnan(score)) continue;
    dots.push_back({score, tone_of(verdict.kind), row->summary.name + ", " + score_words(score),
                    relative_link(row->page)});
    top = std::max(top, score);
  }
  for (const double score : report.model.reference->worst()) {
    healthy.push_back({score, Tone::calm, "healthy, " + score_words(score), ""});
    top = std::max(top, score);
  }
  top = top > 0 ? 1.03 * top : 1.0;

  const auto nowhere = [](const Dot&, int) {};
  const int most = std::max(pile(dots, top, nowhere), pile(healthy, top, nowhere));
  // The two rows of piles over each other, with a line of words over each.
  const double room = std::max(most, 2), row = room + 2.2;
  const double top_y = 2 * row;
  Chart chart({.name = "score of the worst slice", .low = 0, .high = top},
              {.low = -0.6, .high = top_y, .numbers = false}, std::min(64 + 12 * top_y, 320.0));
  pile(healthy, top,
       [&](const Dot& dot, int height) { chart.hollow_dot(dot.score, height, dot.title); });
  chart.label(0, room + 0.3, text(healthy.size(), " healthy subjects kept aside"));
  pile(dots, top, [&](const Dot& dot, int height) {
    chart.dot(dot.score, row + height, dot.tone, dot.title, dot.link);
  });
  chart.label(0, row + room + 0.3,
              text(counted(std::ssize(dots), row_noun(report)), " of this group"));
  const double rate = false_alarm_rate(report.model);
  chart.dashed_at(report.model.reference->subject_threshold(rate));
  const std::string legend =
      key("alert", "unusual") + key("calm", "within the healthy range") +
      key("hollow", "healthy subject kept aside") +
      key("dashed", "unusual from here on (" + percent(rate) + " false alarms)");
  return chart.svg(
             "Scores of the subjects over those of healthy ones. The table below has all of "
             "them.") +
         element("ul", {{"class", "legend"}}, legend) + "\n";
}

std::string subject_table(const std::vector<Ranked>& subjects, const char* noun) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [row, verdict] : subjects) {
    const SubjectSummary& summary = row->summary;
    rows.push_back(
        {element("a", {{"href", relative_link(row->page)}}, text_element("bdi", summary.name)),
         row->image.empty()
             ? ""
             : thumbnail(row->image, row->overlay, text("slice ", summary.worst_slice)),
         element("span", {{"class", "tone " + class_of(tone_of(verdict.kind))}},
                 escaped(verdict.label)),
         escaped(score_words(summary.score)), escaped(p_value_words(summary.p_value)),
         summary.worst_slice < 0 ? std::string("\xE2\x80\x93")
                                 : std::to_string(summary.worst_slice),
         text(summary.judged, " of ", summary.slices())});
  }
  return table("Worst first. Slices are counted from 0 at the bottom.",
               {{noun},
                {"worst slice"},
                {"verdict"},
                {"score", true},
                {"p-value", true},
                {"slice", true},
                {"slices judged", true}},
               rows);
}

}  // namespace

GroupRow group_row(const SubjectReport& report, std::string page) {
  check(report);
  GroupRow row{report.summary, std::move(page), {}, {}};
  if (report.summary.worst_slice < 0) return row;
  const Crop crop = crop_to_brain(report.subject);
  const auto part = [&](const Tensor& images) {
    return cropped(slice_of<float>(images, report.summary.worst_slice), crop);
  };
  row.image = slice_png(half_mean(part(report.subject.images), crop.side), crop.side / 2);
  row.overlay = overlay_png(half_highest(part(report.scores.maps), crop.side), crop.side / 2,
                            report.model.model.threshold);
  return row;
}

std::string group_page(const GroupReport& report) {
  const std::vector<Ranked> subjects = ranked(report);
  Page page("Anomaly report on a group", report.name, report.about);
  add_verdict(page, report, subjects);
  std::vector<std::string> warnings = report.model.model.warnings;
  if (!report.leak_warning.empty()) warnings.push_back(report.leak_warning);
  page.warnings(warnings);
  if (count(subjects, VerdictKind::unjudged) < static_cast<std::int64_t>(subjects.size()))
    page.section("Scores", score_chart(report, subjects));
  page.section("Subjects", subject_table(subjects, row_noun(report)));
  page.section(
      "How to read this",
      paragraphs(
          {"A subject's score is that of the worst judged slice. Unusual is not diseased, and "
           "within the healthy range is not healthy: what is small or faint can score as healthy "
           "tissue does.",
           "The rates hold on average over the choice of the healthy subjects, and for subjects "
           "handled like them: same scanner, sequence and number of slices.",
           "This is a tool for research. It makes no diagnosis."}));
  return page.html();
}

}  // namespace ratnet::inline v1
