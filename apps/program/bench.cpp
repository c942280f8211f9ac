// ratnet bench: how many slices a second a model computes on this machine, and where the time goes.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "../../core/atomic_file.h"
#include "../../core/random.h"
#include "../../kernels/cpu/instruction_set.h"
#include "../../network/predictor.h"
#include "commands.h"
#include "layer_report.h"
#include "models.h"
#include "options.h"
#include "output.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

struct Options {
  std::vector<std::string> arguments;
  std::vector<std::int64_t> batches = {1, 32, 256};
  std::vector<int> threads = {1};
  std::string device = "auto";
  std::string precision = "f32";
  std::string stored = "f32";
  bool tune = false;
  double seconds = 1;
  std::string json;
  bool layers = false;
  int rounds = 11;
  std::string svg;
};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void fill_randomly(const View& inputs) {
  Random random(1);
  for (std::int64_t i = 0; i < inputs.count(); ++i) {
    if (inputs.dtype == DType::u8)
      inputs.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(random.integer(256));
    else
      inputs.as<float>()[i] = static_cast<float>(random.uniform());
  }
}

// Median over several rounds of the samples a second, host memory to host memory.
double samples_per_second(Predictor& predictor, std::int64_t batch, DType stored, double seconds) {
  constexpr int kRounds = 5;
  const Shape in = predictor.plan().input(0, batch).shape;
  const Shape out = predictor.plan().output(0, batch).shape;
  const HostBuffer input_memory = predictor.host_memory(ConstView(nullptr, stored, in).bytes());
  const HostBuffer output_memory =
      predictor.host_memory(ConstView(nullptr, DType::f32, out).bytes());
  const View inputs(input_memory.data(), stored, in);
  const View outputs(output_memory.data(), DType::f32, out);
  fill_randomly(inputs);
  const auto run_all = [&] { predictor.run(inputs, {}, outputs); };
  run_all();  // touches all memory once
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = Clock::now();
    std::int64_t done = 0;
    do {
      run_all();
      done += batch;
    } while (seconds_since(start) < seconds / kRounds);
    rates.push_back(static_cast<double>(done) / seconds_since(start));
  }
  std::nth_element(rates.begin(), rates.begin() + kRounds / 2, rates.end());
  return rates[kRounds / 2];
}

void run_layers(const Options& options, const std::string& name, const Model& model) {
  const LayerSetting setting{.model = name,
                             .batch = options.batches.front(),
                             .rounds = options.rounds,
                             .stored = options.stored};
  Predictor predictor(model, {.batch = setting.batch,
                              .threads = options.threads.front(),
                              .device = {DeviceKind::cpu, 0},
                              .precision = parse_precision(options.precision),
                              .input_type = parse_dtype(options.stored),
                              .tuner = tuning_if(options.tune)});
  fill_randomly(predictor.plan().input(0, setting.batch));
  const LayerTimes times = time_layers(predictor.plan(), setting.batch, setting.rounds);
  if (options.json == "-")
    std::printf("%s", layers_json(times, setting).c_str());
  else
    std::printf("%s", layers_in_words(times, setting).c_str());
  if (!options.json.empty() && options.json != "-")
    write_file(options.json, layers_json(times, setting));
  if (!options.svg.empty()) write_file(options.svg, layers_svg(times, setting));
}

// What --layers can measure is one setting on a CPU.
void check_layers(const Options& options) {
  const DeviceKind kind = parse_device(options.device).kind;
  require(kind == DeviceKind::cpu || kind == DeviceKind::any,
          "--layers measures on the CPU, not on ", options.device, "; say --device cpu");
  require(options.batches.size() == 1, "--layers measures one batch size, not ",
          options.batches.size(), "; say one of them by --batch");
  require(options.threads.size() == 1, "--layers measures one number of threads, not ",
          options.threads.size(), "; say one of them by --threads");
  require(options.rounds >= 1 && options.rounds <= 100000, "--rounds is ", options.rounds,
          ", expected 1 to 100000");
  require(options.svg.empty() || options.svg.ends_with(".svg"), options.svg,
          ": a drawing's name ends in .svg");
  if (!options.svg.empty()) check_can_write(options.svg);
}

