// ratnet inspect: what a model, a dataset or a scan holds.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "../../imaging/nifti.h"
#include "../../imaging/orientation.h"
#include "../../network/model.h"
#include "../../network/predictor.h"
#include "../../train/hdf5_dataset.h"
#include "commands.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string file;
  bool json = false;
  bool plan = false;
  std::int64_t batch = 32;
};

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json numbers(const std::map<std::string, double>& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) json[name] = number(value);
  return json;
}

std::vector<std::int64_t> sizes_of(const Shape& shape) {
  return {shape.sizes().begin(), shape.sizes().end()};
}

// --- models ---

Json graph_json(const Model& model) {
  const auto shapes = model.graph.infer(1, false);
  Json layers = Json::array();
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Node& node = model.graph.nodes()[i];
    std::int64_t parameters = 0;
    for (const WeightSpec& weight : shapes[i].weights) parameters += weight.shape.count();
    Shape output;
    for (const std::int64_t size : shapes[i].output.sizes().subspan(1)) output.push_back(size);
    layers.push_back({{"name", node.name},
                      {"kind", kind_of(node.layer)},
                      {"options", summary(node.layer)},
                      {"output", sizes_of(output)},
                      {"parameters", parameters},
                      {"multiply_adds", shapes[i].multiply_adds}});
  }
  return layers;
}

Json plan_json(const Model& model, std::int64_t batch) {
  Predictor predictor(model, {.batch = batch, .threads = 1});
  Json steps = Json::array();
  for (const Plan::Step& step : predictor.plan().steps())
    steps.push_back({{"layer", step.node},
                     {"operation", step.operation},
                     {"algorithm", step.algorithm},
                     {"output", sizes_of(step.output)}});
  const Plan::Memory memory = predictor.plan().memory();
  return {{"batch", batch},
          {"device", to_string(predictor.device())},
          {"steps", steps},
          {"activation_bytes", memory.activations},
          {"scratch_bytes", memory.scratch},
          {"parameter_bytes", memory.parameters}};
}

Json model_json(const Model& model, const Options& options) {
  Json steps = Json::array();
  for (const PreprocessingStep& step : model.preprocessing)
    steps.push_back({{"name", step.name}, {"values", numbers(step.values)}});
  Json json = {{"type", "model"},
               {"system", model.system},
               {"parameters", model.weights.count()},
               {"layers", graph_json(model)},
               {"preprocessing", steps},
               {"class_names", model.class_names},
               {"threshold", model.threshold},
               {"calibration", numbers(model.calibration)},
               {"metrics", numbers(model.metrics)},
               {"coefficients", model.coefficients},
               {"provenance", model.provenance},
               {"warnings", model.warnings}};
  if (options.plan) json["plan"] = plan_json(model, options.batch);
  return json;
}

std::string joined(const Json& sizes) {
  std::string line;
  for (const Json& size : sizes) line += (line.empty() ? "" : " x ") + size.dump();
  return line;
}

