#include "training_provenance.h"

#include "../core/version.h"

namespace ratnet::inline v1 {

std::map<std::string, std::string> training_settings(const TrainerOptions& options,
                                                     const std::string& data_hash) {
  const OptimiserOptions& optimiser = options.optimiser;
  std::map<std::string, std::string> all = {
      {"ratnet_version", version()},
      {"data_hash", data_hash},
      {"seed", std::to_string(options.loader.seed)},
      {"precision", std::string(name_of(options.precision))},
      {"batch", std::to_string(options.loader.batch)},
      {"learning_rate", text(options.schedule.rate)},
      {"schedule", std::string(name_of(options.schedule.kind))},
      {"optimiser", std::string(name_of(optimiser.kind))}};
  if (optimiser.weight_decay > 0) all["weight_decay"] = text(optimiser.weight_decay);
  for (const OptimiserGroup& group : optimiser.groups)
    all["group " + group.pattern] = text(group.weight_decay, ":", group.rate_factor);
  if (optimiser.clip_norm > 0) all["clip"] = text(optimiser.clip_norm);
  if (options.accumulate > 1) all["accumulate"] = std::to_string(options.accumulate);
  if (options.averaging.decay > 0) all["ema"] = text(options.averaging.decay);
  for (const std::string& pattern : options.freeze) all["freeze " + pattern] = "frozen";
  if (options.loader.change) all["augmentation"] = options.loader.change.name;
  if (options.tuner) all["tuned"] = "yes";
  return all;
}

std::map<std::string, std::string> training_provenance(const TrainerOptions& options,
                                                       const TrainingResult& result,
                                                       const std::string& data_hash) {
  std::map<std::string, std::string> all = training_settings(options, data_hash);
  all["epochs"] = std::to_string(result.history.size());
  all["steps"] = std::to_string(result.steps);
  return all;
}

}  // namespace ratnet::inline v1
