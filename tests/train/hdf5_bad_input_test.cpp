// Odd, damaged and hostile files: each must end in a result or in one clear line.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>

#include <sys/resource.h>
#include <unistd.h>

#include "../../train/hdf5_dataset.h"
#include "../../train/hdf5_guard.h"
#include "../catch.h"
#include "../data.h"
#include "../sanitizer.h"

using namespace ratnet;

namespace {

// The most memory that this process and any ended child of it took, together an upper bound.
long peak_kilobytes() {
  rusage self{}, children{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  return self.ru_maxrss + children.ru_maxrss;
}

void check_one_line(const Error& error, const std::string& path) {
  const std::string what = error.what();
  INFO(what);
  CHECK(error.kind() == ErrorKind::input);
  CHECK(what.rfind(path, 0) == 0);
  CHECK(what.size() > path.size() + 10);
  CHECK(what.size() < path.size() + 600);
  CHECK(std::none_of(what.begin(), what.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; }));
}

}  // namespace

TEST_CASE("every bad HDF5 file ends in a result or in one line") {
  const std::string folder = real_data("bad_input/hdf5");
  if (folder.empty()) {
    WARN("skipped: no real data");
    return;
  }
  int files = 0, described = 0, opened = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = entry.path().string();
    INFO(path);
    ++files;
    try {
      const Hdf5Description description = describe_hdf5(path);
      ++described;
      CHECK((description.is_slices || !description.problem.empty()));
    } catch (const Error& error) {
      check_one_line(error, path);
    }
    try {
      const auto dataset = open_hdf5_slices(path, {.labels_required = false});
      const Shape image = dataset->image_shape();
      Tensor all({dataset->size(), image[0], image[1], image[2]}, dataset->dtype());
      dataset->read(0, all);
      ++opened;
    } catch (const Error& error) {
      check_one_line(error, path);
    }
  }
  WARN(files << " files, " << described << " described, " << opened << " are slices");
  CHECK(files > 200);
  CHECK(described > 50);
  if (!has_sanitizer_memory()) CHECK(peak_kilobytes() < 1024 * 1024);
}

TEST_CASE("whatever a guarded child does becomes an answer or an error") {
  std::mutex lock;
  const GuardLimits limits{
      .memory_bytes = std::size_t{256} << 20, .cpu_seconds = 1, .wall_seconds = 3};
  const auto outcome = [&](const std::function<std::string()>& work) -> std::string {
    try {
      return "answer: " + run_guarded(limits, lock, work);
    } catch (const Error& error) {
      return std::to_string(static_cast<int>(error.kind())) + ": " + error.what();
    }
  };
  const std::string large(3 << 20, 'x');
  CHECK(outcome([&] { return large; }) == "answer: " + large);
  CHECK(outcome([]() -> std::string { fail(ErrorKind::device, "no such thing"); }) ==
        "4: no such thing");
  CHECK(outcome([]() -> std::string { throw std::bad_alloc(); }).rfind("3: ", 0) == 0);
  CHECK(outcome([]() -> std::string { throw std::runtime_error("odd"); }) == "1: odd");
  CHECK(outcome([]() -> std::string {
          raise(SIGSEGV);
          return "";
        }).rfind("3: is damaged", 0) == 0);
  CHECK(outcome([]() -> std::string { _exit(0); }).rfind("3: is damaged", 0) == 0);
  CHECK(outcome([]() -> std::string {
          for (std::atomic<int> i = 0;; ++i) {
          }
        }) == "3: takes too long to read for its size");
  CHECK(outcome([]() -> std::string {
          for (;;) pause();
        }) == "3: takes too long to read for its size");
  if (!has_sanitizer_memory())
    CHECK(outcome([]() -> std::string {
            return std::string(std::size_t{300} << 20, 'x');
          }).rfind("3: reading it needs more memory", 0) == 0);
}
