#include "../../apps/anomaly/commands/verdict.h"

#include <cmath>

#include "../../core/error.h"
#include "../catch.h"

using namespace ratnet;

namespace {

std::string words_of(const Verdict& verdict) {
  std::string words = verdict.headline;
  for (const std::string& sentence : verdict.sentences) words += "\n" + sentence;
  return words;
}

bool says(const Finding& finding, const std::string& words) {
  const std::string said = words_of(verdict_of(finding));
  INFO(said);
  CHECK(said.find(words) != std::string::npos);
  return said.find(words) != std::string::npos;
}

Finding finding(std::int64_t healthy_above, std::int64_t calibration, double rate = 0.05) {
  const auto share = [](std::int64_t a, std::int64_t b) {
    return static_cast<double>(a) / static_cast<double>(b);
  };
  return {.p_value = share(healthy_above + 1, calibration + 1),
          .calibration = calibration,
          .rate = rate,
          .judged = 18,
          .slices = 20};
}

}  // namespace

TEST_CASE("a verdict says its error rate") {
  const Finding common = finding(5, 59);  // 6 of 60
  CHECK(verdict_of(common).kind == VerdictKind::usual);
  CHECK(says(common, "5 of 59 healthy subjects"));
  CHECK(says(common, "about 1 in 10 healthy subjects would look at least as unusual"));
  CHECK(says(common, "2 of 20 slices were not judged"));
  CHECK(says(common, "does not rule disease out"));

  const Finding rare = finding(1, 59);
  CHECK(verdict_of(rare).kind == VerdictKind::unusual);
  CHECK(says(rare, "Unusual, at a false-alarm rate of 5%"));
  CHECK(says(rare, "1 of 59 healthy subjects"));
  CHECK(says(rare, "about 1 in 30 healthy"));
  CHECK(says(rare, "at most 5% false alarms"));

  // Rounded to the side that promises less: 3 of 50 is 1 in 16.7, 11 of 30 is 36.7 in 100.
  CHECK(says(finding(2, 49), "about 1 in 16 healthy"));
  CHECK(says(finding(10, 29), "about 37 in 100 healthy"));
  CHECK(says(finding(59, 59), "about 100 in 100 healthy"));
}

TEST_CASE("no verdict claims less than its calibration subjects can show") {
  const Finding beyond = finding(0, 19);
  CHECK(verdict_of(beyond).kind == VerdictKind::unusual);
  CHECK(says(beyond, "every one of 19 healthy subjects"));
  CHECK(says(beyond, "At most 1 in 20 healthy subjects"));
  CHECK(says(beyond, "cannot show a lower rate"));

  CHECK(verdict_of(finding(0, 6, 1.0 / 7)).kind == VerdictKind::unusual);
  CHECK(verdict_of(finding(1, 6, 1.0 / 7)).kind == VerdictKind::usual);
  CHECK_THROWS_AS(verdict_of(finding(0, 6)), Error);
  CHECK_THROWS_AS(verdict_of(finding(0, 1, 0.01)), Error);
}

TEST_CASE("what is not judged gets no verdict") {
  const Finding none{.p_value = NAN, .calibration = 19, .judged = 0, .slices = 20};
  CHECK(verdict_of(none).kind == VerdictKind::unjudged);
  CHECK(says(none, "None of the 20 slices could be judged"));
  CHECK(says(none, "neither that it is unusual nor that it is healthy"));
  CHECK(words_of(verdict_of(none)).find('%') == std::string::npos);
}

TEST_CASE("verdicts that cannot be are refused") {
  Finding below = finding(0, 19);
  below.p_value = 0.049;
  CHECK_THROWS_AS(verdict_of(below), Error);
  below.p_value = 1.1;
  CHECK_THROWS_AS(verdict_of(below), Error);
  below.p_value = NAN;
  CHECK_THROWS_AS(verdict_of(below), Error);
  for (const double rate : {0.0, 1.1, -0.1, static_cast<double>(NAN)})
    CHECK_THROWS_AS(verdict_of(finding(0, 19, rate)), Error);
  Finding counts = finding(0, 19);
  counts.judged = 21;
  CHECK_THROWS_AS(verdict_of(counts), Error);
  Finding uncalibrated = finding(0, 19);
  uncalibrated.calibration = 0;
  CHECK_THROWS_AS(verdict_of(uncalibrated), Error);
}
