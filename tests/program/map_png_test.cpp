#include "../../apps/report/map_png.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <vector>

#include "../../apps/report/colour_scale.h"
#include "../../apps/report/map_raster.h"
#include "../../core/atomic_file.h"
#include "../../core/error.h"
#include "../catch.h"
#include "read_png.h"
#include "run_program.h"

using namespace ratnet;
using ratnet::test::Folder;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

SliceMap make_map(std::int64_t volumes, std::int64_t slices) {
  SliceMap map{.name = "run.nii.gz", .volumes = volumes, .slices = slices};
  map.probability.assign(static_cast<std::size_t>(volumes * slices), 0.01f);
  return map;
}

}  // namespace

TEST_CASE("the verdict is in words") {
  SliceMap map = make_map(70, 15);
  CHECK(verdict_of(map) == "No dark slice among 1050");
  for (const std::size_t i : {0u, 1u, 20u, 40u}) map.probability[i] = 0.9f;
  CHECK(verdict_of(map) == "4 of 1050 slices dark (0.4%), in 3 of 70 volumes");
  map.probability[1] = 0.5f;  // the threshold itself counts as dark
  map.probability[7] = map.probability[8] = kNaN;
  CHECK(verdict_of(map) == "4 of 1048 slices dark (0.4%), in 3 of 70 volumes; 2 slices not judged");
  SliceMap one = make_map(1, 1);
  one.probability[0] = 1;
  CHECK(verdict_of(one) == "1 of 1 slice dark (100%)");
  one.probability[0] = kNaN;
  CHECK(verdict_of(one) == "No verdict: none of 1 slices could be judged");
}

TEST_CASE("colours change at the threshold and darken all the way") {
  const auto lightness = [](Colour c) { return 0.3 * c.red + 0.59 * c.green + 0.11 * c.blue; };
  for (const double threshold : {0.0, 0.02, 0.5, 0.97, 1.0}) {
    double before = 256;
    for (int i = 0; i <= 100; ++i) {
      const Colour c = colour_of(i / 100.0, threshold);
      CHECK(lightness(c) <= before);
      before = lightness(c);
      CHECK((c.red > c.blue) == (i / 100.0 >= threshold));
    }
  }
}

TEST_CASE("every dark slice is seen in the pixels of the map") {
  for (const auto& [volumes, slices] :
       {std::pair<int, int>{70, 15}, {1452, 1}, {1000, 36}, {1, 24}, {5000, 1200}, {3, 300}}) {
    SliceMap map = make_map(volumes, slices);
    map.probability[static_cast<std::size_t>(volumes / 2 * slices + slices / 2)] = 1;
    const Cells columns = volume_cells(volumes), rows = slice_cells(slices);
    const auto pixels = map_pixels(map, columns, rows);
    REQUIRE(pixels.size() == static_cast<std::size_t>(columns.pixels * rows.pixels));
    CHECK(count_of(pixels, colour_of(1, 0.5)) >= 3);
    const auto x = static_cast<std::size_t>(columns.centre(volumes / 2));
    const auto y = static_cast<std::size_t>(rows.centre(slices / 2));
    CHECK(pixels[y * static_cast<std::size_t>(columns.pixels) + x] == colour_of(1, 0.5));
  }
}

TEST_CASE("every cell is drawn and every pixel shows a cell") {
  for (const std::int64_t n : {1, 2, 3, 7, 70, 449, 451, 700, 701, 1399, 1400, 1401, 100000}) {
    for (const Cells cells : {volume_cells(n), slice_cells(n)}) {
      CHECK(cells.pixels >= 40);
      CHECK(cells.pixels <= 1400);
      std::int64_t next = 0;
      for (int p = 0; p < cells.pixels; ++p) {
        CHECK(cells.first(p) <= next);
        CHECK(cells.last(p) >= next);
        next = cells.last(p);
      }
      CHECK(next == n);
    }
  }
}

TEST_CASE("empty slices are hatched, not coloured") {
  SliceMap map = make_map(4, 5);
  std::fill(map.probability.begin(), map.probability.end(), kNaN);
  const auto pixels = map_pixels(map, volume_cells(4), slice_cells(5));
  CHECK(count_of(pixels, kEmpty) + count_of(pixels, kEmptyHatch) +
            count_of(pixels, {255, 255, 255}) ==
        static_cast<int>(pixels.size()));
  CHECK(count_of(pixels, kEmptyHatch) > 0);
}

