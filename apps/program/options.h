// Options that several commands have, declared and explained once.
#pragma once

#include <string>

#include "../../imaging/orientation.h"

namespace CLI {
class App;
}

namespace ratnet::inline v1 {

// Where networks run.
struct ComputeOptions {
  std::string device = "auto";
  std::string precision = "f32";
  int threads = 0;
};
void add_device_option(CLI::App& command, std::string& device);
void add_precision_option(CLI::App& command, std::string& precision);
void add_threads_option(CLI::App& command, int& threads);
void add_compute_options(CLI::App& command, ComputeOptions& options);

// How slices lie in scans.
struct ScanOptions {
  std::string slice_axis = "auto";
  bool flip_rows = false;
  bool flip_columns = false;

  // Throws Error (usage) where one is stated though there is no scan that it could be about.
  void check_used(bool any_scan) const;
  // Throws Error (usage) where the axis is none.
  SliceOptions slices() const;
};
void add_scan_options(CLI::App& command, ScanOptions& options);

}  // namespace ratnet::inline v1
