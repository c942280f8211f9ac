// What the scores of a scan are made of.
#pragma once

#include "anomaly_model.h"
#include "scoring.h"

namespace ratnet::inline v1 {

struct AnomalyDetails {
  PreparedSubject subject;
  SubjectScores scores;  // on the judged grid
  Reconstruction reconstruction;
};

// scores: as find_anomalies() gives them, by a calibrated model.
ScanScores scan_scores(const AnomalyModel& model, const PreparedSubject& subject,
                       const SubjectScores& scores);

}  // namespace ratnet::inline v1
