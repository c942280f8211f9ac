#include <algorithm>
#include <cmath>
#include <fstream>

#include "../../apps/anomaly/commands/group_page.h"
#include "../../apps/anomaly/commands/slice_pictures.h"
#include "../../core/error.h"
#include "../../core/random.h"
#include "../catch.h"
#include "pages.h"
#include "run_program.h"

using namespace ratnet;
using namespace ratnet::test;

namespace {

constexpr const char* kHostile = "../<script>alert(\"x\")</script>&\xFF";

// Round noise heads with a bright spot in one slice; the first two slices are not judged, and the
// first shows no brain.
struct Case {
  PreparedSubject subject;
  SubjectScores scores;
  Reconstruction reconstruction;
  ConformalReference reference;
  std::vector<double> slice_p_values;
  double p_value = NAN;

  explicit Case(std::int64_t slices, std::int64_t spot, std::string name = "sub-01",
                int calibration = 19)
      : reference(healthy(calibration)) {
    const Shape shape{slices, kJudgedSize, kJudgedSize};
    subject.name = std::move(name);
    subject.images = Tensor(shape, DType::f32);
    subject.brain = Tensor(shape, DType::u8);
    scores.maps = Tensor(shape, DType::f32);
    reconstruction.images = Tensor({slices, 64, 64}, DType::f32);
    Random random(7);
    for (float& value : reconstruction.images.values<float>())
      value = static_cast<float>(random.uniform());
    for (std::int64_t s = 0; s < slices; ++s) {
      const bool judged = s > 1;
      subject.positions.push_back(static_cast<double>(s) / static_cast<double>(slices));
      subject.areas.push_back(s > 0 ? 1 : 0);
      subject.judged.push_back(judged);
      scores.slice_scores.push_back(judged ? 0.1 + 0.001 * static_cast<double>(s) : NAN);
      for (std::int64_t y = 0; y < kJudgedSize && s > 0; ++y)
        for (std::int64_t x = 0; x < kJudgedSize; ++x) {
          const std::int64_t dy = y - 64, dx = x - 64;
          if (dy * dy + dx * dx > 50 * 50) continue;
          const auto i = static_cast<std::size_t>((s * kJudgedSize + y) * kJudgedSize + x);
          subject.brain.values<std::uint8_t>()[i] = 1;
          subject.images.values<float>()[i] = static_cast<float>(random.uniform());
          if (s == spot && y > 80) scores.maps.values<float>()[i] = 0.5F;
        }
    }
    if (spot >= 0) scores.slice_scores[static_cast<std::size_t>(spot)] = 0.9;
    for (const double score : scores.slice_scores)
      slice_p_values.push_back(reference.sample_p_value(score));
    p_value = reference.subject_p_value(scores.slice_scores);
  }

  static ConformalReference healthy(int subjects) {
    std::vector<std::vector<double>> all;
    for (int i = 0; i < subjects; ++i) all.push_back({0.05, 0.08, 0.1 + 0.01 * i});
    return ConformalReference(all);
  }

