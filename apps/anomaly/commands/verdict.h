// What is said of a subject, in words, with what the words can be wrong about.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ratnet::inline v1 {

struct Finding {
  double p_value = 0;  // of ConformalReference::subject_p_value(); NaN where nothing was judged
  std::int64_t calibration = 0;  // healthy subjects it was compared with
  double rate = 0.05;            // of false alarms
  std::int64_t judged = 0;       // slices
  std::int64_t slices = 0;
};

enum class VerdictKind {
  unusual,
  usual,
  unjudged,  // no slice could be judged
};

struct Verdict {
  VerdictKind kind = VerdictKind::unjudged;
  std::string label;  // a word or two, for a table
  std::string headline;
  std::vector<std::string> sentences;
};

// Throws Error (usage) for a p-value or a rate below 1 / (calibration + 1), which so many subjects
// cannot show, or above 1, and for counts that make no sense.
Verdict verdict_of(const Finding& finding);

// "1 slice", "2 slices"
std::string counted(std::int64_t n, const char* what);

// "5%", "0.5%"
std::string percent(double share);

}  // namespace ratnet::inline v1
