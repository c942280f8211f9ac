// Where the models that ship with ratnet are found.
#pragma once

#include <string>
#include <vector>

namespace ratnet::inline v1 {

// models/ratnet.safetensors, beside the program where it is installed (../share/ratnet/models) or
// in the source tree that it was built in (../../models). Throws Error (file_system) naming where
// it was looked for.
std::string default_model_path();

// Splits what stood on the command line into the model, if its name ends in .safetensors and it
// comes first, else the default model, and the rest.
struct ModelAndInputs {
  std::string model;
  std::vector<std::string> inputs;
};
ModelAndInputs split_model(std::vector<std::string> arguments);

}  // namespace ratnet::inline v1
