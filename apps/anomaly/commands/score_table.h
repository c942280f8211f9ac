// The tables that `ratnet score` writes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "subject_summary.h"

namespace ratnet::inline v1 {

// slices.tsv gets a row for every slice, subjects.tsv for every subject, worst first.
class ScoreTables {
 public:
  // Throws Error (file_system) where nothing can be written there.
  ScoreTables(const AnomalyModel& model, std::string folder);
  ~ScoreTables();
  void add(const SubjectSummary& summary);
  void commit();
  // Worst first.
  std::vector<SubjectSummary> ranked() const;
  // Of each row, in the order of arrival.
  std::vector<std::string> subjects() const;
  // How many are unusual and how long until their median comes up, read worst first and in the
  // order of arrival; "" of a single one.
  std::string triage() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ratnet::inline v1
