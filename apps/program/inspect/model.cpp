#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "../../../network/predictor.h"
#include "descriptions.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;  // writes null for numbers that are not finite

std::vector<std::int64_t> sizes_of(const Shape& shape) {
  return {shape.sizes().begin(), shape.sizes().end()};
}

Json plan_json(const Model& model, const PredictorOptions& options) {
  Predictor predictor(model, options);
  Json steps = Json::array();
  for (const Plan::Step& step : predictor.plan().steps())
    steps.push_back({{"layer", step.node},
                     {"operation", step.operation},
                     {"algorithm", step.algorithm},
                     {"output", sizes_of(step.output)}});
  const Plan::Memory memory = predictor.plan().memory();
  return {{"batch", options.batch},
          {"device", to_string(predictor.device())},
          {"precision", name_of(options.precision)},
          {"steps", steps},
          {"activation_bytes", memory.activations},
          {"scratch_bytes", memory.scratch},
          {"prepared_weight_bytes", memory.prepared},
          {"parameter_bytes", memory.parameters}};
}

std::string joined(const Json& sizes) {
  std::string line;
  for (const Json& size : sizes) line += (line.empty() ? "" : " x ") + size.dump();
  return line;
}

// As a person reads it: no digits beyond what matters, text without quotes.
std::string readable(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.dump();
  if (!std::isfinite(value.get<double>())) return "n/a";
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", value.get<double>());
  return buffer;
}

void print_pairs(const char* title, const Json& pairs) {
  if (pairs.empty()) return;
  std::printf("\n%s\n", title);
  for (const auto& [name, value] : pairs.items())
    std::printf("  %-28s %s\n", name.c_str(), readable(value).c_str());
}

Json describe(const Model& model, const PlanWanted& plan) {
  Json steps = Json::array();
  for (const PreprocessingStep& step : model.preprocessing)
    steps.push_back({{"name", step.name}, {"values", step.values}});
  Json arrays = Json::object();
  for (const auto& [name, array] : model.arrays) arrays[name] = sizes_of(array.shape());
  Json json = Json::parse(graph_json(model.graph));
  json.update({{"type", "model"},
               {"system", model.system},
               {"preprocessing", steps},
               {"class_names", model.class_names},
               {"threshold", model.threshold},
               {"calibration", model.calibration},
               {"metrics", model.metrics},
               {"coefficients", model.coefficients},
               {"arrays", arrays},
               {"provenance", model.provenance},
               {"warnings", model.warnings}});
  if (plan) json["plan"] = plan_json(model, *plan);
  return json;
}

}  // namespace

std::string model_json(const Model& model, const PlanWanted& plan) {
  return describe(model, plan).dump(2, ' ', false, Json::error_handler_t::replace);
}

void print_model(const Model& model, const PlanWanted& wanted) {
  const Json json = describe(model, wanted);
  std::printf("model of %s, threshold %.4f\n", json["system"].get<std::string>().c_str(),
              json["threshold"].get<double>());
  for (const Json& warning : json["warnings"])
    std::printf("WARNING: %s\n", warning.get<std::string>().c_str());
  std::printf("\n");
  print_graph(model.graph);
  std::printf("\npreprocessing\n");
  for (const Json& step : json["preprocessing"]) {
    std::string values;
    for (const auto& [name, value] : step["values"].items())
      values += (values.empty() ? ": " : ", ") + name + " " + readable(value);
    std::printf("  %s%s\n", step["name"].get<std::string>().c_str(), values.c_str());
  }
  print_pairs("calibration", json["calibration"]);
  print_pairs("metrics", json["metrics"]);
  print_pairs("where it came from", json["provenance"]);
  if (!json["arrays"].empty()) std::printf("\narrays\n");
  for (const auto& [name, sizes] : json["arrays"].items())
    std::printf("  %-28s %s\n", name.c_str(), joined(sizes).c_str());
  if (!json.contains("plan")) return;
  const Json& plan = json["plan"];
  std::printf(
      "\nplan for batches up to %lld on %s in %s: %.1f MiB activations, %.1f MiB scratch, %.1f MiB "
      "parameters, %.1f MiB prepared weights\n",
      plan["batch"].get<long long>(), plan["device"].get<std::string>().c_str(),
      plan["precision"].get<std::string>().c_str(),
      plan["activation_bytes"].get<double>() / 1048576,
      plan["scratch_bytes"].get<double>() / 1048576,
      plan["parameter_bytes"].get<double>() / 1048576,
      plan["prepared_weight_bytes"].get<double>() / 1048576);
  for (const Json& step : plan["steps"])
    std::printf("  %-14s %-12s %-20s %s\n", step["layer"].get<std::string>().c_str(),
                step["operation"].get<std::string>().c_str(), joined(step["output"]).c_str(),
                step["algorithm"].get<std::string>().c_str());
}

}  // namespace ratnet::inline v1
