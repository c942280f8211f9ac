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
  int threads = 0;
};
void add_device_option(CLI::App& command, std::string& device);
void add_threads_option(CLI::App& command, int& threads);
void add_compute_options(CLI::App& command, ComputeOptions& options);

// How slices lie in scans.
struct ScanOptions {
  std::string slice_axis = "auto";
  bool flip_rows = false;
  bool flip_columns = false;

  bool stated() const { return slice_axis != "auto" || flip_rows || flip_columns; }
  // Throws Error (usage) where the axis is none.
  SliceOptions slices() const;
};
void add_scan_options(CLI::App& command, ScanOptions& options);

}  // namespace ratnet::inline v1
