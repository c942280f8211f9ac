// What `ratnet score` says of subjects: tables, and lines for the terminal.
#pragma once

#include <string>
#include <vector>

#include "../anomaly_model.h"

namespace ratnet::inline v1 {

struct SubjectSummary {
  std::string name;
  std::int64_t judged = 0;        // slices
  std::int64_t worst_slice = -1;  // bottom to top; -1 where nothing was judged
  double score = 0;               // of that slice; NaN where nothing was judged
  double p_value = 0;             // among the healthy subjects of the model; NaN likewise
  double above = 0;  // share of the judged brain above the model's threshold; NaN likewise

  // As far out as the model can say: no healthy subject of its reference was as unusual.
  bool unusual(const AnomalyModel& model) const;
};

// scores: as find_anomalies() gives them.
SubjectSummary summarise(const AnomalyModel& model, const PreparedSubject& subject,
                         const SubjectScores& scores);
std::string sentence(const AnomalyModel& model, const SubjectSummary& summary);

// slices.tsv gets a row for every slice, subjects.tsv for every subject, worst first.
class ScoreTables {
 public:
  // Throws Error (file_system) where nothing can be written there.
  ScoreTables(const AnomalyModel& model, std::string folder);
  ~ScoreTables();
  void add(const PreparedSubject& subject, const SubjectScores& scores,
           const SubjectSummary& summary, const std::string& input);
  void commit();
  // Worst first; those of whom nothing was judged come last.
  std::vector<SubjectSummary> ranked() const;
  // How long until the median of the unusual ones comes up, read worst first and in the order of
  // arrival; "" where there is none.
  std::string triage() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ratnet::inline v1
