#include <algorithm>
#include <cmath>
#include <fstream>

#include "../../apps/anomaly/commands/group_page.h"
#include "../../apps/anomaly/commands/score_table.h"
#include "../../apps/anomaly/commands/slice_pictures.h"
#include "../../apps/anomaly/scored_scan.h"
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
  AnomalyModel model;
  SubjectSummary summary;

  explicit Case(std::int64_t slices, std::int64_t spot, std::string name = "sub-01",
                int calibration = 19) {
    model.reference = healthy(calibration);
    model.model.threshold = 0.2;
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
    summarise_again();
  }

  void summarise_again() {
    summary = {scan_scores(model, subject, scores), subject.name, subject.name, "file.nii"};
  }

  static ConformalReference healthy(int subjects) {
    std::vector<std::vector<double>> all;
    for (int i = 0; i < subjects; ++i) all.push_back({0.05, 0.08, 0.1 + 0.01 * i});
    return ConformalReference(all);
  }

  SubjectReport report() const {
    return {.model = model,
            .subject = subject,
            .scores = scores,
            .reconstruction = reconstruction,
            .summary = summary,
            .about = "anomaly.safetensors, denoising"};
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
    CHECK(has(page, "Unusual, at a false-alarm rate of 14.3%"));
    CHECK(has(page, "At most 1 in 7 healthy subjects"));
    CHECK(has(page, "healthy band: at most 14.3%"));
    CHECK_FALSE(has(page, "5%"));
  }
  SECTION("nothing judged, and slices that are not judged but have scores") {
    Case none(8, 4, kHostile);
    std::ranges::fill(none.subject.judged, 0);
    none.summarise_again();
    const std::string page = subject_page(none.report());
    CHECK(stands_alone(page));
    CHECK(has(page, "None of the 8 slices could be judged"));
    CHECK_FALSE(has(page, "type=\"range\""));
    CHECK_FALSE(has(page, "Unusual, at"));
    none.subject.judged[5] = 1;
    none.summarise_again();
    CHECK(has(subject_page(none.report()), "not judged, and not part of the verdict"));
  }
  SECTION("no text escapes") {
    Case hostile(8, 4, kHostile);
    hostile.model.model.warnings = {kHostile};
    SubjectReport report = hostile.report();
    report.about = kHostile;
    const std::string page = subject_page(report);
    CHECK(stands_alone(page));
    CHECK(occurrences(page, "<script") == 1);  // the page's own
    CHECK(occurrences(page, "&lt;script&gt;alert") == 4);
  }
}

TEST_CASE("parts of a report that do not fit are refused") {
  Case made(5, 3);
  const Case longer(6, 3);
  const auto with = [&](const SubjectScores& scores, const Reconstruction& reconstruction,
                        const SubjectSummary& summary) {
    return SubjectReport{.model = made.model,
                         .subject = made.subject,
                         .scores = scores,
                         .reconstruction = reconstruction,
                         .summary = summary};
  };
  CHECK_NOTHROW(subject_page(with(made.scores, made.reconstruction, made.summary)));
  CHECK_THROWS_AS(subject_page(with(longer.scores, made.reconstruction, made.summary)), Error);
  CHECK_THROWS_AS(group_row(with(made.scores, longer.reconstruction, made.summary), ""), Error);
  CHECK_THROWS_AS(subject_page(with(made.scores, made.reconstruction, longer.summary)), Error);
  made.summary.p_value = 0.001;
  CHECK_THROWS_AS(subject_page(made.report()), Error);
}

TEST_CASE("terminal, tables and pages call the same subjects unusual") {
  // Of 39 healthy subjects one scores higher: p is 2 in 40, the rate 1 in 20.
  Case made(6, 3, "sub-01", 39);
  made.scores.slice_scores[3] = 0.475;
  made.summarise_again();
  CHECK(made.summary.p_value == 0.05);
  CHECK(made.summary.unusual);
  CHECK(has(sentence(made.model, made.summary), "unusual at a false-alarm rate of 5%"));
  CHECK(has(subject_page(made.report()), "Unusual, at a false-alarm rate of 5%"));
  const Case low(6, -1, "low", 39);
  CHECK_FALSE(low.summary.unusual);
  const Folder folder;
  made.model.model.provenance["data_hash"] = "hash";
  ScoreTables tables(made.model, folder.path());
  tables.add(low.summary);
  CHECK(tables.triage() == "");
  {
    const Folder elsewhere;
    ScoreTables healthy(made.model, elsewhere.path());
    healthy.add(low.summary);
    healthy.add(Case(6, -1, "low too", 39).summary);
    CHECK(healthy.triage() == "none of 2 subjects is unusual at a false-alarm rate of 5%");
  }
  tables.add(made.summary);
  CHECK(has(tables.triage(), "1 of 2 subjects are unusual at a false-alarm rate of 5%"));
  CHECK(tables.ranked()[0].name == "sub-01");
  tables.commit();
  const std::string rows = contents(folder / "subjects.tsv");
  CHECK(rows.find("sub-01\tfile.nii\t4\t3\t0.475\t0.05") < rows.find("low\tfile.nii"));
  CHECK(count_lines(contents(folder / "slices.tsv")) == 13);
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
  none.summarise_again();
  const GroupReport group{
      .model = high.model,
      .name = kHostile,
      .rows = {group_row(none.report(), std::string(kHostile) + ".html"),
               group_row(low.report(), "low.html"), group_row(high.report(), "high.html")},
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

  CHECK(has(page, "within the healthy range</span>"));
  CHECK(stands_alone(group_page({.model = high.model, .name = "empty"})));
  CHECK(has(group_page({.model = high.model, .rows = {group_row(none.report(), "none.html")}}),
            "verdict unclear"));
}

TEST_CASE("a browser shows the pages offline, and their controls work") {
  const Folder folder;
  const Case made(5, 3);
  std::ofstream(folder / "subject.html") << subject_page(made.report());
  std::ofstream(folder / "group.html") << group_page(
      {.model = made.model, .name = "group", .rows = {group_row(made.report(), "subject.html")}});
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
