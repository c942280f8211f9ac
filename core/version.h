// Which ratnet this is.
#pragma once

#include <string>

namespace ratnet::inline v1 {

// "0.1.0"
std::string version();

}  // namespace ratnet::inline v1
