// The help of every command, whose examples are to work as they stand there.
#include <sstream>

#include "../../apps/microbleeds/unet.h"
#include "lab.h"

using namespace ratnet;
using namespace ratnet::test;

namespace {

// Runs the examples in the help of `commands` as they stand there.
void check_examples(const std::vector<std::string>& commands) {
  const Folder folder;
  const bool default_model =
      std::filesystem::exists(RATNET_SOURCE_DIR "/models/ratnet.safetensors");
  if (!default_model) WARN("skipped: examples that use the default model, which is not there");
  // What the example of `train` takes as given.
  std::ofstream(folder / "unet.json")
      << unet_graph(2, {.size = {64, 64}, .channels = 1, .widths = {2, 3}}).to_json();
  well("simulate anomaly --subjects 4 --slices 8 --size 64 -o slices.h5",
       {.folder = folder.path()});
  for (const std::string& command : commands) {
    INFO(command);
    const std::string help = well(command + " --help").out;
    const std::size_t examples = help.find("\nExample");
    REQUIRE(examples != std::string::npos);
    std::istringstream lines(help.substr(examples));
    int run = 0;
    for (std::string line; std::getline(lines, line);) {
      const std::string start = "  ratnet ";
      if (line.rfind(start, 0) != 0) continue;
      ++run;
      line.erase(0, start.size());
      const auto is = [&](const char* what) { return line.rfind(what, 0) == 0; };
      if ((is("evaluate") || is("predict") || is("bench")) && !default_model) continue;
      // The same on shorter scans, and for less time.
      if (is("simulate dark-slices") && line.find("--volumes") == std::string::npos)
        line += " --volumes 12";
      if (is("bench"))
        line += line.find("--layers") == std::string::npos ? " --seconds 0.05" : " --rounds 1";
      well(line, {.seconds = 600, .folder = folder.path()});
    }
    CHECK(run >= 1);
  }
}

}  // namespace

TEST_CASE("help is complete and its examples work when pasted") {
  CHECK(well("--help").out.find("Exit codes") != std::string::npos);
  CHECK(well("--version").out.rfind("ratnet ", 0) == 0);
  check_examples(
      {"train", "simulate anomaly", "simulate dark-slices", "inspect", "bench", "devices"});
}

TEST_CASE("the examples in the help of dark-slices' commands work when pasted") {
  check_examples({"train dark-slices", "evaluate", "predict"});
}

TEST_CASE("the examples in the help of anomaly's commands work when pasted") {
  check_examples({"train anomaly", "simulate lesions"});
}

TEST_CASE("the examples in the help of score work when pasted") { check_examples({"score"}); }
