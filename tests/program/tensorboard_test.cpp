// --tensorboard: what a training leaves to look at.
#include <filesystem>

#include "../train/event_file.h"
#include "graph_files.h"
#include "read_png.h"

using namespace ratnet;
using namespace ratnet::test;
using testing::Told;
using testing::told_in;
using testing::with_tag;

namespace {

constexpr int kSide = GraphFiles::side;

Picture drawn(const GraphFiles& files, const std::string& png) {
  const std::string path = files.path("picture.png");
  std::ofstream(path, std::ios::binary) << png;
  return read_png(path);
}

}  // namespace

TEST_CASE("train --tensorboard shows settings and samples, and the model is the same") {
  const GraphFiles files;
  const std::string events = files.path("events"), more = "--epochs 3 --seed 7 --ema 0.9";
  const std::string plain = files.train("plain", kSegmentHead, files.split, more),
                    shown = files.train("shown", kSegmentHead, files.split,
                                        more + " --tensorboard " + events);
  CHECK(contents(shown) == contents(plain));

  const std::vector<Told> told = told_in(events);
  const auto settings = with_tag(told, "training/settings");
  REQUIRE(settings.size() == 1);
  INFO(settings[0].text);
  for (const char* row :
       {"\\{\"kind\":\"dice\"", "| training samples an epoch | 72 |", "| seed | 7 |",
        "| validation samples | 24 |", "| test samples | 24 |", "| ema | 0.9 |",
        "| pixels | u8, times 0.00392157 |", "| optimiser | adam |"})
    CHECK(settings[0].text.find(row) != std::string::npos);
  for (const Told& t : told) CHECK(t.text.find("split.h5") == std::string::npos);
  for (int i = 1; i <= 4; ++i) {
    const auto pictures = with_tag(told, "masks/sample " + std::to_string(i));
    REQUIRE(pictures.size() == 3);
    for (std::size_t epoch = 0; epoch < 3; ++epoch)
      CHECK(pictures[epoch].step == static_cast<std::int64_t>(9 * (epoch + 1)));
    const Picture picture = drawn(files, pictures[2].png);
    CHECK(picture.width == 3 * kSide + 4);
    CHECK(picture.height == kSide);
    // The square of the mask, in the colour of its class.
    int square = 0;
    for (int y = 0; y < kSide; ++y)
      for (int x = kSide + 2; x < 2 * kSide + 2; ++x) square += picture.at(x, y) != Colour{0, 0, 0};
    CHECK(square == 16);
  }
}

TEST_CASE("a training that was killed and goes on shows what an undisturbed one does") {
  const GraphFiles files;
  const std::string line = "train --graph " + files.graph("again.json", kAutoencodeHead) + " " +
                           files.split + " --batch 8 --epochs 12 --threads 1 ";
  const auto train = [&](const std::string& name) {
    return line + "-o " + files.path(name + ".safetensors") + " --tensorboard " + files.path(name);
  };
  well(train("whole"));
  const std::vector<Told> whole = told_in(files.path("whole"));
  CHECK(with_tag(whole, "images/sample 4").size() == 12);
  CHECK(with_tag(whole, "training/settings").size() == 1);
  run_line(train("parts"), {.kill_when_exists = files.path("parts.checkpoint.safetensors")});
  well(train("parts") + " --resume");
  CHECK(told_in(files.path("parts")) == whole);
  CHECK(contents(files.path("parts.safetensors")) == contents(files.path("whole.safetensors")));
}
