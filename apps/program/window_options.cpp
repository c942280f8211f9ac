#include "window_options.h"

#include <algorithm>

#include <CLI/CLI.hpp>

namespace ratnet::inline v1 {
namespace {

// Beyond it patches are so many that nobody would wait for them.
constexpr double kMostOverlap = 0.9;
constexpr const char* kAxes[] = {"D", "H", "W"};

}  // namespace

WindowOptions WindowCommandOptions::window(const std::string& model,
                                           std::optional<std::size_t> axes) const {
  require(axes || !given(), model,
          ": was not trained on patches, which --overlap and --flips are for");
  WindowOptions window;
  if (overlap) window.overlap = *overlap;
  require(window.overlap >= 0 && window.overlap <= kMostOverlap, "--overlap ", window.overlap,
          ": expected a share of 0 to ", kMostOverlap);
  for (const std::string& flip : flips) {
    const auto* const axis = std::ranges::find(kAxes, flip);
    require(axis != std::end(kAxes), "--flips '", flip.substr(0, 32), "': expected D, H or W");
    require(*axes == 3 || axis != std::begin(kAxes), "--flips D: ", model,
            " was trained on patches of H and W");
    window.flips[static_cast<std::size_t>(axis - std::begin(kAxes))] = true;
  }
  return window;
}

void add_window_options(CLI::App& command, WindowCommandOptions& options) {
  command.add_option("--overlap", options.overlap,
                     "graphs trained on patches: share of a patch that lies in the next one "
                     "(0 to 0.9, by default 0.5)");
  command
      .add_option("--flips", options.flips,
                  "graphs trained on patches: axes along which images are shown mirrored too, such "
                  "as H,W (of D, H, W); what is said of them is averaged")
      ->delimiter(',')
      ->allow_extra_args(false);  // what follows is the model and the file
}

}  // namespace ratnet::inline v1