  SubjectReport report() const {
    return {.subject = subject,
            .scores = scores,
            .reconstruction = &reconstruction,
            .reference = &reference,
            .slice_p_values = slice_p_values,
            .p_value = p_value,
            .threshold = 0.2,
            .model = "anomaly.safetensors, denoising"};
  }
};

bool has(const std::string& page, const std::string& words) {
  return page.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a subject's page shows what is unusual, and where") {
  const Case made(20, 12);
  const std::string page = subject_page(made.report());
  CHECK(stands_alone(page));
  CHECK(has(page, "Unusual, at a false-alarm rate of 5%"));
  CHECK(has(page, "At most 1 in 20 healthy subjects"));
  CHECK(has(page, "id=\"slice-12\" data-rank=\"0\" data-place=\"10\""));
  CHECK(has(page, "<strong>slice 12</strong> score 0.9, p 0.05, unusual"));
  CHECK(occurrences(page, "type=\"range\"") == 1);
  CHECK(occurrences(page, "class=\"marked\"") == 1);
  CHECK(occurrences(page, "class=\"overlay\"") == 1);
  CHECK(occurrences(page, "class=\"companion\"") == 18);
  CHECK(occurrences(page, "<circle") == 18);
  CHECK(has(page, "2 slices not judged"));
  CHECK(has(page, "No brain was found in 1 of them"));
  CHECK(has(page, "not judged: near the skull base"));
  CHECK(has(page, "healthy band: at most 5%"));
  CHECK(has(page, "<dt>unusual slices at 5%</dt><dd>1 of 18</dd>"));
  CHECK(page == subject_page(made.report()));
}

TEST_CASE("a page of 40 slices is small, were they all noise") {
  CHECK(subject_page(Case(40, 12).report()).size() < 3'000'000);
}

TEST_CASE("a subject's page claims no more than it knows") {
  const Case made(8, 4, kHostile);
  SECTION("healthy") {
    const Case healthy(8, -1);
    const std::string page = subject_page(healthy.report());
    CHECK(has(page, "Within the healthy range"));
    CHECK(occurrences(page, "class=\"marked\"") == 0);
    CHECK(occurrences(page, "class=\"overlay\"") == 0);
  }
  SECTION("few healthy subjects") {
    const Case few(8, 4, "sub", 6);
    const std::string page = subject_page(few.report());
    CHECK(has(page, "Undecided"));
    CHECK(has(page, "all slices of 6 healthy subjects"));
    CHECK_FALSE(has(page, "healthy band"));
    CHECK_FALSE(has(page, "unusual slice"));
    CHECK(occurrences(page, "class=\"marked\"") == 0);
  }
  SECTION("not calibrated, no threshold, no reconstruction") {
    const SubjectReport report{.subject = made.subject, .scores = made.scores};
    const std::string page = subject_page(report);
    CHECK(stands_alone(page));
    CHECK(has(page, "A score without a verdict"));
    CHECK_FALSE(has(page, "healthy subjects it rests on"));
    CHECK(occurrences(page, "<img class=\"companion\"") == 0);
    CHECK(occurrences(page, "<img class=\"overlay\"") == 0);
  }
  SECTION("nothing judged, and slices that are not judged but have scores") {
    Case none(8, 4, kHostile);
    std::ranges::fill(none.subject.judged, 0);
    SubjectReport report = none.report();
    report.p_value = NAN;
    const std::string page = subject_page(report);
    CHECK(stands_alone(page));
    CHECK(has(page, "None of the 8 slices could be judged"));
    CHECK_FALSE(has(page, "type=\"range\""));
    CHECK_FALSE(has(page, "Unusual, at"));
    none.subject.judged[5] = 1;
    CHECK(has(subject_page(none.report()), "not judged, and not part of the verdict"));
  }
  SECTION("no text escapes") {
    SubjectReport report = made.report();
    report.warnings = report.notes = {kHostile};
    report.model = kHostile;
    const std::string page = subject_page(report);
    CHECK(stands_alone(page));
    CHECK(occurrences(page, "<script") == 1);  // the page's own
    CHECK(occurrences(page, "&lt;script&gt;alert") == 5);
  }
}

TEST_CASE("parts of a report that do not fit are refused") {
  const Case made(5, 3);
  SubjectReport report = made.report();
  report.slice_p_values.pop_back();
  CHECK_THROWS_AS(subject_page(report), Error);
  SubjectReport boastful = made.report();
  boastful.p_value = 0.001;
  CHECK_THROWS_AS(subject_page(boastful), Error);
  const Case other(6, 3);
  SubjectReport longer = made.report();
  longer.reconstruction = &other.reconstruction;
  CHECK_THROWS_AS(group_row(longer, ""), Error);
  const SubjectReport mixed{.subject = made.subject, .scores = other.scores};
  CHECK_THROWS_AS(subject_page(mixed), Error);
}

TEST_CASE("pictures of a subject are cut to its brain") {
  const Case made(3, -1);
  const Crop crop = crop_to_brain(made.subject);
  CHECK(crop.side == 110);  // 101 pixels and 4 at both sides, made even
  CHECK(crop.row <= 10);
  CHECK(crop.row + crop.side >= 119);
  const auto all = made.subject.images.values<float>().subspan(
      static_cast<std::size_t>(2 * kJudgedSize * kJudgedSize),
      static_cast<std::size_t>(kJudgedSize * kJudgedSize));
  const std::vector<float> part = cropped(all, crop);
  REQUIRE(part.size() == 110 * 110);
  CHECK(part[50 * 110 + 40] ==
        all[static_cast<std::size_t>((crop.row + 50) * kJudgedSize + crop.column + 40)]);
  PreparedSubject none = Case(2, -1).subject;
  std::ranges::fill(none.brain.values<std::uint8_t>(), std::uint8_t{0});
  CHECK(crop_to_brain(none).side == kJudgedSize);

  const std::vector<float> four = {1, 2, 3, 4};
  CHECK(half_mean(four, 2) == std::vector<float>{2.5F});
  CHECK(half_highest(four, 2) == std::vector<float>{4});
  CHECK(overlay_png(four, 2, 5).empty());
  CHECK(overlay_png(four, 2, NAN).empty());
  CHECK_FALSE(overlay_png(four, 2, 4).empty());
}

TEST_CASE("a group's page has its subjects worst first") {
  const Case high(6, 3, "high"), low(6, -1, "low");
  Case none(6, -1, kHostile);
  std::ranges::fill(none.subject.judged, 0);
  SubjectReport unjudged = none.report();
  unjudged.p_value = NAN;
  GroupReport group{
      .name = kHostile,
      .rows = {group_row(unjudged, std::string(kHostile) + ".html"),
               group_row(low.report(), "low.html"), group_row(high.report(), "high.html")},
      .reference = &high.reference,
      .throughput = "3 subjects in 1 s."};
  const std::string page = group_page(group);
  CHECK(stands_alone(page));
  CHECK(has(page, "1 of 2 subjects unusual, at a false-alarm rate of 5%"));
  CHECK(has(page, "If all 2 were healthy, at most 0.1 of them"));
  CHECK(has(page, "1 subject could not be judged"));
  CHECK(has(page, "3 subjects in 1 s."));
  const std::size_t table = page.find("<table>");
  const std::size_t first = page.find("./high.html", table),
                    second = page.find("./low.html", table),
                    last = page.find("./../%3Cscript%3E", table);
  CHECK(first < second);
  CHECK(second < last);
  CHECK(last != std::string::npos);
  CHECK(occurrences(page, "<script") == 1);
  CHECK(occurrences(page, "class=\"thumbnail\"") == 2);
  CHECK(occurrences(page, "<circle") == 2 + 19);

  group.reference = nullptr;
  for (GroupRow& row : group.rows) row.p_value = NAN;
  CHECK(has(group_page(group), "in the order of their scores, without a verdict"));
  CHECK(stands_alone(group_page({.name = "empty"})));
  const ConformalReference few = Case::healthy(6);
  CHECK(has(group_page({.name = "few", .reference = &few}), "Too few healthy subjects"));
}

TEST_CASE("a browser shows the pages offline, and their controls work") {
  const Folder folder;
  const Case made(5, 3);
  std::ofstream(folder / "subject.html") << subject_page(made.report());
  std::ofstream(folder / "group.html")
      << group_page({.name = "group",
                     .rows = {group_row(made.report(), "subject.html")},
                     .reference = &made.reference});
  const std::vector<std::string> arguments = {RATNET_SOURCE_DIR "/scripts/check_pages",
                                              folder / "subject.html", folder / "group.html"};
  constexpr int kNoBrowser = 77;
  // Debian's own Python has Debian's Selenium, another in its place may not.
  Finished checked;
  for (const char* python : {"/usr/bin/env", "/usr/bin/python3"}) {
    std::vector<std::string> line = arguments;
    if (std::string(python) == "/usr/bin/env") line.insert(line.begin(), "python3");
    checked = run_program(line, {.seconds = 120, .program = python});
    if (checked.code != kNoBrowser && checked.code != 127) break;
  }
  if (checked.code == kNoBrowser || checked.code == 127) {
    WARN("skipped: " << (checked.out.empty() ? "no Python" : checked.out));
    return;
  }
  INFO(checked.out << checked.err);
  CHECK(checked.code == 0);
}
