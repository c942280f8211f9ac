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
    result.push_back(
        {&row, verdict_of({.p_value = row.p_value,
                           .calibration = report.reference ? report.reference->subjects() : 0,
                           .rate = report.rate,
                           .judged = row.judged,
                           .slices = row.slices})});
  const auto height = [](const Ranked& r) {
    return std::isnan(r.row->score) ? -HUGE_VAL : r.row->score;
  };
  std::ranges::stable_sort(result, std::greater{}, height);
  return result;
}

std::int64_t count(const std::vector<Ranked>& subjects, VerdictKind kind) {
  return std::ranges::count_if(subjects, [&](const Ranked& r) { return r.verdict.kind == kind; });
}

std::string subjects_words(std::int64_t n) { return text(n, n == 1 ? " subject" : " subjects"); }

void add_verdict(Page& page, const GroupReport& report, const std::vector<Ranked>& subjects) {
  const std::int64_t unusual = count(subjects, VerdictKind::unusual),
                     unjudged = count(subjects, VerdictKind::unjudged),
                     judged = static_cast<std::int64_t>(subjects.size()) - unjudged;
  std::vector<std::string> sentences;
  std::string headline;
  Tone tone = Tone::unclear;
  if (!report.reference) {
    headline = subjects_words(judged) + " in the order of their scores, without a verdict";
    sentences.push_back(
        "The model was not calibrated on healthy subjects: how many of those would score as high "
        "is not known.");
  } else {
    const std::int64_t n = report.reference->subjects();
    headline = text(unusual, " of ", subjects_words(judged), " unusual, at a false-alarm rate of ",
                    percent(report.rate));
    tone = unusual > 0 ? Tone::alert : Tone::calm;
    if (report.rate < report.reference->smallest_rate()) {
      const std::int64_t undecided = count(subjects, VerdictKind::undecided);
      headline = "Too few healthy subjects for a verdict at " + percent(report.rate);
      tone = Tone::unclear;
      sentences.push_back(text(n, " healthy subjects cannot show a rate below 1 in ", n + 1, "; ",
                               subjects_words(undecided), undecided == 1 ? " scores" : " score",
                               " higher than all of them."));
    } else {
      sentences.push_back(
          text("Each was compared with ", n, " healthy subjects kept aside. If all ", judged,
               " were healthy, at most ", format("%.2g", report.rate * static_cast<double>(judged)),
               " of them would be called unusual on average."));
    }
  }
  if (unjudged > 0)
    sentences.push_back(
        text(subjects_words(unjudged),
             " could not be judged at all: see the end of the table. Nothing is said "
             "of ",
             unjudged == 1 ? "it." : "them."));
  if (!report.throughput.empty()) sentences.push_back(report.throughput);
  page.verdict(tone, headline, sentences);
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
    if (std::isnan(row->score)) continue;
    dots.push_back({row->score, tone_of(verdict.kind), row->name + ", " + score_words(row->score),
                    row->page.empty() ? "" : relative_link(row->page)});
    top = std::max(top, row->score);
  }
  if (report.reference)
    for (const double score : report.reference->worst()) {
      healthy.push_back({score, Tone::calm, "healthy, " + score_words(score), ""});
      top = std::max(top, score);
    }
  top = top > 0 ? 1.03 * top : 1.0;

  const auto nowhere = [](const Dot&, int) {};
  const int most = std::max(pile(dots, top, nowhere), pile(healthy, top, nowhere));
  // The two rows of piles over each other, with a line of words over each.
  const double room = std::max(most, 2), row = room + 2.2;
  const bool both = !healthy.empty();
  const double top_y = both ? 2 * row : row;
  Chart chart({.name = "score of the worst slice", .low = 0, .high = top},
              {.low = -0.6, .high = top_y, .numbers = false}, std::min(64 + 12 * top_y, 320.0));
  std::string legend = key("alert", "unusual") + key("calm", "within the healthy range");
  if (count(subjects, VerdictKind::undecided) + count(subjects, VerdictKind::uncalibrated) > 0)
    legend = key("unclear", "without a verdict");
  if (both) {
    pile(healthy, top,
         [&](const Dot& dot, int height) { chart.hollow_dot(dot.score, height, dot.title); });
    chart.label(0, room + 0.3, text(healthy.size(), " healthy subjects kept aside"));
    legend += key("hollow", "healthy subject kept aside");
  }
  const double base = both ? row : 0;
  pile(dots, top, [&](const Dot& dot, int height) {
    chart.dot(dot.score, base + height, dot.tone, dot.title, dot.link);
  });
  chart.label(0, base + room + 0.3,
              text(dots.size(), dots.size() == 1 ? " subject" : " subjects", " of this group"));
  if (report.reference && report.rate >= report.reference->smallest_rate()) {
    chart.dashed_at(report.reference->subject_threshold(report.rate));
    legend += key("dashed", "unusual from here on (" + percent(report.rate) + " false alarms)");
  }
  return chart.svg(
             "Scores of the subjects over those of healthy ones. The table below has all of "
             "them.") +
         element("ul", {{"class", "legend"}}, legend) + "\n";
}