TEST_CASE("the map is a picture in which nothing is cut") {
  const Folder folder;
  const std::string path = folder / "map.png";
  for (const auto& [volumes, slices] :
       {std::pair<int, int>{70, 15}, {1452, 1}, {1000, 36}, {1, 24}, {1, 1}, {2000, 1000}}) {
    SliceMap map = make_map(volumes, slices);
    map.name = std::string(300, 'W') + "\xff\n.nii";  // too long, and no UTF-8
    map.notes = {std::string(400, 'n'),
                 "A note that is long enough to need more than one line in "
                 "the narrow pictures of short runs, as real notes are."};
    map.repetition_time = 2.5;
    map.threshold = 0.02;
    map.probability[0] = kNaN;
    for (std::int64_t v = 0; v < volumes; ++v)
      map.brain_level.push_back(v % 5 == 0 ? std::nan("") : 60000 + static_cast<double>(v));
    for (int i = 0; i < 14; ++i) {
      SliceThumbnail thumbnail{
          .volume = 123456, .slice = 789, .probability = 1, .width = 20, .height = 40};
      thumbnail.pixels.assign(800, 90);
      if (i != 3) thumbnail.reference.assign(800, 200);
      map.worst.push_back(thumbnail);
    }
    write_map_png(path, map);
    const Picture picture = read_png(path);
    CHECK(picture.width >= 780);
    CHECK(picture.width <= 1800);
    CHECK(picture.height <= 2400);
    int ink_in_margin = 0;
    constexpr int kClear = 12;
    for (int y = 0; y < picture.height; ++y)
      for (int x = 0; x < picture.width; ++x)
        if (x < kClear || y < kClear || x >= picture.width - kClear || y >= picture.height - kClear)
          ink_in_margin += picture.at(x, y) != Colour{255, 255, 255};
    CHECK(ink_in_margin == 0);
    CHECK(count_of(picture.pixels, {255, 255, 255}) < static_cast<int>(picture.pixels.size()));
  }
}

TEST_CASE("another run gives another picture, the same run the same") {
  const Folder folder;
  const auto bytes_of = [&](const SliceMap& map) {
    const std::string path = folder / "map.png";
    write_map_png(path, map);
    return read_file(path, 1 << 24);
  };
  const SliceMap map = make_map(20, 6);
  const std::string bytes = bytes_of(map);
  CHECK(bytes == bytes_of(map));
  SliceMap other = map;
  other.probability[50] = 0.9f;
  CHECK(bytes != bytes_of(other));
  other = map;
  other.threshold = 0.4;
  CHECK(bytes != bytes_of(other));
  other = map;
  other.name = "other.nii.gz";
  CHECK(bytes != bytes_of(other));
  other = map;
  other.brain_level.assign(20, 64);
  CHECK(bytes != bytes_of(other));
  other = map;
  other.repetition_time = 2;
  CHECK(bytes != bytes_of(other));
}

TEST_CASE("what makes no map is refused and leaves no file") {
  const Folder folder;
  const std::string path = folder / "map.png";
  const auto refused = [&](auto&& change) {
    SliceMap map = make_map(4, 3);
    change(map);
    CHECK_THROWS_AS(write_map_png(path, map), Error);
    CHECK(std::filesystem::is_empty(folder.path()));
  };
  refused([](SliceMap& m) { m.volumes = 5; });
  refused([](SliceMap& m) { m.slices = 0; });
  refused([](SliceMap& m) { m.volumes = std::int64_t{1} << 62, m.slices = 4; });
  refused([](SliceMap& m) { m.probability[3] = 1.5f; });
  refused([](SliceMap& m) { m.threshold = std::nan(""); });
  refused([](SliceMap& m) { m.brain_level = {1, 2}; });
  refused([](SliceMap& m) { m.worst.push_back({.width = 4, .height = 4}); });
  CHECK_THROWS_AS(write_map_png(folder / "none/map.png", make_map(4, 3)), Error);
}
