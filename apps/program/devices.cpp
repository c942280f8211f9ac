// ratnet devices: where networks can run, and why not elsewhere.
#include <cstdio>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "../../kernels/open.h"
#include "commands.h"

namespace ratnet::inline v1 {
namespace {

struct Found {
  Device device;
  bool usable;
  std::string description;  // what it is, or why it cannot be used
};

Found look_at(const Device& device) {
  try {
    const QueueHandle queue = open_queue({.device = device, .threads = 0, .executor = {}});
    return {device, true, queue->description};
  } catch (const Error& error) {
    return {device, false, error.what()};
  }
}

std::vector<Found> look_around() {
  std::vector<Found> found = {look_at({DeviceKind::cpu, 0})};
  constexpr int kMost = 64;
  for (int index = 0; index < kMost; ++index) {
    Found next = look_at({DeviceKind::cuda, index});
    // Behind one that is too old there may be another; where none opens at all there is not.
    const bool last = !next.usable && next.description.find("capability") == std::string::npos;
    if (!last || index == 0) found.push_back(std::move(next));
    if (last) break;
  }
  return found;
}

void run(bool json) {
  const std::vector<Found> found = look_around();
  if (json) {
    auto list = nlohmann::ordered_json::array();
    for (const Found& f : found)
      list.push_back({{"device", to_string(f.device)},
                      {"usable", f.usable},
                      {f.usable ? "description" : "reason", f.description}});
    std::printf("%s\n", list.dump(2).c_str());
    return;
  }
  for (const Found& f : found)
    f.usable ? std::printf("%-8s %s\n", to_string(f.device).c_str(), f.description.c_str())
             : std::printf("%s\n", f.description.c_str());
}

}  // namespace

void add_devices(CLI::App& program) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command =
      program.add_subcommand("devices", "Show where networks can run, and why not elsewhere");
  command->add_flag("--json", *json, "as a list of {device, usable, description or reason}");
  command->footer("Example:\n  ratnet devices");
  command->callback([json] { run(*json); });
}

}  // namespace ratnet::inline v1
