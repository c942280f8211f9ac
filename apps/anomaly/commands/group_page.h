// The report on many subjects, worst first, as a page that leads to theirs.
#pragma once

#include "subject_page.h"

namespace ratnet::inline v1 {

// What the group's page keeps of a subject: little, so that volumes need not stay in memory.
struct GroupRow {
  SubjectSummary summary;
  std::string page;            // file of the subject's page, relative to the group's
  std::string image, overlay;  // of the worst slice, PNG; empty where none was judged
};

// Throws Error (usage) where the report's parts do not fit each other.
GroupRow group_row(const SubjectReport& report, std::string page);

struct GroupReport {
  const AnomalyModel& model;
  std::string name{};            // of the group: a file or folder
  std::vector<GroupRow> rows{};  // in any order
  std::string about{};           // the model, for the heading
  std::string throughput{};      // a sentence, or empty
  std::string leak_warning{};    // a warning, or empty
};

// Subjects of equal score stay in the order given; those without one come last. Throws Error
// (usage) as verdict_of() does.
std::string group_page(const GroupReport& report);

}  // namespace ratnet::inline v1
