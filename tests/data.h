// Where the tests find real scans: $RATNET_DATA, or shared/data beside the checkout.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

// The path of a file or folder of the real data, or "" where it is absent: a test that needs it
// then warns "skipped: ..." and returns.
inline std::string real_data(const std::string& relative) {
  const char* root = std::getenv("RATNET_DATA");
  const std::filesystem::path folder =
      root ? std::filesystem::path(root)
           : std::filesystem::path(RATNET_SOURCE_DIR) / ".." / "shared" / "data";
  const std::filesystem::path path = folder / relative;
  return std::filesystem::exists(path) ? path.string() : std::string();
}
