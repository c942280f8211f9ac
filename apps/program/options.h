// Options that several commands have, declared and explained once.
#pragma once

#include <memory>
#include <string>

#include "../../imaging/orientation.h"
#include "../../network/tuning.h"

namespace CLI {
class App;
}

namespace ratnet::inline v1 {

// Where networks run.
struct ComputeOptions {
  std::string device = "auto";
  std::string precision = "f32";
  int threads = 0;
  bool tune = false;
};
void add_device_option(CLI::App& command, std::string& device);
void add_precision_option(CLI::App& command, std::string& precision);
void add_threads_option(CLI::App& command, int& threads);
void add_tune_option(CLI::App& command, bool& tune);
void add_compute_options(CLI::App& command, ComputeOptions& options);

// What --tune asks for, with the cache of this user; null where it is not wanted. Says on stderr
// how far it is where that takes more than two seconds.
std::shared_ptr<Tuning> tuning_if(bool wanted);

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
