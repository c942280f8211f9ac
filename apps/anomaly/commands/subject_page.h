// The report on one subject, as a page.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "../../../train/conformal.h"
#include "../prepared_subject.h"
#include "../reconstruct.h"
#include "../score_map.h"

namespace ratnet::inline v1 {

// What is borrowed has to live as long.
struct SubjectReport {
  const PreparedSubject& subject;
  const SubjectScores& scores;  // of slices that are not judged, too, where there are any
  const Reconstruction* reconstruction = nullptr;  // absent where the method makes none
  const ConformalReference* reference = nullptr;   // absent where the model is not calibrated
  // As `reference` gives them: [S], NaN where there is none, and of the judged slices' worst.
  std::vector<double> slice_p_values{};
  double p_value = std::numeric_limits<double>::quiet_NaN();
  double threshold = std::numeric_limits<double>::quiet_NaN();  // of a map's pixel; NaN: no overlay
  double rate = 0.05;                                           // of false alarms
  std::string model{};  // its name and method, for the heading
  std::vector<std::string>
      warnings{};                    // sentences: what the model or the scan cannot be trusted in
  std::vector<std::string> notes{};  // sentences for the end of the page
};

// A slice counts where it is judged and has a score.
bool is_judged(const SubjectReport& report, std::int64_t slice);

// The judged slice with the highest score, the lower one of two; -1 where none is judged.
std::int64_t worst_slice(const SubjectReport& report);

// Slices are counted from 0 at the bottom. Throws Error (usage) where the parts do not fit each
// other, and as verdict_of() does.
std::string subject_page(const SubjectReport& report);

// Throws Error (usage) where the parts do not fit each other.
void check(const SubjectReport& report);

}  // namespace ratnet::inline v1