void run(const Options& options) {
  const ModelAndInputs named = split_model(options.arguments);
  require(named.inputs.empty(), "bench takes one model, not also '",
          named.inputs.empty() ? "" : named.inputs.front(), "'");
  require(options.seconds > 0 && options.seconds <= 600, "--seconds is ", options.seconds,
          ", expected more than 0 and at most 600");
  require(options.stored == "f32" || options.stored == "u8",
          "slices are stored as f32 or u8, not '", options.stored, "'");
  if (options.layers) check_layers(options);
  if (!options.json.empty() && options.json != "-") check_can_write(options.json);
  const DType stored = parse_dtype(options.stored);
  const Model model = load_model(named.model);
  if (options.layers) return run_layers(options, named.model, model);
  const bool to_terminal = options.json != "-";
  if (to_terminal) {
    std::printf("%s, instruction set %s, %s%s\n", named.model.c_str(), instruction_set().c_str(),
                options.precision.c_str(), options.tune ? ", tuned" : "");
    std::printf("%8s %8s %14s\n", "batch", "threads", "slices/s");
  }
  const std::shared_ptr<Tuning> tuning = tuning_if(options.tune);
  Json results = Json::array();
  for (const int threads : options.threads)
    for (const std::int64_t batch : options.batches) {
      Predictor predictor(model, {.batch = batch,
                                  .threads = threads,
                                  .device = parse_device(options.device),
                                  .precision = parse_precision(options.precision),
                                  .input_type = stored,
                                  .tuner = tuning});
      const double rate = samples_per_second(predictor, batch, stored, options.seconds);
      results.push_back({{"batch", batch},
                         {"threads", threads},
                         {"precision", options.precision},
                         {"stored", options.stored},
                         {"tuned", options.tune},
                         {"slices_per_s", rate},
                         {"device", to_string(predictor.device())},
                         {"instruction_set", instruction_set()}});
      if (to_terminal) {
        std::printf("%8lld %8d %14.0f\n", static_cast<long long>(batch), threads, rate);
        std::fflush(stdout);
      }
    }
  if (!to_terminal)
    std::printf("%s\n", results.dump(2).c_str());
  else if (!options.json.empty())
    write_file(options.json, results.dump(2) + "\n");
}

}  // namespace

void add_bench(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("bench", "Measure how fast a model computes on this machine");
  command->add_option("model", options->arguments,
                      "MODEL.safetensors; without one, the model that ships");
  CLI::Option* batch =
      command->add_option("--batch", options->batches, "batch sizes, separated by commas")
          ->delimiter(',')
          ->capture_default_str()
          ->check(CLI::Range(1, 65536));
  command->add_option("--threads", options->threads, "numbers of threads, separated by commas")
      ->delimiter(',')
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  CLI::Option* seconds =
      command->add_option("--seconds", options->seconds, "how long each is measured")
          ->capture_default_str();
  add_device_option(*command, options->device);
  add_precision_option(*command, options->precision);
  add_tune_option(*command, options->tune);
  command->add_option("--stored", options->stored, "what slices are stored as: f32 or u8")
      ->capture_default_str();
  command->add_option(
      "--json", options->json,
      "write a list of {batch, threads, precision, stored, tuned, slices_per_s}, or what --layers "
      "measures, to this file (- for the terminal)");
  CLI::Option* layers =
      command
          ->add_flag("--layers", options->layers,
                     "layer by layer on the CPU: algorithm, time, GF/s and the share of this "
                     "machine's peak; for one batch size (32 unless --batch says so)")
          ->excludes(seconds);
  command->add_option("--rounds", options->rounds, "of --layers: how many passes are timed")
      ->capture_default_str()
      ->needs(layers);
  command
      ->add_option("--svg", options->svg,
                   "of --layers: draw them under the machine's roofs to this file")
      ->needs(layers);
  command->footer(
      "docs/measuring.md says how layers are counted and timed.\n\n"
      "Example:\n  ratnet bench --batch 1,32 --threads 1,2\n  ratnet bench --layers --batch 32 "
      "--svg roofline.svg");
  command->callback([options, batch] {
    if (options->layers && batch->count() == 0) options->batches = {32};
    run(*options);
  });
}

}  // namespace ratnet::inline v1
