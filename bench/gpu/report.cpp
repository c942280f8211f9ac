#include "report.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>

#include "../../core/atomic_file.h"
#include "libraries.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Json figures_of(const Measurement& measurement, int rounds) {
  const Prepared prepared = measurement.prepare();
  std::map<std::string, std::vector<double>> by_unit;
  for (int round = 0; round < rounds; ++round)
    for (const auto& [unit, value] : prepared.round()) by_unit[unit].push_back(value);
  Json figures;
  for (const auto& [unit, values] : by_unit)
    figures[unit] = {{"median", median(values)}, {"rounds", values}};
  if (!prepared.algorithm.empty()) figures["algorithm"] = prepared.algorithm;
  return figures;
}

Json stated(const Peaks& peaks) {
  if (peaks.memory == 0) return "unknown for this device: no shares of them are given";
  return {{"tflop_per_s", {{"f32", peaks.f32}, {"tf32", peaks.tf32}, {"bf16", peaks.bf16}}},
          {"gb_per_s", peaks.memory},
          {"source", peaks.source}};
}

// How much of what the bus uploads the inference from the host's memory does.
Json shares_of_bus(const Json& figures) {
  Json shares = Json::object();
  if (!figures.contains("bus/upload")) return shares;
  const double bus = figures["bus/upload"]["gb_per_s"]["median"];
  for (const auto& [key, values] : figures.items())
    if (values.contains("gb_per_s_up"))
      shares[key] = values["gb_per_s_up"]["median"].get<double>() / bus;
  return shares;
}

}  // namespace

bool measure_all(const Measurements& all, const Subject& subject, const ReportOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  Json report = {{"contender", "ratnet"},
                 {"device", to_string(subject.device)},
                 {"description", subject.queue->description},
                 {"quick", subject.quick},
                 {"peaks", stated(subject.peaks)},
                 {"libraries", found_libraries()},
                 {"figures", Json::object()},
                 {"share_of_bus", Json::object()},
                 {"failed", Json::object()},
                 {"not_reached", Json::array()}};
  for (const Measurement& measurement : all) {
    if (!measurement.key.starts_with(options.only)) continue;
    if (seconds() > options.seconds) {
      report["not_reached"].push_back(measurement.key);
      continue;
    }
    try {
      const Json figures = figures_of(measurement, options.rounds);
      std::printf("%s", measurement.key.c_str());
      for (const auto& [unit, values] : figures.items())
        if (values.is_object())
          std::printf("  %.4g %s", values["median"].get<double>(), unit.c_str());
      std::printf("\n");
      report["figures"][measurement.key] = figures;
    } catch (const Error& error) {
      std::printf("%s  failed: %s\n", measurement.key.c_str(), error.what());
      report["failed"][measurement.key] = error.what();
    }
    std::fflush(stdout);
    report["share_of_bus"] = shares_of_bus(report["figures"]);
    // Here too, so that a device that hangs or a limit of time takes nothing back.
    write_file(options.path, report.dump(1) + "\n");
  }
  require(!report["figures"].empty() || !report["failed"].empty() || !report["not_reached"].empty(),
          "no measurement begins with '", options.only, "'");
  write_file(options.path, report.dump(1) + "\n");
  return report["failed"].empty();
}

}  // namespace ratnet::inline v1
