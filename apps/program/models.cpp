#include "models.h"

#include <filesystem>

#include "../../core/error.h"

namespace ratnet::inline v1 {

std::string default_model_path() {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) fail(ErrorKind::file_system, "cannot tell where the program is: ", error.message());
  std::string tried;
  for (const char* place : {"../share/ratnet/models", "../../models"}) {
    const fs::path path = (program.parent_path() / place / "ratnet.safetensors").lexically_normal();
    if (fs::exists(path, error)) return path.string();
    tried += (tried.empty() ? "" : ", ") + path.string();
  }
  fail(ErrorKind::file_system, "the default model is missing (looked for ", tried,
       "); name a model file");
}

ModelAndInputs split_model(std::vector<std::string> arguments) {
  ModelAndInputs split;
  if (!arguments.empty() && arguments.front().ends_with(".safetensors")) {
    split.model = std::move(arguments.front());
    arguments.erase(arguments.begin());
  } else {
    split.model = default_model_path();
  }
  split.inputs = std::move(arguments);
  return split;
}

}  // namespace ratnet::inline v1
