// Measures RatNet on a GPU: the bus, the memory, the network as a whole and kernel by kernel.
//   ratnet_gpu_bench MODEL --json OUT                        all of it, as one JSON
//   ratnet_gpu_bench MODEL --serve --inputs F --outputs F    for bench/peers/run_gpu
//   ratnet_gpu_bench --libraries                             which of NVIDIA's libraries it finds
#include <iostream>

#include <CLI/CLI.hpp>

#include "../../kernels/open.h"
#include "libraries.h"
#include "report.h"
#include "serve.h"

namespace {

using namespace ratnet;

Measurements everything(const Subject& subject) {
  Measurements all;
  add_bus(all, subject);
  add_memory_copy(all, subject);
  add_host_inference(all, subject);
  add_training(all, subject);
  add_latency(all, subject);
  add_resident_inference(all, subject);
  add_chain_kernel(all, subject);
  add_conv_kernels(all, subject);
  add_dense_kernels(all, subject);
  add_pool_kernels(all, subject);
  add_adam_kernel(all, subject);
  return all;
}

struct Options {
  std::string model, device = "cuda", inputs, outputs;
  bool quick = false, serve = false, libraries = false;
  ReportOptions report;
};

int run(const Options& options) {
  if (options.libraries) {
    std::cout << found_libraries().dump(1) << '\n';
    return 0;
  }
  require(!options.model.empty(), "which model? MODEL is missing");
  require(options.serve != !options.report.path.empty(), "needs --json or --serve, and not both");
  require(!options.serve || (!options.inputs.empty() && !options.outputs.empty()),
          "--serve needs --inputs and --outputs");
  const Device device = parse_device(options.device);
  require(device.kind == DeviceKind::cuda || device.kind == DeviceKind::cuda_emulated,
          "this measures cuda and cuda_emulated, not ", options.device);
  const QueueHandle queue = open_queue({.device = device, .threads = 0, .executor = {}});
  const Subject subject{load_model(options.model), device, queue, peaks_of(queue->description),
                        options.quick};
  const Measurements all = everything(subject);
  if (options.serve) {
    serve(all, subject, options.inputs, options.outputs);
    return 0;
  }
  return measure_all(all, subject, options.report) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App program("Measures RatNet on a GPU");
  program.add_option("model", options.model, "MODEL.safetensors");
  program.add_option("--device", options.device, "cuda, cuda:N or cuda_emulated")
      ->capture_default_str();
  auto* quick = program.add_flag("--quick", options.quick, "the smallest of everything, once");
  program.add_option("--json", options.report.path, "write all figures to this file");
  program.add_option("--rounds", options.report.rounds, "of each, with --json")
      ->capture_default_str()
      ->excludes(quick)
      ->check(CLI::Range(1, 1000));
  program.add_option("--seconds", options.report.seconds,
                     "with --json: begin no measurement after so many");
  program.add_option("--only", options.report.only, "with --json: keys that begin so");
  auto* serve = program.add_flag("--serve", options.serve, "answer keys from the input");
  program.add_option("--inputs", options.inputs, "with --serve: a file of u8 slices")->needs(serve);
  program.add_option("--outputs", options.outputs, "with --serve: gets their logits")->needs(serve);
  program.add_flag("--libraries", options.libraries, "print what is found of NVIDIA's libraries");
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : static_cast<int>(ErrorKind::usage);
  }
  try {
    if (options.quick) options.report.rounds = 1;
    return run(options);
  } catch (const Error& error) {
    std::cerr << "ratnet_gpu_bench: " << error.what() << '\n';
    return static_cast<int>(error.kind());
  }
}
