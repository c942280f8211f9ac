#include "model.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../core/json_depth.h"
#include "safetensors.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::json;  // writes null for numbers that are not finite

constexpr const char* kKey = "ratnet";  // in the file's __metadata__
constexpr int kModelFormat = 1;
constexpr std::string_view kArray = "arrays/";  // before the name of an array's tensor

// A metric that could not be computed is null in the file.
std::map<std::string, double> numbers(const Json& json) {
  std::map<std::string, double> values;
  for (const auto& [name, value] : json.items())
    values[name] = value.is_null() ? std::nan("") : value.get<double>();
  return values;
}

Model parse(const SafetensorsFile& file) {
  const auto found = file.metadata().find(kKey);
  if (found == file.metadata().end())
    fail(ErrorKind::input,
         "is a safetensors file, but no model of ratnet (train --resume continues a "
         "checkpoint)");
  check_json_depth(found->second);
  const Json json = Json::parse(found->second, nullptr, false);
  if (!json.is_object()) fail(ErrorKind::input, "has a damaged description");
  const int format = json.value("format", 0);
  if (format != kModelFormat)
    fail(ErrorKind::input, "is a model of format ", format, ", this version reads ", kModelFormat);

  Model model;
  model.system = json.at("system").get<std::string>();
  model.graph = Graph::from_json(json.at("graph").dump());
  for (const Json& step : json.at("preprocessing"))
    model.preprocessing.push_back({step.at("name").get<std::string>(), numbers(step.at("values"))});
  model.class_names = json.at("class_names").get<std::vector<std::string>>();
  model.threshold = json.at("threshold").get<double>();
  model.calibration = numbers(json.at("calibration"));
  model.metrics = numbers(json.at("metrics"));
  model.coefficients = json.at("coefficients").get<std::map<std::string, std::vector<double>>>();
  model.provenance = json.at("provenance").get<std::map<std::string, std::string>>();
  model.warnings = json.at("warnings").get<std::vector<std::string>>();

  // In the order of the graph, whatever the order in the file.
  const auto own = model.graph.weights();
  for (const auto& [name, spec] : own) {
    const ConstView view = file.find(name);
    if (view.dtype != DType::f32)
      fail(ErrorKind::input, "has weight '", name, "' in ", name_of(view.dtype), ", expected f32");
    if (view.shape != spec.shape)
      fail(ErrorKind::input, "has weight '", name, "' of shape ", to_string(view.shape),
           ", its graph asks for ", to_string(spec.shape));
    model.weights.add(name, Tensor::copy_of(view));
    model.weights.entries().back().statistic = spec.statistic;
  }
  for (const auto& [name, view] : file.tensors()) {
    if (!std::string_view(name).starts_with(kArray) ||
        std::ranges::any_of(own,
                            [&wanted = name](const auto& weight) { return weight.name == wanted; }))
      continue;
    if (view.dtype != DType::f32)
      fail(ErrorKind::input, "has '", name, "' in ", name_of(view.dtype), ", expected f32");
    model.arrays.emplace(name.substr(kArray.size()), Tensor::copy_of(view));
  }
  return model;
}

}  // namespace

void save_model(const Model& model, const std::string& path) {
  model.weights.check_against(model.graph);
  for (const Weights::Entry& entry : model.weights.entries())
    require(entry.value.dtype() == DType::f32, "a model holds weights in f32, '", entry.name,
            "' is ", name_of(entry.value.dtype()));
  require(std::isfinite(model.threshold), "a model needs a threshold that is a number");
  for (const auto& [name, values] : model.coefficients)
    for (const double value : values)
      require(std::isfinite(value), "coefficient '", name, "' of a model is not a number");
  Json steps = Json::array();
  for (const PreprocessingStep& step : model.preprocessing)
    steps.push_back({{"name", step.name}, {"values", step.values}});
  const Json json = {{"format", kModelFormat},
                     {"system", model.system},
                     {"graph", Json::parse(model.graph.to_json())},
                     {"preprocessing", steps},
                     {"class_names", model.class_names},
                     {"threshold", model.threshold},
                     {"calibration", model.calibration},
                     {"metrics", model.metrics},
                     {"coefficients", model.coefficients},
                     {"provenance", model.provenance},
                     {"warnings", model.warnings}};
  std::vector<NamedView> tensors;
  for (const Weights::Entry& entry : model.weights.entries())
    tensors.push_back({entry.name, entry.value.view()});
  for (const auto& [name, array] : model.arrays) {
    require(array.dtype() == DType::f32, "a model holds arrays in f32, '", name, "' is ",
            name_of(array.dtype()));
    tensors.push_back({std::string(kArray) + name, array.view()});
  }
  // Class names and the like come from elsewhere, in any encoding.
  write_safetensors(path, {{kKey, json.dump(-1, ' ', false, Json::error_handler_t::replace)}},
                    tensors);
}

Model load_model(const std::string& path) {
  const SafetensorsFile file(path);
  try {
    return parse(file);
  } catch (const Json::exception&) {
    fail(ErrorKind::input, path, ": has a description that this version cannot read");
  } catch (const Error& error) {
    throw error.with_context(path);
  }
}

}  // namespace ratnet::inline v1
