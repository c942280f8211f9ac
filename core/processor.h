// Which processor this is.
#pragma once

#include <filesystem>
#include <string>

namespace ratnet::inline v1 {

// Its name, family, model and stepping: "AMD EPYC 7B13, 25, 1, 1"; "" where the system does not
// tell. root: where /proc is.
std::string processor_name(const std::filesystem::path& root = "/");

}  // namespace ratnet::inline v1
