// What is said of a subject, in words, with what the words can be wrong about.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ratnet::inline v1 {

struct Finding {
  double p_value = 0;  // of ConformalReference::subject_p_value(); NaN where there is none
  std::int64_t calibration = 0;  // healthy subjects it was compared with; 0: not calibrated
  double rate = 0.05;            // of false alarms, asked for
  std::int64_t judged = 0;       // slices
  std::int64_t slices = 0;
};

enum class VerdictKind {
  unusual,  // p-value <= rate
  usual,
  undecided,     // beyond all healthy subjects, who are too few for the rate
  uncalibrated,  // a score, and nothing to compare it with
  unjudged,      // no slice could be judged
};

struct Verdict {
  VerdictKind kind = VerdictKind::unjudged;
  std::string label;  // a word or two, for a table
  std::string headline;
  std::vector<std::string> sentences;
};

// No sentence claims a rate below 1 / (calibration + 1). Throws Error (usage) for a p-value below
// that or above 1, a rate outside (0, 1), and counts that make no sense.
Verdict verdict_of(const Finding& finding);

// "5%", "0.5%"
std::string percent(double share);

}  // namespace ratnet::inline v1
