#include "output.h"

#include <filesystem>

#include "../../core/atomic_file.h"
#include "../../core/error.h"

namespace ratnet::inline v1 {

void check_can_write(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    fail(ErrorKind::file_system, path, ": is a folder; name a file to write");
  const AtomicFile probe(path);
}

}  // namespace ratnet::inline v1
