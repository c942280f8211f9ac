// How a model of patches goes over whole images: what `evaluate` and `predict` ask.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../../train/whole_images.h"

namespace CLI {
class App;
}

namespace ratnet::inline v1 {

struct WindowCommandOptions {
  std::optional<double> overlap;
  std::vector<std::string> flips;  // of D, H, W

  bool given() const { return overlap || !flips.empty(); }
  // axes: of the patches that the model was trained on, absent where it was not. Throws Error
  // (usage), naming the model, where an option is given for none, and for shares and axes that
  // there are none of.
  WindowOptions window(const std::string& model, std::optional<std::size_t> axes) const;
};
void add_window_options(CLI::App& command, WindowCommandOptions& options);

}  // namespace ratnet::inline v1
