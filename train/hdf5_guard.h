// Runs work that a hostile file could make crash, hang or swell in a child process.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

namespace ratnet::inline v1 {

struct GuardLimits {
  std::size_t memory_bytes = std::size_t{768} << 20;  // growth over what this process has now
  double cpu_seconds = 10;
  double wall_seconds = 60;
  std::size_t answer_bytes = std::size_t{1} << 30;
};

// What `work` returns, computed in a forked child. An Error that work throws is thrown here. A
// child that crashes, exceeds a limit or says too much becomes Error (input). `lock` is held while
// forking, so that the child finds the library behind it at rest; work must not take it. Under the
// address and thread sanitizers, which reserve memory of their own, memory is not limited.
std::string run_guarded(const GuardLimits& limits, std::mutex& lock,
                        const std::function<std::string()>& work);

}  // namespace ratnet::inline v1
