#include "../../apps/program/progress.h"

#include <algorithm>
#include <limits>
#include <sstream>

#include "../catch.h"

using namespace ratnet;

namespace {

struct Stage {
  std::ostringstream out;
  double now = 100;
  ProgressOptions options(int width, bool quiet = false) {
    return {.quiet = quiet, .to = &out, .terminal_width = width, .clock = [this] { return now; }};
  }
};

}  // namespace

TEST_CASE("durations") {
  CHECK(format_duration(0) == "0:00");
  CHECK(format_duration(5.4) == "0:05");
  CHECK(format_duration(754) == "12:34");
  CHECK(format_duration(3723) == "1:02:03");
  CHECK(format_duration(-1) == "?");
  CHECK(format_duration(std::numeric_limits<double>::infinity()) == "?");
  CHECK(format_duration(std::numeric_limits<double>::quiet_NaN()) == "?");
}

TEST_CASE("progress in a file is a line every ten seconds and one at the end") {
  Stage stage;
  {
    // 64 steps a second: exact in binary.
    Progress progress("training", "steps", 1600, stage.options(0));
    for (int i = 0; i <= 1600; ++i, stage.now += 0x1p-6) progress.update(i, "loss 0.123");
    progress.finish();
  }
  CHECK(stage.out.str() ==
        "training  40%  640/1600 steps  64 steps/s  0:15 left  loss 0.123\n"
        "training  80%  1280/1600 steps  64 steps/s  0:05 left  loss 0.123\n"
        "training: 1600 steps in 0:25, 64 steps/s\n");
}

TEST_CASE("progress on a terminal rewrites one line of its width") {
  Stage stage;
  {
    Progress progress("reading \x1b[31m", "slices", 1000, stage.options(40));
    for (int i = 0; i <= 500; ++i, stage.now += 0.01) progress.update(i);
    progress.say("a line of its own");
    progress.update(500);
  }
  const std::string out = stage.out.str();
  CHECK(out.find("\x1b[31m") == std::string::npos);
  CHECK(out.find("a line of its own\n") != std::string::npos);
  std::istringstream pieces(out);
  std::string piece;
  int rewrites = 0;
  while (std::getline(pieces, piece, '\r')) {
    const std::string erase = "\x1b[K";
    if (piece.starts_with(erase)) piece.erase(0, erase.size());
    CHECK(std::min(piece.find('\n'), piece.size()) <= 39);
    ++rewrites;
  }
  CHECK(rewrites >= 20);
  CHECK(rewrites <= 27);
  CHECK(out.ends_with('\n'));
}

TEST_CASE("progress says nothing of short tasks or when quiet") {
  for (const bool quiet : {false, true})
    for (const int width : {0, 80}) {
      Stage stage;
      {
        Progress progress("reading", "files", 100, stage.options(width, quiet));
        for (int i = 0; i <= 100; ++i, stage.now += quiet ? 1.0 : 0.018) progress.update(i);
        if (quiet) progress.say("not said");
        progress.finish();
      }
      CHECK(stage.out.str().empty());
    }
}

TEST_CASE("a resumed task counts its rate from where it began") {
  Stage stage;
  Progress progress("training", "steps", 1000, stage.options(0));
  progress.update(900);
  stage.now += 20;
  progress.update(920);
  CHECK(stage.out.str() == "training  92%  920/1000 steps  1 steps/s  1:20 left\n");
}

TEST_CASE("a task of unknown length has no time left") {
  Stage stage;
  Progress progress("scanning", "files", 0, stage.options(0));
  progress.update(0);
  stage.now += 12;
  progress.update(6);
  CHECK(stage.out.str() == "scanning  6 files  0.5 files/s\n");
}
