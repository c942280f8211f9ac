#include "free_memory.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace ratnet::inline v1 {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

std::size_t difference(std::size_t a, std::size_t b) { return a > b ? a - b : 0; }

// The number a file begins with: none in "max".
std::optional<std::size_t> number_in(const fs::path& file) {
  std::size_t number = 0;
  if (std::ifstream(file) >> number) return number;
  return std::nullopt;
}

// The number after a word at the beginning of a line.
std::optional<std::size_t> number_after(const fs::path& file, const std::string& word) {
  std::ifstream in(file);
  for (std::string found; in >> found; in.ignore(4096, '\n')) {
    std::size_t number = 0;
    if (found == word && in >> number) return number;
  }
  return std::nullopt;
}

// How the versions of control groups name their files, and the lines of memory.stat.
struct GroupFiles {
  const char* limit;
  const char* usage;
  const char* active;
  const char* inactive;
};
constexpr GroupFiles kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes",
                               "total_active_file", "total_inactive_file"};
constexpr GroupFiles kVersion2{"memory.max", "memory.current", "active_file", "inactive_file"};

std::size_t left_in(const fs::path& group, const GroupFiles& files) {
  const auto limit = number_in(group / files.limit), usage = number_in(group / files.usage);
  if (!limit || !usage) return kUnlimited;
  const fs::path numbers = group / "memory.stat";
  const std::size_t cached = number_after(numbers, files.active).value_or(0) +
                             number_after(numbers, files.inactive).value_or(0);
  return difference(*limit, difference(*usage, cached));
}

// The least along the way from a group to the root. In a container the groups above its own may
// not be there, and its own is the root.
std::size_t left_along(const fs::path& mount, fs::path group, const GroupFiles& files) {
  std::size_t least = left_in(mount, files);
  for (group = group.relative_path(); !group.empty(); group = group.parent_path())
    least = std::min(least, left_in(mount / group, files));
  return least;
}

// Lines of /proc/self/cgroup are "4:memory:/group" in version 1 and "0::/group" in version 2.
std::size_t left_in_groups(const fs::path& root) {
  std::size_t least = kUnlimited;
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const fs::path group = line.substr(second + 1);
    if (line.starts_with("0::"))
      least = std::min(least, left_along(root / "sys/fs/cgroup", group, kVersion2));
    else if (controllers.find(",memory,") != std::string::npos)
      least = std::min(least, left_along(root / "sys/fs/cgroup/memory", group, kVersion1));
  }
  return least;
}

std::size_t left_of_addresses(const fs::path& root) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
  const std::size_t pages = number_in(root / "proc/self/statm").value_or(0);
  return difference(limit.rlim_cur, pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
}

}  // namespace

std::size_t free_memory(const fs::path& root) {
  std::size_t least = std::min(left_in_groups(root), left_of_addresses(root));
  // In units of 1024 bytes.
  if (const auto available = number_after(root / "proc/meminfo", "MemAvailable:"))
    least = std::min(least, *available * 1024);
  return least;
}

}  // namespace ratnet::inline v1
