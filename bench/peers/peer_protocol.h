// How bench/peers/run speaks with ratnet_peer: bare files of numbers, lines of JSON, and questions
// of one line each.
#pragma once

#include <chrono>
#include <ctime>
#include <fstream>
#include <iostream>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "../../core/error.h"

namespace ratnet::inline v1 {

inline double wall_seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}
inline double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

template <class T>
std::vector<T> read_numbers(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) fail(ErrorKind::file_system, path, ": cannot be opened");
  std::vector<T> values(static_cast<std::size_t>(file.tellg()) / sizeof(T));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(T)));
  return values;
}

inline void write_numbers(const std::string& path, std::span<const float> values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size_bytes()));
  if (!file.flush()) fail(ErrorKind::file_system, path, ": cannot be written");
}

// Answers each line "WHAT SECONDS" with a measurement of about that length: how often a second, of
// wall and of CPU time, what make(WHAT) gives can be called.
template <class Make>
void serve(const Make& make) {
  std::string line, before;
  decltype(make(line)) run;
  while (std::getline(std::cin, line)) {
    std::string what;
    double length = 0;
    std::istringstream(line) >> what >> length;
    if (what != before) {
      run = make(what);
      run();  // touches its memory for the first time
    }
    before = what;
    const double cpu = cpu_seconds();
    const double start = wall_seconds();
    double seconds = 0;
    std::int64_t runs = 0;
    for (; seconds < length; seconds = wall_seconds() - start, ++runs) run();
    std::cout << R"({"runs_per_s": )" << static_cast<double>(runs) / seconds
              << R"(, "runs_per_cpu_s": )" << static_cast<double>(runs) / (cpu_seconds() - cpu)
              << "}" << std::endl;
  }
}

}  // namespace ratnet::inline v1