// As a person reads it: no digits beyond what matters, text without quotes.
std::string readable(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.is_null() ? "n/a" : value.dump();
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

void print_model(const Json& json) {
  std::printf("model of %s, %lld parameters, threshold %.4f\n",
              json["system"].get<std::string>().c_str(), json["parameters"].get<long long>(),
              json["threshold"].get<double>());
  for (const Json& warning : json["warnings"])
    std::printf("WARNING: %s\n", warning.get<std::string>().c_str());
  std::printf("\n  %-14s %-10s %-16s %10s %14s  %s\n", "layer", "kind", "output", "parameters",
              "multiply-adds", "options");
  for (const Json& layer : json["layers"])
    std::printf("  %-14s %-10s %-16s %10lld %14.0f  %s\n", layer["name"].get<std::string>().c_str(),
                layer["kind"].get<std::string>().c_str(), joined(layer["output"]).c_str(),
                layer["parameters"].get<long long>(), layer["multiply_adds"].get<double>(),
                layer["options"].get<std::string>().c_str());
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
  if (!json.contains("plan")) return;
  const Json& plan = json["plan"];
  std::printf(
      "\nplan for batches up to %lld on %s: %.1f MiB activations, %.1f MiB scratch, %.1f MiB "
      "parameters\n",
      plan["batch"].get<long long>(), plan["device"].get<std::string>().c_str(),
      plan["activation_bytes"].get<double>() / 1048576,
      plan["scratch_bytes"].get<double>() / 1048576,
      plan["parameter_bytes"].get<double>() / 1048576);
  for (const Json& step : plan["steps"])
    std::printf("  %-14s %-12s %-20s %s\n", step["layer"].get<std::string>().c_str(),
                step["operation"].get<std::string>().c_str(), joined(step["output"]).c_str(),
                step["algorithm"].get<std::string>().c_str());
}

// --- datasets ---

Json hdf5_json(const Hdf5Description& d) {
  Json json = {{"type", "hdf5"}, {"is_slices", d.is_slices}};
  if (!d.is_slices) json["problem"] = d.problem;
  json["items"] = Json::array();
  for (const auto& item : d.items)
    json["items"].push_back({{"name", item.name},
                             {"type", item.type},
                             {"shape", item.shape},
                             {"storage", item.storage}});
  json["more_items"] = d.more_items;
  if (!d.is_slices) return json;
  json.update({{"images", d.size},
               {"image_shape", sizes_of(d.image_shape)},
               {"dtype", name_of(d.dtype)},
               {"minimum", number(d.minimum)},
               {"maximum", number(d.maximum)},
               {"constant_images", d.constant_images},
               {"label_counts", d.label_counts},
               {"unlabelled", d.unlabelled},
               {"subjects", d.subjects},
               {"sessions", d.sessions},
               {"runs", d.runs},
               {"columns", d.columns},
               {"class_names", d.attributes.class_names},
               {"scale", d.attributes.scale ? number(*d.attributes.scale) : Json(nullptr)},
               {"content_hash", d.content_hash},
               {"notes", d.notes}});
  if (d.has_splits)
    json["splits"] = {{"train", d.split_counts[0]},
                      {"validation", d.split_counts[1]},
                      {"test", d.split_counts[2]}};
  return json;
}

void print_hdf5(const Hdf5Description& d) {
  if (d.is_slices) {
    std::printf("%lld slices of %s, %s, values %g to %g\n", static_cast<long long>(d.size),
                to_string(d.image_shape).c_str(), std::string(name_of(d.dtype)).c_str(), d.minimum,
                d.maximum);
    for (std::size_t k = 0; k < d.label_counts.size(); ++k)
      std::printf("  label %zu%s%s: %lld\n", k, k < d.attributes.class_names.size() ? " " : "",
                  k < d.attributes.class_names.size() ? d.attributes.class_names[k].c_str() : "",
                  static_cast<long long>(d.label_counts[k]));
    if (d.unlabelled) std::printf("  unlabelled: %lld\n", static_cast<long long>(d.unlabelled));
    if (d.constant_images)
      std::printf("  empty (one value): %lld\n", static_cast<long long>(d.constant_images));
    if (d.subjects)
      std::printf("  subjects: %lld\n", static_cast<long long>(d.subjects));
    else
      std::printf("  subjects: not named; training needs them, or --allow-leakage\n");
    if (d.has_splits)
      std::printf("  splits: %lld train, %lld validation, %lld test\n",
                  static_cast<long long>(d.split_counts[0]),
                  static_cast<long long>(d.split_counts[1]),
                  static_cast<long long>(d.split_counts[2]));
    if (d.attributes.scale) std::printf("  scale: %g\n", *d.attributes.scale);
    for (const std::string& note : d.notes) std::printf("  note: %s\n", note.c_str());
  } else {
    std::printf("HDF5, but no dataset of slices: %s\n", d.problem.c_str());
  }
  std::printf("\n");
  for (const auto& item : d.items) {
    std::string shape;
    for (const auto size : item.shape) shape += (shape.empty() ? "" : " x ") + std::to_string(size);
    std::printf("  %-24s %-14s %-20s %s\n", item.name.c_str(), item.type.c_str(),
                shape.empty() ? "scalar" : shape.c_str(), item.storage.c_str());
  }
  if (d.more_items) std::printf("  ... and more\n");
}

// --- scans ---

Json scan_json(const NiftiInfo& info, const SliceLayout& layout) {
  const ScanGeometry& g = info.geometry;
  return {{"type", "scan"},
          {"format", describe(info)},
          {"sizes", g.sizes},
          {"volumes", g.times},
          {"spacing_mm", g.spacing},
          {"orientation", g.orientation},
          {"orientation_known", g.orientation_known},
          {"affine_source", info.affine_source},
          {"affine", g.affine},
          {"repetition_time_s", g.repetition_time ? number(*g.repetition_time) : Json(nullptr)},
          {"slope", number(info.slope)},
          {"intercept", number(info.intercept)},
          {"slice_axis", layout.axis},
          {"slices", layout.slices},
          {"slice_reason", layout.reason},
          {"notes", info.notes}};
}

void print_scan(const NiftiInfo& info, const SliceLayout& layout) {
  const ScanGeometry& g = info.geometry;
  std::printf("%s: %lld x %lld x %lld", describe(info).c_str(), static_cast<long long>(g.sizes[0]),
              static_cast<long long>(g.sizes[1]), static_cast<long long>(g.sizes[2]));
  if (g.times > 1) std::printf(", %lld volumes", static_cast<long long>(g.times));
  std::printf("\n  spacing %g x %g x %g mm, orientation %s (%s)\n", g.spacing[0], g.spacing[1],
              g.spacing[2], g.orientation.c_str(), info.affine_source.c_str());
  if (g.repetition_time) std::printf("  repetition time %g s\n", *g.repetition_time);
  if (info.slope != 1 || info.intercept != 0)
    std::printf("  value = %g x stored + %g\n", info.slope, info.intercept);
  std::printf("  %s\n", layout.reason.c_str());
  for (const std::string& note : info.notes) std::printf("  note: %s\n", note.c_str());
}

bool is_hdf5_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char signature[8] = {};
  file.read(signature, sizeof signature);
  return file && std::string_view(signature, 8) == "\x89HDF\r\n\x1a\n";
}

