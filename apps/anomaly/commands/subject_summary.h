// What is said of one scan: the numbers that tables, pages and the terminal share.
#pragma once

#include <span>
#include <string>

#include "../anomaly_model.h"
#include "../scoring.h"

namespace ratnet::inline v1 {

struct SubjectSummary : ScanScores {
  std::string name;     // of the scan
  std::string subject;  // whose it is: one text for each person
  std::string input;    // the file it came from
};

// What there is a row of: "subject", or "scan" where a subject has several. subjects: of each row.
const char* noun_of(std::span<const std::string> subjects);
// "3 subjects", or "4 scans of 3 subjects".
std::string counted_scans(std::span<const std::string> subjects);

// Worst first; those of whom nothing was judged come last.
bool ranks_before(const SubjectSummary& a, const SubjectSummary& b);

// Of a scan with slices that the model learnt from or was calibrated on, a warning; else "".
std::string leak_warning(const SubjectSummary& summary);
// Of all such scans, with the names of the first three; "" where there is none.
std::string leak_warning(std::span<const SubjectSummary> summaries);

// A line for the terminal.
std::string sentence(const AnomalyModel& model, const SubjectSummary& summary);

}  // namespace ratnet::inline v1
