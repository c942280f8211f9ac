// Output files, looked at before the work that fills them.
#pragma once

#include <string>

namespace ratnet::inline v1 {

// Throws Error (file_system) where a file could not be written at `path`, so that a long task does
// not learn it at its end. The file itself is left as it is.
void check_can_write(const std::string& path);

}  // namespace ratnet::inline v1
