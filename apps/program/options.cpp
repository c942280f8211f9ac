#include "options.h"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "../../core/error.h"

namespace ratnet::inline v1 {

void add_device_option(CLI::App& command, std::string& device) {
  command.add_option("--device", device, "cpu, cuda, cuda:N or auto")->capture_default_str();
}

void add_precision_option(CLI::App& command, std::string& precision) {
  command
      .add_option("--precision", precision,
                  "of multiplications: f32, or on a GPU tf32 or bf16, which is faster")
      ->capture_default_str();
}

void add_threads_option(CLI::App& command, int& threads) {
  command.add_option("--threads", threads, "0: one for every processor")->capture_default_str();
}

void add_tune_option(CLI::App& command, bool& tune) {
  command.add_flag("--tune", tune,
                   "on a CPU: measure which algorithm computes each layer fastest, once on this "
                   "machine; rounds otherwise in the last bits (docs/measuring.md)");
}

void add_compute_options(CLI::App& command, ComputeOptions& options) {
  add_device_option(command, options.device);
  add_precision_option(command, options.precision);
  add_threads_option(command, options.threads);
  add_tune_option(command, options.tune);
}

std::shared_ptr<Tuning> tuning_if(bool wanted) {
  if (!wanted) return nullptr;
  // Whole lines: nobody knows which problem is the last, after which others write.
  double next = 2;
  return std::make_shared<Tuning>(
      TuningOptions{.told = [next](std::int64_t problems, double seconds) mutable {
        if (seconds < next) return;
        next = seconds + 10;
        std::fprintf(stderr, "tuning: %lld problems measured in %.1f s\n",
                     static_cast<long long>(problems), seconds);
      }});
}

void ScanOptions::check_used(bool any_scan) const {
  require(any_scan || (slice_axis == "auto" && !flip_rows && !flip_columns),
          "--slice-axis, --flip-rows and --flip-columns are for scans; a file of slices has them "
          "as they are");
}

SliceOptions ScanOptions::slices() const {
  return {
      .axis = parse_slice_axis(slice_axis), .flip_rows = flip_rows, .flip_columns = flip_columns};
}

void add_scan_options(CLI::App& command, ScanOptions& options) {
  command
      .add_option("--slice-axis", options.slice_axis,
                  "auto (the thick, acquired slices, else coronal), coronal, axial, sagittal, "
                  "acquired, or 0, 1, 2 for an array axis")
      ->capture_default_str();
  command.add_flag("--flip-rows", options.flip_rows, "turn slices upside down before judging");
  command.add_flag("--flip-columns", options.flip_columns, "mirror slices before judging");
}

}  // namespace ratnet::inline v1
