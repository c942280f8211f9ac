#include "predict.h"

#include <cstdio>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "../../core/error.h"
#include "commands.h"
#include "interrupt.h"
#include "models.h"

namespace ratnet::inline v1 {
namespace {

void run(PredictOptions options) {
  const ModelAndInputs named = split_model(options.files);
  options.model = named.model;
  options.files = named.inputs;
  require(!options.files.empty(), "predict needs a scan, a file of slices or a folder");
  Model model = load_model(options.model);
  options.check_for(model.system);
  catch_interrupts();
  if (model.system == "graph")
    predict_graph(std::move(model), options);
  else
    predict_dark_slices(model, options);  // throws where the model is of something else
}

}  // namespace

void PredictOptions::check_for(const std::string& system) const {
  const bool graph = system == "graph";
  require(!graph || !brain_level, "--brain-level is for models of dark slices");
  require(graph || !probabilities, "--probabilities is for models of `train --graph`");
  require(graph || !window.given(), "--overlap and --flips are for models of `train --graph`");
  if (graph) scan.check_used(false);
}

UnusableInputs for_each_input(
    const std::vector<Input>& inputs, const std::string& output,
    const std::function<std::string(const std::string& path, const std::string& folder)>& table,
    const std::function<void(const Input& input, const std::string& folder)>& work) {
  std::vector<std::string> folders, tables;
  for (const Input& input : inputs) {
    folders.push_back(
        (std::filesystem::path(output) / input.subfolder).lexically_normal().string());
    tables.push_back(table(input.path, folders.back()));
  }
  check_distinct(inputs, tables);
  UnusableInputs unusable(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    stop_if_interrupted();
    unusable.try_one([&] { work(inputs[i], folders[i]); });
    std::fflush(stdout);
  }
  return unusable;
}

void add_predict(CLI::App& program) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App* command = program.add_subcommand(
      "predict", "Say what a model finds: dark slices in scans, or the outputs of a graph");
  command
      ->add_option("files", options->files,
                   "[MODEL.safetensors] INPUT...; .nii, .nii.gz (3D or 4D), .h5 slices, or "
                   "folders of them; of models of `train --graph`, .h5 alone; without a model, the "
                   "one for dark slices that ships")
      ->required();
  command->add_option("-o,--output", options->output, "folder for the results")->required();
  command->add_option("--brain-level", options->brain_level,
                      "dark slices: mean of the brain in good slices, in the file's units; "
                      "otherwise estimated from each run or file");
  command->add_flag("--probabilities", options->probabilities,
                    "graphs that find masks: write the probabilities of all classes too");
  add_window_options(*command, options->window);
  add_scan_options(*command, options->scan);
  add_compute_options(*command, options->compute);
  command->footer(
      "Example:\n"
      "  ratnet simulate dark-slices --animals 1 --seed 2 -o dark.h5 --nifti runs\n"
      "  ratnet predict runs -o results\n"
      "Example, where unet.json holds a graph and slices.h5 its images:\n"
      "  ratnet train --graph unet.json slices.h5 -o unet.safetensors --epochs 1\n"
      "  ratnet predict unet.safetensors slices.h5 -o found");
  command->callback([options] { run(*options); });
}

}  // namespace ratnet::inline v1
