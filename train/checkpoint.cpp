#include "checkpoint.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "../core/json_depth.h"
#include "../network/safetensors.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::json;  // writes null for numbers that are not finite

constexpr const char* kKey = "ratnet_checkpoint";
constexpr int kFormat = 2;  // 2: the moments are laid out with biases at the end
constexpr const char* kWeights = "weights/";
constexpr const char* kBest = "best/";
constexpr const char* kOptimiser = "optimiser/";
constexpr const char* kAverage = "average";

double number(const Json& json) { return json.is_null() ? std::nan("") : json.get<double>(); }

std::vector<NamedView> views_of(const Weights& weights) {
  std::vector<NamedView> views;
  for (const Weights::Entry& entry : weights.entries())
    views.push_back({entry.name, entry.value.view()});
  return views;
}

Weights take_all(const SafetensorsFile& file, const char* prefix, const Json& names) {
  Weights weights;
  std::set<std::string> taken;
  for (const Json& json : names) {
    const auto name = json.get<std::string>();
    if (!taken.insert(name).second) fail(ErrorKind::input, "is damaged: names a weight twice");
    weights.add(name, Tensor::copy_of(file.find(prefix + name)));
  }
  return weights;
}

Checkpoint parse(const SafetensorsFile& file) {
  const auto found = file.metadata().find(kKey);
  if (found == file.metadata().end()) fail(ErrorKind::input, "is not a checkpoint of ratnet");
  check_json_depth(found->second);
  const Json json = Json::parse(found->second);
  if (const int format = json.at("format").get<int>(); format != kFormat)
    fail(ErrorKind::input, "is a checkpoint in format ", format, ", of another version, not ",
         kFormat, "; go on with that version, or train without resuming");
  Checkpoint whole;
  TrainingPosition& c = whole.position;
  c.fingerprint = json.at("fingerprint").get<std::string>();
  c.epoch = json.at("epoch").get<std::int64_t>();
  c.batch = json.at("batch").get<std::int64_t>();
  c.steps = json.at("steps").get<std::int64_t>();
  if (c.epoch < 0 || c.batch < 0 || c.steps < 0) fail(ErrorKind::input, "is damaged");
  c.loss_sum = number(json.at("loss_sum"));
  for (const Json& record : json.at("history"))
    c.history.push_back(
        {record.at("epoch").get<std::int64_t>(), number(record.at("training_loss")),
         number(record.at("validation_loss")), number(record.at("validation_auroc")),
         number(record.at("validation_accuracy")), number(record.at("validation_dice"))});
  const Json& stopping = json.at("early_stopping");
  c.early_stopping = {number(stopping.at("best")),
                      stopping.at("best_evaluation").get<std::int64_t>(),
                      stopping.at("evaluations").get<std::int64_t>()};
  const Json& plateau = json.at("plateau");
  c.plateau = {number(plateau.at("rate")), number(plateau.at("best")), plateau.at("bad").get<int>(),
               plateau.at("cooling").get<int>()};
  if (c.plateau.bad < 0 || c.plateau.cooling < 0) fail(ErrorKind::input, "is damaged");
  whole.weights = take_all(file, kWeights, json.at("weights"));
  c.best = take_all(file, kBest, json.at("best"));
  for (int i = 0; i < json.at("optimiser_tensors").get<int>() && i < 8; ++i)
    whole.optimiser.push_back(Tensor::copy_of(file.find(kOptimiser + std::to_string(i))));
  if (json.at("averaged").get<bool>()) whole.average = Tensor::copy_of(file.find(kAverage));
  return whole;
}

Json names_of(const std::vector<NamedView>& values) {
  Json names = Json::array();
  for (const NamedView& value : values) names.push_back(value.name);
  return names;
}

}  // namespace

void save_checkpoint(const TrainingPosition& c, const TrainedValues& values,
                     const std::string& path) {
  const std::vector<NamedView> best = views_of(c.best);
  Json history = Json::array();
  for (const EpochRecord& record : c.history)
    history.push_back({{"epoch", record.epoch},
                       {"training_loss", record.training_loss},
                       {"validation_loss", record.validation_loss},
                       {"validation_auroc", record.validation_auroc},
                       {"validation_accuracy", record.validation_accuracy},
                       {"validation_dice", record.validation_dice}});
  const Json json = {{"format", kFormat},
                     {"fingerprint", c.fingerprint},
                     {"epoch", c.epoch},
                     {"batch", c.batch},
                     {"steps", c.steps},
                     {"loss_sum", c.loss_sum},
                     {"history", history},
                     {"early_stopping",
                      {{"best", c.early_stopping.best},
                       {"best_evaluation", c.early_stopping.best_evaluation},
                       {"evaluations", c.early_stopping.evaluations}}},
                     {"plateau",
                      {{"rate", c.plateau.rate},
                       {"best", c.plateau.best},
                       {"bad", c.plateau.bad},
                       {"cooling", c.plateau.cooling}}},
                     {"weights", names_of(values.weights)},
                     {"best", names_of(best)},
                     {"optimiser_tensors", values.optimiser.size()},
                     {"averaged", values.average.has_value()}};
  std::vector<NamedView> tensors;
  const auto add = [&](const std::string& name, NamedView value) {
    value.name = name;
    tensors.push_back(std::move(value));
  };
  for (const NamedView& value : values.weights) add(kWeights + value.name, value);
  for (const NamedView& value : best) add(kBest + value.name, value);
  for (std::size_t i = 0; i < values.optimiser.size(); ++i)
    add(kOptimiser + std::to_string(i), values.optimiser[i]);
  if (values.average) add(kAverage, *values.average);
  write_safetensors(path, {{kKey, json.dump(-1, ' ', false, Json::error_handler_t::replace)}},
                    tensors);
}

Checkpoint load_checkpoint(const std::string& path) {
  const SafetensorsFile file(path);
  try {
    return parse(file);
  } catch (const Json::exception&) {
    fail(ErrorKind::input, path, ": is damaged");
  } catch (const Error& error) {
    throw error.with_context(path);
  }
}

}  // namespace ratnet::inline v1
