// The report on one subject, as a page.
#pragma once

#include <string>

#include "subject_summary.h"

namespace ratnet::inline v1 {

// What is borrowed has to live as long.
struct SubjectReport {
  const AnomalyModel& model;
  const PreparedSubject& subject;
  const SubjectScores& scores;           // as find_anomalies() gives them
  const Reconstruction& reconstruction;  // likewise
  const SubjectSummary& summary;         // of these
  std::string about{};                   // the model, for the heading
};

// Slices are counted from 0 at the bottom. Throws Error (usage) where the parts do not fit each
// other, and as verdict_of() does.
std::string subject_page(const SubjectReport& report);

// Throws Error (usage) where the parts do not fit each other.
void check(const SubjectReport& report);

}  // namespace ratnet::inline v1
