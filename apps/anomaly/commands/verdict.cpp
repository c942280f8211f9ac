#include "verdict.h"

#include <cmath>

#include "../../../core/error.h"
#include "../../report/map_legend.h"
#include "../anomaly_model.h"

namespace ratnet::inline v1 {
namespace {

// A share of healthy subjects, rounded so that it never promises less than it is.
std::string in_words(double share) {
  if (share > 0.2) return "about " + format("%.0f", std::ceil(100 * share - 1e-9)) + " in 100";
  return "about 1 in " + format("%.0f", std::floor(1 / share + 1e-9));
}

void check(const Finding& finding) {
  require(finding.judged >= 0 && finding.judged <= finding.slices && finding.calibration >= 1,
          "a verdict on ", finding.judged, " judged of ", finding.slices, " slices from ",
          finding.calibration, " calibration subjects");
  const double least = 1 / static_cast<double>(finding.calibration + 1);
  const auto can_be = [&](double p) { return p >= least * (1 - 1e-9) && p <= 1 + 1e-9; };
  require(can_be(finding.rate) && (finding.judged == 0 || can_be(finding.p_value)), "a p-value of ",
          finding.p_value, " at a rate of false alarms of ", finding.rate, "; ",
          finding.calibration, " calibration subjects give none below ", least, " or above 1");
}

// Of what was not looked at.
std::string left_out(const Finding& finding) {
  const std::int64_t n = finding.slices - finding.judged;
  if (n == 0) return "All " + counted(finding.slices, "slice") + " were judged.";
  return text(n, " of ", counted(finding.slices, "slice"), n == 1 ? " was" : " were",
              " not judged: nothing is said of what lies there.");
}

}  // namespace

std::string counted(std::int64_t n, const char* what) {
  return text(n, " ", what, n == 1 ? "" : "s");
}

std::string percent(double share) { return format("%.3g", 100 * share) + "%"; }

Verdict verdict_of(const Finding& finding) {
  check(finding);
  if (finding.judged == 0)
    return {VerdictKind::unjudged,
            "not judged",
            "Not judged",
            {text("None of the ", counted(finding.slices, "slice"), " could be judged."),
             "This says nothing about the subject, neither that it is unusual nor that it is "
             "healthy."}};

  const std::int64_t n = finding.calibration;
  const std::int64_t above =
      std::llround(finding.p_value * static_cast<double>(n + 1)) - 1;  // healthy, at least as high
  const std::string healthy = counted(n, "healthy subject");
  std::vector<std::string> sentences;
  if (above == 0)
    sentences.push_back(text("The worst slice scores higher than the worst slice of every one of ",
                             healthy, " kept aside. At most 1 in ", n + 1,
                             " healthy subjects would look at least as unusual; ", n,
                             " subjects cannot show a lower rate."));
  else
    sentences.push_back(text(above, " of ", healthy, " kept aside had a worst slice that scores ",
                             "at least as high: ", in_words(finding.p_value),
                             " healthy subjects would look at least as unusual."));

  Verdict verdict;
  if (is_unusual(finding.p_value, finding.rate)) {
    verdict = {VerdictKind::unusual,
               "unusual",
               "Unusual, at a false-alarm rate of " + percent(finding.rate),
               {}};
    sentences.push_back(text("Among healthy subjects handled alike, this rule raises at most ",
                             percent(finding.rate), " false alarms."));
    sentences.push_back("Unusual is not diseased: artefacts and rare anatomy score high, too.");
  } else {
    verdict = {VerdictKind::usual, "within range", "Within the healthy range", {}};
    sentences.push_back(
        "This does not rule disease out: what is small or faint can score as healthy tissue does.");
  }
  sentences.push_back(left_out(finding));
  verdict.sentences = std::move(sentences);
  return verdict;
}

}  // namespace ratnet::inline v1