void run(const Options& options) {
  const std::string& path = options.file;
  Json json;
  if (path.ends_with(".safetensors")) {
    json = model_json(load_model(path), options);
    if (!options.json) return print_model(json);
  } else if (path.ends_with(".h5") || path.ends_with(".hdf5") || is_hdf5_file(path)) {
    const Hdf5Description description = describe_hdf5(path);
    if (!options.json) return print_hdf5(description);
    json = hdf5_json(description);
  } else {
    const NiftiInfo info = read_nifti_info(path);
    const SliceLayout layout = find_slices(info.geometry);
    if (!options.json) return print_scan(info, layout);
    json = scan_json(info, layout);
  }
  std::printf("%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

}  // namespace

void add_inspect(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "inspect", "Show what a file holds: a model, a dataset in HDF5, or a scan");
  command->add_option("file", options->file, ".safetensors, .h5, .nii, .nii.gz, .hdr")->required();
  command->add_flag("--json", options->json, "as JSON");
  command->add_flag("--plan", options->plan,
                    "of a model: also which algorithm computes each layer and why, and the memory");
  command->add_option("--batch", options->batch, "of the plan")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command->footer(
      "Example:\n  ratnet simulate dark-slices --animals 2 -o slices.h5\n  ratnet inspect "
      "slices.h5");
  command->callback([options] { run(*options); });
}

}  // namespace ratnet::inline v1
