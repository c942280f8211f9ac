// The memory that a training tells before it starts.
#include "dense_training.h"

using namespace ratnet;
using namespace ratnet::test;

namespace {

double told_mebibytes(const std::string& said) {
  const std::string before = "memory of the steps: ";
  const std::size_t at = said.find(before);
  REQUIRE(at != std::string::npos);
  return std::stod(said.substr(at + before.size()));
}

}  // namespace

TEST_CASE("a training takes the memory that it tells, its checkpoints and its model included") {
  if (has_sanitizer_memory()) {
    WARN("skipped: a sanitizer has memory of its own");
    return;
  }
  const DenseTraining small(16), large(2048);
  for (const std::string more :
       {"", "--patience 2", "--ema 0.9 --accumulate 2", "--start start.safetensors"}) {
    INFO(more);
    const auto train = [&](const DenseTraining& training) {
      const Finished finished = well(training.line(more), {.folder = training.path()});
      if (more.empty())
        std::filesystem::copy_file(training.model(), training / "start.safetensors");
      return finished;
    };
    const Finished a = train(small), b = train(large);
    const double grown = static_cast<double>(b.peak_kilobytes - a.peak_kilobytes) / 1024;
    const double told = told_mebibytes(b.err) - told_mebibytes(a.err);
    INFO(grown << " MiB more, told " << told);
    REQUIRE(told > 120);
    CHECK(grown < 1.05 * told);
    CHECK(grown > 0.95 * told);
  }
}

TEST_CASE("a training for which there is no room is refused with all that it would take") {
  if (has_sanitizer_memory()) {
    WARN("skipped: a sanitizer has addresses of its own");
    return;
  }
  // Room for the plan, but not for the optimiser beside it.
  const DenseTraining large(8192);
  const Finished finished =
      run_program({"-c", "ulimit -v 700000 && exec " RATNET_PROGRAM " " + large.line("")},
                  {.program = "/bin/sh"});
  INFO(finished.err);
  CHECK(finished.code == 4);
  CHECK(finished.err.find("what works with it 3") != std::string::npos);
  CHECK(finished.err.find("no batch fits") != std::string::npos);
}
