#include "processor.h"

#include <fstream>
#include <sstream>

namespace ratnet::inline v1 {
namespace {

// The value of the first line "key : value".
std::string value_of(const std::string& lines, const std::string& key) {
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    if (line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1) != key) continue;
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

}  // namespace

std::string processor_name(const std::filesystem::path& root) {
  constexpr std::streamsize kFirstProcessor = 1 << 14;  // characters, with room to spare
  std::ifstream file(root / "proc/cpuinfo");
  std::string lines(static_cast<std::size_t>(kFirstProcessor), '\0');
  file.read(lines.data(), kFirstProcessor);
  lines.resize(static_cast<std::size_t>(file.gcount()));
  std::string name = value_of(lines, "model name");
  for (const char* key : {"cpu family", "model", "stepping", "CPU implementer", "CPU part"})
    if (const std::string value = value_of(lines, key); !value.empty())
      name += (name.empty() ? "" : ", ") + value;
  return name;
}

}  // namespace ratnet::inline v1
