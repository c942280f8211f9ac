// All measurements, several rounds each, as one JSON.
#pragma once

#include "measurement.h"

namespace ratnet::inline v1 {

struct ReportOptions {
  std::string path;  // written anew after every measurement
  std::string only;  // keys that begin so; empty: all
  int rounds = 5;
  double seconds = 1e9;  // after so many no other measurement begins
};

// {"contender", "device", "description", "quick", "peaks", "libraries",
//  "figures": {key: {unit: {"median", "rounds"}, "algorithm"}}, "share_of_bus": {key: number},
//  "failed": {key: why}, "not_reached": [key]}. Returns whether nothing failed.
bool measure_all(const Measurements& all, const Subject& subject, const ReportOptions& options);

}  // namespace ratnet::inline v1
