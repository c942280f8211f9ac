// ratnet inspect: what a model, a graph, a dataset or a scan holds.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>

#include "../../../core/atomic_file.h"
#include "../../report/graph_svg.h"
#include "../commands.h"
#include "../graph_file.h"
#include "../options.h"
#include "descriptions.h"

namespace ratnet::inline v1 {
namespace {

struct Options {
  std::string file;
  std::string svg;
  bool json = false;
  bool plan = false;
  std::int64_t batch = 32;
  ComputeOptions compute = {.threads = 1};
};

void draw(const Graph& graph, const Options& options) {
  if (!options.svg.empty())
    write_file(options.svg, graph_svg(graph, std::filesystem::path(options.file).stem().string()));
}

bool is_hdf5_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char signature[8] = {};
  file.read(signature, sizeof signature);
  return file && std::string_view(signature, 8) == "\x89HDF\r\n\x1a\n";
}

// The file as JSON, or "" once it has been printed for a person.
std::string look(const Options& options) {
  const std::string& path = options.file;
  const bool is_model = path.ends_with(".safetensors");
  const bool is_graph = path.ends_with(".json");
  require(is_model || !options.plan, path, ": only a model (.safetensors) has a plan");
  require(is_model || is_graph || options.svg.empty(), path,
          ": only a model (.safetensors) or a graph (.json) can be drawn");
  // Not to be mistaken for the model.
  require(options.svg.empty() || options.svg.ends_with(".svg"), options.svg,
          ": a drawing's name ends in .svg");
  if (is_model) {
    const Model model = load_model(path);
    draw(model.graph, options);
    PlanWanted plan;
    const std::shared_ptr<Tuning> tuning = tuning_if(options.compute.tune);
    if (options.plan)
      plan = {.batch = options.batch,
              .threads = options.compute.threads,
              .device = parse_device(options.compute.device),
              .precision = parse_precision(options.compute.precision),
              .tuner = tuning};
    std::string json = options.json ? model_json(model, plan) : "";
    if (!options.json) print_model(model, plan);
    if (tuning) std::fprintf(stderr, "tuning: %s\n", to_string(tuning->summary()).c_str());
    return json;
  } else if (is_graph) {
    const Graph graph = read_graph_file(path).graph;
    draw(graph, options);
    if (options.json) return graph_json(graph);
    print_graph(graph);
  } else if (path.ends_with(".h5") || path.ends_with(".hdf5") || is_hdf5_file(path)) {
    const Hdf5Description description = describe_hdf5(path);
    if (options.json) return hdf5_json(description);
    print_hdf5(description);
  } else {
    const NiftiInfo info = read_nifti_info(path);
    const SliceLayout layout = find_slices(info.geometry);
    if (options.json) return scan_json(info, layout);
    print_scan(info, layout);
  }
  return "";
}

}  // namespace

void add_inspect(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "inspect",
      "Show what a file holds: a model, a graph of layers, a dataset in HDF5, or a scan");
  command->add_option("file", options->file, ".safetensors, .json, .h5, .nii, .nii.gz, .hdr")
      ->required();
  command->add_flag("--json", options->json, "as JSON");
  command->add_option("--svg", options->svg, "of a model or a graph: draw its layers to this file");
  CLI::Option* plan = command->add_flag(
      "--plan", options->plan,
      "of a model: also which algorithm computes each layer and why, and the memory");
  command->add_option("--batch", options->batch, "of the plan")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  add_compute_options(*command, options->compute);
  for (const char* of_the_plan : {"--batch", "--device", "--precision", "--threads", "--tune"})
    command->get_option(of_the_plan)->needs(plan);
  command->footer(
      "Graphs are JSON, as docs/file-formats.md describes.\n\n"
      "Example:\n  ratnet simulate dark-slices --animals 2 -o slices.h5\n  ratnet inspect "
      "slices.h5");
  command->callback([options] {
    if (const std::string json = look(*options); !json.empty()) std::printf("%s\n", json.c_str());
  });
}

}  // namespace ratnet::inline v1
