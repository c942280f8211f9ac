// A small cohort and a model hastily trained on it, for tests that need one to work with.
#pragma once

#include "../catch.h"
#include "run_program.h"

namespace ratnet::test {

// 12 animals of 20 slices: enough for every split to hold good and dark ones.
inline const std::string kSimulate =
    "simulate dark-slices --animals 12 --slices-per-animal 20 "
    "--volumes 10 ";

// What a command that must work says.
inline Finished well(const std::string& line, const RunOptions& options = {}) {
  Finished result = run_line(line, options);
  INFO(line << "\n" << result.err);
  REQUIRE(result.signal == 0);
  REQUIRE(result.code == 0);
  return result;
}

// What a command that must end with `code` and one line says.
inline Finished refused(const std::string& line, int code, const RunOptions& options = {}) {
  Finished result = run_line(line, options);
  INFO(line << "\n" << result.err);
  CHECK_FALSE(result.timed_out);
  CHECK(result.signal == 0);
  CHECK(result.code == code);
  CHECK(count_lines(result.err) == 1);
  CHECK(result.err.rfind("ratnet: ", 0) == 0);
  return result;
}

// The last line on stderr of a command that must end with `code`.
inline std::string refused_last(const std::string& line, int code) {
  const Finished result = run_line(line);
  INFO(line << "\n" << result.err);
  CHECK(result.code == code);
  const std::size_t last = result.err.rfind("ratnet: ");
  return last == std::string::npos ? "" : result.err.substr(last);
}

struct Lab {
  Folder folder;
  std::string cohort = folder / "cohort.h5";
  std::string model = folder / "model.safetensors";

  Lab() {
    well(kSimulate + "--seed 1 -o " + cohort);
    well("train dark-slices " + cohort + " --epochs 1 --batch 16 -o " + model);
  }
};

}  // namespace ratnet::test
