#include "../../apps/report/reliability_png.h"

#include <cmath>
#include <filesystem>

#include "../../apps/report/colour_scale.h"
#include "../../core/error.h"
#include "../../core/random.h"
#include "../catch.h"
#include "read_png.h"
#include "run_program.h"

using namespace ratnet;
using ratnet::test::Folder;

namespace {

Picture drawn(const Folder& folder, const Calibration& calibration) {
  const std::string path = folder / "diagram.png";
  write_reliability_png(path, {.name = "a model", .calibration = calibration});
  return read_png(path);
}

constexpr Colour kGap{240, 178, 122};

}  // namespace

TEST_CASE("the reliability diagram shows gaps where there are some") {
  const Folder folder;
  Calibration true_to_its_word{.error = 0, .bins = {}};
  Calibration boastful{.error = 0.3, .bins = {}};
  for (const double p : {0.25, 0.75}) {
    true_to_its_word.bins.push_back({10, p, p});
    boastful.bins.push_back({10, p, p - 0.25});
  }
  const Picture none = drawn(folder, true_to_its_word);
  const Picture some = drawn(folder, boastful);
  CHECK(none.width == some.width);
  CHECK(none.height == some.height);
  // Two gaps of a quarter of the plot's height, each half as wide as the plot (440), less what the
  // diagonal, the bars' edges and the space between them cover; and the legend's swatch.
  const int swatch = count_of(none.pixels, kGap);
  CHECK(swatch == 14 * 14);
  const int gaps = count_of(some.pixels, kGap) - swatch;
  CHECK(gaps < 2 * 110 * 220);
  CHECK(gaps > 2 * 105 * 214);
}

TEST_CASE("reliability diagrams of any data are drawn, and others refused") {
  const Folder folder;
  CHECK(count_of(drawn(folder, calibration({}, {})).pixels, kGap) == 14 * 14);
  CHECK(drawn(folder, calibration(std::vector<double>{1}, std::vector<std::uint8_t>{0}, 1)).width >
        0);
  Random random(1);
  std::vector<double> probabilities;
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < 500; ++i) {
    probabilities.push_back(random.uniform());
    labels.push_back(random.chance(probabilities.back()));
  }
  CHECK(drawn(folder, calibration(probabilities, labels, 100)).height > 0);

  const std::string path = folder / "none.png";
  CHECK_THROWS_AS(write_reliability_png(path, {}), Error);
  CHECK_THROWS_AS(
      write_reliability_png(path, {.calibration = calibration(probabilities, labels, 101)}), Error);
  CHECK_THROWS_AS(write_reliability_png(path, {.calibration = {0, {{1, NAN, 0.5}}}}), Error);
  CHECK_THROWS_AS(write_reliability_png(path, {.calibration = {0, {{1, 0.5, 1.5}}}}), Error);
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK_THROWS_AS(write_reliability_png(folder / "missing/x.png", {.calibration = {0, {{}}}}),
                  Error);
}
