// A training of two epochs, and which of five subjects it learns from: for tests of anomaly models.
#pragma once

#include <vector>

#include "../../apps/anomaly/training.h"

namespace ratnet {

inline AnomalyTrainingOptions quick(AnomalyMethod method) {
  AnomalyTrainingOptions options;
  options.method = method;
  options.trainer = anomaly_training_defaults();
  options.trainer.epochs = 2;
  options.trainer.loader.batch = 4;
  options.trainer.threads = 2;
  options.trainer.device = {DeviceKind::cpu, 0};
  return options;
}

inline const std::vector<Split> kSplits = {Split::train, Split::train, Split::train,
                                           Split::validation, Split::validation};

}  // namespace ratnet
