// What a model remembers of how it was trained.
#pragma once

#include <map>
#include <string>

#include "trainer.h"

namespace ratnet::inline v1 {

// Version, data, and the settings that shape the result, known before the training.
std::map<std::string, std::string> training_settings(const TrainerOptions& options,
                                                     const std::string& data_hash);

// The same with how long it went on, as Model::provenance has them.
std::map<std::string, std::string> training_provenance(const TrainerOptions& options,
                                                       const TrainingResult& result,
                                                       const std::string& data_hash);

}  // namespace ratnet::inline v1
