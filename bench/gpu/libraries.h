// NVIDIA's libraries as the program would find them.
#pragma once

#include <nlohmann/json.hpp>

namespace ratnet::inline v1 {

// By name ("libcudnn.so.9"): {"version", "path"}, or {"absent": the loader's words}; and the CUDA
// version that the driver has. The versions are numbers as the libraries count them.
nlohmann::ordered_json found_libraries();

}  // namespace ratnet::inline v1
