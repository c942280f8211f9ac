// The report on many subjects, worst first, as a page that leads to theirs.
#pragma once

#include "subject_page.h"

namespace ratnet::inline v1 {

// What the group's page keeps of a subject: little, so that volumes need not stay in memory.
struct GroupRow {
  std::string name;
  std::string page;  // file of the subject's page, relative to the group's; empty: no link
  double score = std::numeric_limits<double>::quiet_NaN();  // of the worst slice; NaN: none judged
  double p_value = std::numeric_limits<double>::quiet_NaN();
  std::int64_t worst_slice = -1;
  std::int64_t judged = 0;
  std::int64_t slices = 0;
  std::string image{}, overlay{};  // of the worst slice, PNG
};

// Throws Error (usage) where the report's parts do not fit each other.
GroupRow group_row(const SubjectReport& report, std::string page);

struct GroupReport {
  std::string name{};            // of the group: a file or folder
  std::vector<GroupRow> rows{};  // in any order
  const ConformalReference* reference = nullptr;
  double rate = 0.05;
  std::string model{};
  std::string throughput{};             // a sentence, or empty
  std::vector<std::string> warnings{};  // sentences
  std::vector<std::string> notes{};
};

// Subjects of equal score stay in the order given; those without one come last. Throws Error
// (usage) as verdict_of() does.
std::string group_page(const GroupReport& report);

}  // namespace ratnet::inline v1