std::string subject_table(const std::vector<Ranked>& subjects) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [row, verdict] : subjects) {
    const std::string name = text_element("bdi", row->name);
    const char* tone = verdict.kind == VerdictKind::unusual ? "tone alert"
                       : verdict.kind == VerdictKind::usual ? "tone calm"
                                                            : "tone unclear";
    rows.push_back(
        {row->page.empty() ? name : element("a", {{"href", relative_link(row->page)}}, name),
         row->image.empty() ? ""
                            : thumbnail(row->image, row->overlay, text("slice ", row->worst_slice)),
         element("span", {{"class", tone}}, escaped(verdict.label)),
         escaped(score_words(row->score)), escaped(p_value_words(row->p_value)),
         row->worst_slice < 0 ? std::string("\xE2\x80\x93") : std::to_string(row->worst_slice),
         text(row->judged, " of ", row->slices)});
  }
  return table("Worst first. Slices are counted from 0 at the bottom.",
               {{"subject"},
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
  GroupRow row{.name = report.subject.name,
               .page = std::move(page),
               .p_value = report.p_value,
               .worst_slice = worst_slice(report),
               .slices = report.subject.slices()};
  for (std::int64_t s = 0; s < row.slices; ++s) row.judged += is_judged(report, s);
  if (row.worst_slice < 0) return row;
  row.score = report.scores.slice_scores[static_cast<std::size_t>(row.worst_slice)];
  const Crop crop = crop_to_brain(report.subject);
  const auto part = [&](const Tensor& images) {
    return cropped(slice_of<float>(images, row.worst_slice), crop);
  };
  row.image = slice_png(half_mean(part(report.subject.images), crop.side), crop.side / 2);
  row.overlay = overlay_png(half_highest(part(report.scores.maps), crop.side), crop.side / 2,
                            report.threshold);
  return row;
}

std::string group_page(const GroupReport& report) {
  const std::vector<Ranked> subjects = ranked(report);
  Page page("Anomaly report on a group", report.name, report.model);
  add_verdict(page, report, subjects);
  page.warnings(report.warnings);
  if (count(subjects, VerdictKind::unjudged) < static_cast<std::int64_t>(subjects.size()))
    page.section("Scores", score_chart(report, subjects));
  page.section("Subjects", subject_table(subjects));
  std::vector<std::string> sentences{
      "A subject's score is that of the worst judged slice. Unusual is not diseased, and within "
      "the "
      "healthy range is not healthy: what is small or faint can score as healthy tissue does.",
      "This is a tool for research. It makes no diagnosis."};
  if (report.reference)
    sentences.insert(sentences.begin() + 1,
                     "The rates hold on average over the choice of the healthy subjects, and for "
                     "subjects handled like them: same scanner, sequence and number of slices.");
  sentences.insert(sentences.end(), report.notes.begin(), report.notes.end());
  page.section("How to read this", paragraphs(sentences));
  return page.html();
}

}  // namespace ratnet::inline v1
