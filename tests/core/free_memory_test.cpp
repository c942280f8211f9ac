#include "../../core/free_memory.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <string>

#include "../catch.h"
#include "../network/temporary_folder.h"
#include "../sanitizer.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

}  // namespace

TEST_CASE("what the machine has available limits what is free") {
  const TemporaryFolder folder;
  const std::filesystem::path root = folder / "";
  CHECK(free_memory(root) == kUnlimited);
  write_file(
      root / "proc/meminfo",
      "MemTotal:       24000 kB\nMemFree:  12 kB\nMemAvailable:    1700 kB\nBuffers: 3 kB\n");
  CHECK(free_memory(root) == 1700 * 1024);
}

TEST_CASE("control groups of version 2 limit what is free, up to the root") {
  const TemporaryFolder folder;
  const std::filesystem::path root = folder / "";
  const auto groups = root / "sys/fs/cgroup";
  write_file(root / "proc/meminfo", "MemAvailable: 1000000 kB\n");
  write_file(root / "proc/self/cgroup", "0::/jobs/one\n");
  write_file(groups / "jobs/one/memory.max", "max\n");
  write_file(groups / "jobs/one/memory.current", "5000\n");
  CHECK(free_memory(root) == 1000000 * 1024);
  write_file(groups / "jobs/memory.max", "90000\n");
  write_file(groups / "jobs/memory.current", "50000\n");
  CHECK(free_memory(root) == 40000);
  // Files that were read can be forgotten.
  write_file(groups / "jobs/memory.stat", "anon 100\nactive_file 2000\ninactive_file 300\n");
  CHECK(free_memory(root) == 42300);
  write_file(groups / "jobs/one/memory.max", "7000\n");
  CHECK(free_memory(root) == 2000);
  write_file(groups / "jobs/one/memory.current", "9000\n");
  CHECK(free_memory(root) == 0);
}

TEST_CASE("control groups of version 1 limit what is free, inside containers too") {
  const TemporaryFolder folder;
  const std::filesystem::path root = folder / "";
  const auto groups = root / "sys/fs/cgroup/memory";
  write_file(root / "proc/self/cgroup", "5:cpu:/a\n4:hugetlb,memory:/a/b\n1:cpuset:/\n");
  write_file(groups / "a/memory.limit_in_bytes", "800\n");
  write_file(groups / "a/memory.usage_in_bytes", "300\n");
  write_file(groups / "a/memory.stat",
             "active_file 1\ntotal_active_file 20\ntotal_inactive_file 3\n");
  CHECK(free_memory(root) == 523);
  std::filesystem::remove_all(groups / "a");
  write_file(groups / "memory.limit_in_bytes", "600\n");
  write_file(groups / "memory.usage_in_bytes", "500\n");
  CHECK(free_memory(root) == 100);
}

TEST_CASE("the limit of addresses limits what is free") {
  if (has_sanitizer_memory()) {
    WARN("skipped: a sanitizer needs more addresses than the limit");
    return;
  }
  const TemporaryFolder folder;
  const std::filesystem::path root = folder / "";
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  write_file(root / "proc/self/statm", "100 50 20\n");
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit limit{std::size_t{1} << 40, std::size_t{1} << 40};
    const bool set = setrlimit(RLIMIT_AS, &limit) == 0;
    const bool right = free_memory(root) == (std::size_t{1} << 40) - 100 * page;
    _exit(set && right ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("this machine has some memory free") {
  CHECK(free_memory() > 1 << 20);
  CHECK(free_memory() < kUnlimited);
}
