// Which lesions a model finds at its own threshold and false-alarm rate, and what it calls besides.
#pragma once

#include <cstdint>
#include <vector>

#include "anomaly_model.h"

namespace ratnet::inline v1 {

struct Found {
  std::int64_t found = 0, of = 0;
};

struct Detection {
  double rate = 0;  // false_alarm_rate() of the model, of slices and of subjects
  // Connected in three dimensions, of their pixels in judged slices: found where half of these lie
  // at or above the model's threshold.
  Found lesions;
  // Found: unusual at the rate. Slices as evaluation.h counts them; subjects with a lesion in any
  // judged slice of any scan against those all of whose judged slices are known to be healthy. A
  // subject is unusual where his worst scan is, as the model was calibrated.
  Found lesion_slices, healthy_slices;
  Found lesion_subjects, healthy_subjects;
};

struct JudgedScan {
  const PreparedSubject& scan;
  const SubjectScores& scores;  // as find_anomalies() gives them
};

// Adds what is found in one subject, all of whose scans are given. Throws Error (usage) for scores
// of another scan and a model that is not calibrated.
void detect(Detection& detection, const AnomalyModel& model,
            const std::vector<JudgedScan>& of_subject);

}  // namespace ratnet::inline v1
