// What is said of one subject: the numbers that tables, pages and the terminal share.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "../anomaly_model.h"

namespace ratnet::inline v1 {

// NaN where nothing was judged, unless it says otherwise.
struct SubjectSummary {
  std::string name;
  std::string input;                   // the file it came from
  std::vector<double> positions;       // [S] PreparedSubject::positions
  std::vector<double> slice_scores;    // [S]; NaN where there is no brain
  std::vector<double> slice_p_values;  // [S]; NaN where not judged
  std::int64_t judged = 0;             // slices
  std::int64_t worst_slice = -1;       // judged, the lower one of two; -1 where nothing was
  double score = std::numeric_limits<double>::quiet_NaN();    // of that slice
  double p_value = std::numeric_limits<double>::quiet_NaN();  // among the model's healthy subjects
  // Share of the judged brain at or above the model's threshold.
  double above = std::numeric_limits<double>::quiet_NaN();
  bool unusual = false;  // at false_alarm_rate()

  std::int64_t slices() const { return static_cast<std::int64_t>(positions.size()); }
  bool is_judged(std::int64_t slice) const;
};

// scores: as find_anomalies() gives them.
SubjectSummary summarise(const AnomalyModel& model, const PreparedSubject& subject,
                         const SubjectScores& scores, std::string input);

// Worst first; those of whom nothing was judged come last.
bool ranks_before(const SubjectSummary& a, const SubjectSummary& b);

// A line for the terminal.
std::string sentence(const AnomalyModel& model, const SubjectSummary& summary);

}  // namespace ratnet::inline v1
