// Odd, damaged and hostile files, given to the program as a user would give them.
#include <algorithm>
#include <random>

#include "../data.h"
#include "../sanitizer.h"
#include "lab.h"

using namespace ratnet;
using namespace ratnet::test;

namespace {

// Ends in a result or in one clear line.
void check_end(const Finished& result, const std::string& file) {
  INFO(file << "\n" << result.err);
  CHECK_FALSE(result.timed_out);
  CHECK(result.signal == 0);
  CHECK((result.code == 0 || result.code == 3));
  // The largest process stays below half a GiB, so that program and guard together stay below one.
  if (!has_sanitizer_memory()) CHECK(result.peak_kilobytes < 512 * 1024);
  if (result.code == 0) {
    CHECK(result.err.empty());
    return;
  }
  CHECK(count_lines(result.err) == 1);
  CHECK(result.err.rfind("ratnet: ", 0) == 0);
  CHECK(result.err.find(file) != std::string::npos);
  CHECK(result.err.size() < file.size() + 700);
  CHECK(std::none_of(result.err.begin(), result.err.end() - 1,
                     [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; }));
}

// Gives every bad file to `ratnet COMMAND...`, with the file behind.
void check_bad_files(const std::vector<std::string>& command, const std::vector<std::string>& more,
                     const char* what) {
  const std::string folder = real_data("bad_input");
  if (folder.empty()) {
    WARN("skipped: no real data");
    return;
  }
  int files = 0, good = 0;
  long peak = 0;
  for (const char* kind : {"nifti", "hdf5"})
    for (const auto& entry : std::filesystem::directory_iterator(folder + "/" + kind)) {
      if (!entry.is_regular_file()) continue;
      const std::string file = entry.path().string();
      ++files;
      std::vector<std::string> line = command;
      line.push_back(file);
      line.insert(line.end(), more.begin(), more.end());
      const Finished result = run_program(line, {.seconds = 20});
      check_end(result, file);
      good += result.code == 0;
      peak = std::max(peak, result.peak_kilobytes);
    }
  WARN(files << " files, " << good << what << ", at most " << peak / 1024 << " MiB in a process");
  CHECK(files > 200);
}

}  // namespace

TEST_CASE("every bad file given to inspect ends in a result or one line") {
  check_bad_files({"inspect"}, {}, " shown");
}

TEST_CASE("every bad file given to predict ends in a result or one line") {
  const Lab lab;
  const std::string results = lab.folder / "results";
  check_bad_files({"predict", lab.model}, {"--threads", "1", "-o", results}, " judged");
  for (const std::string& file : files_below(results))
    CHECK(file.find(".tmp-") == std::string::npos);
}

TEST_CASE("a damaged model is refused") {
  const Lab lab;
  const std::string whole = contents(lab.model), damaged = lab.folder / "damaged.safetensors";
  const std::string predict =
      "predict " + damaged + " " + lab.cohort + " --threads 1 -o " + (lab.folder / "results");
  const auto try_with = [&](const std::string& bytes) {
    std::ofstream(damaged, std::ios::binary) << bytes;
    return run_line(predict, {.seconds = 20});
  };
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{500},
                                 whole.size() / 2, whole.size() - 1}) {
    INFO(size << " bytes");
    const Finished result = try_with(whole.substr(0, size));
    CHECK(result.code == 3);
    check_end(result, damaged);
  }
  CHECK(try_with(std::string(8, '\xff') + whole.substr(8)).code == 3);
  CHECK(try_with("{}").code == 3);

  // One wrong byte in the header: refused, or read as what it then says.
  std::mt19937 random(1);
  const std::size_t header = static_cast<unsigned char>(whole[0]) +
                             256 * static_cast<std::size_t>(static_cast<unsigned char>(whole[1]));
  REQUIRE(header < whole.size());
  for (int i = 0; i < 60; ++i) {
    std::string bytes = whole;
    const std::size_t at = i < 8 ? static_cast<std::size_t>(i) : 8 + random() % header;
    bytes[at] = static_cast<char>(i % 2 ? bytes[at] ^ (1 << random() % 7) : random() % 256);
    INFO("byte " << at << " is " << int(bytes[at]) << ", was " << int(whole[at]));
    const Finished result = try_with(bytes);
    check_end(result, "");
  }
}
