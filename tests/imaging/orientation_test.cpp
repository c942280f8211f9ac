// Slices in every orientation an array can have.
#include "../../imaging/orientation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../catch.h"

using namespace ratnet;

namespace {

// A scan whose world is 3 (right) x 4 (anterior) x 5 (superior) voxels of the given sizes, each
// voxel holding 100 x + 10 y + z; stored in the order and direction of `codes` ("LSA").
Volume scan(const std::string& codes, std::array<double, 3> world_spacing = {1, 1, 1}) {
  constexpr std::int64_t kWorld[3] = {3, 4, 5};
  Volume volume;
  ScanGeometry& g = volume.geometry;
  g.affine = {};
  g.affine[3][3] = 1;
  g.orientation_known = true;
  std::size_t world[3];
  bool reversed[3];
  for (std::size_t axis = 0; axis < 3; ++axis) {
    world[axis] = std::string("RAS LPI").find(codes[axis]) % 4;
    reversed[axis] = std::string("LPI").find(codes[axis]) != std::string::npos;
    g.sizes[axis] = kWorld[world[axis]];
    const double step = world_spacing[world[axis]];
    g.affine[world[axis]][axis] = reversed[axis] ? -step : step;
    if (reversed[axis]) g.affine[world[axis]][3] = step * static_cast<double>(g.sizes[axis] - 1);
  }
  g.spacing = spacing_of(g.affine);
  g.orientation = orientation_of(g.affine);
  g.times = 2;
  volume.data = Tensor({2, g.sizes[2], g.sizes[1], g.sizes[0]}, DType::f32);
  float* out = volume.data.values<float>().data();
  for (std::int64_t t = 0; t < 2; ++t)
    for (std::int64_t k = 0; k < g.sizes[2]; ++k)
      for (std::int64_t j = 0; j < g.sizes[1]; ++j)
        for (std::int64_t i = 0; i < g.sizes[0]; ++i) {
          const std::int64_t index[3] = {i, j, k};
          std::int64_t position[3];
          for (std::size_t axis = 0; axis < 3; ++axis)
            position[world[axis]] = reversed[axis] ? g.sizes[axis] - 1 - index[axis] : index[axis];
          *out++ =
              static_cast<float>(1000 * t + 100 * position[0] + 10 * position[1] + position[2]);
        }
  return volume;
}

std::vector<std::string> all_orientations() {
  std::vector<std::string> all;
  std::string order = "012";
  do
    for (int flips = 0; flips < 8; ++flips) {
      std::string codes;
      for (std::size_t axis = 0; axis < 3; ++axis)
        codes += (flips >> axis & 1 ? "LPI" : "RAS")[order[axis] - '0'];
      all.push_back(codes);
    }
  while (std::next_permutation(order.begin(), order.end()));
  return all;
}

}  // namespace

TEST_CASE("all 48 orientations give the same coronal, axial and sagittal pictures") {
  const auto orientations = all_orientations();
  REQUIRE(orientations.size() == 48);
  for (const std::string& codes : orientations) {
    INFO(codes);
    const Volume volume = scan(codes);
    CHECK(volume.geometry.orientation == codes);
    std::vector<float> slice;

    const RunSlices coronal(volume, find_slices(volume.geometry));
    REQUIRE(coronal.slices() == 4);
    REQUIRE(coronal.times() == 2);
    REQUIRE(coronal.grid().rows == 5);
    REQUIRE(coronal.grid().columns == 3);
    slice.resize(15);
    const bool front_first = codes.find('P') != std::string::npos;
    for (std::int64_t time = 0; time < 2; ++time)
      for (std::int64_t s = 0; s < 4; ++s) {
        coronal.copy(time, s, slice);
        const std::int64_t y = front_first ? 3 - s : s;  // slices keep the array's order
        for (std::int64_t row = 0; row < 5; ++row)
          for (std::int64_t column = 0; column < 3; ++column)
            CHECK(slice[static_cast<std::size_t>(row * 3 + column)] ==
                  static_cast<float>(1000 * time + 100 * column + 10 * y + 4 - row));
      }

    const RunSlices axial(volume, find_slices(volume.geometry, {.axis = SliceAxis::axial}));
    REQUIRE(axial.slices() == 5);
    slice.resize(12);
    axial.copy(0, 0, slice);
    const float z = codes.find('I') != std::string::npos ? 4 : 0;
    CHECK(slice[0] == 30 + z);    // left, anterior
    CHECK(slice[11] == 200 + z);  // right, posterior
    const RunSlices sagittal(volume, find_slices(volume.geometry, {.axis = SliceAxis::sagittal}));
    REQUIRE(sagittal.slices() == 3);
    slice.resize(20);
    sagittal.copy(0, 1, slice);
    CHECK(slice[0] == 134);   // anterior, superior
    CHECK(slice[19] == 100);  // posterior, inferior
  }
}

TEST_CASE("the thick stack wins over the label, with the back of a prone animal on top") {
  for (const std::string& codes : all_orientations()) {
    INFO(codes);
    // Thick along the axis the header calls inferior-superior.
    const Volume volume = scan(codes, {0.5, 0.5, 1});
    const RunSlices run(volume, find_slices(volume.geometry));
    REQUIRE(run.slices() == 5);
    CHECK(run.layout().slice_spacing == 1);
    CHECK(run.layout().reason.find("inferior-superior") != std::string::npos);
    std::vector<float> slice(12);
    run.copy(0, 0, slice);
    const float z = codes.find('I') != std::string::npos ? 4 : 0;
    CHECK(slice[0] == z);         // left, posterior: the animal's back
    CHECK(slice[11] == 230 + z);  // right, anterior
    // Not clearly thicker: the label counts.
    CHECK(find_slices(scan(codes, {1, 1, 1.4}).geometry).slices == 4);
    // By name the label counts.
    CHECK(find_slices(volume.geometry, {.axis = SliceAxis::coronal}).slices == 4);
    // Thick and labelled coronal agree.
    CHECK(find_slices(scan(codes, {0.5, 2, 0.5}).geometry).slices == 4);
  }
}

TEST_CASE("slices that are put back make the volume they were cut from") {
  for (const std::string& codes : all_orientations())
    for (const SliceAxis axis : {SliceAxis::coronal, SliceAxis::axial, SliceAxis::sagittal}) {
      INFO(codes);
      const Volume volume = scan(codes);
      const SliceLayout layout = find_slices(volume.geometry, {.axis = axis});
      const RunSlices run(volume, layout);
      std::vector<float> slice(static_cast<std::size_t>(layout.grid.rows * layout.grid.columns)),
          back(60, -1.0f);
      for (std::int64_t s = 0; s < run.slices(); ++s) {
        run.copy(0, s, slice);
        put_slice(volume.geometry, layout, s, slice, back);
      }
      CHECK(std::ranges::equal(back, volume.data.values<float>().first(60)));
      CHECK_THROWS_AS(put_slice(volume.geometry, layout, layout.slices, slice, back), Error);
      CHECK_THROWS_AS(put_slice(volume.geometry, layout, -1, slice, back), Error);
      back.pop_back();
      CHECK_THROWS_AS(put_slice(volume.geometry, layout, 0, slice, back), Error);
    }
}

TEST_CASE("flips turn what was chosen") {
  const Volume volume = scan("RAS");
  std::vector<float> slice(15);
  const auto first = [&](const SliceOptions& options) {
    RunSlices(volume, find_slices(volume.geometry, options)).copy(0, 0, slice);
    return slice[0];
  };
  CHECK(first({}) == 4);
  CHECK(first({.flip_rows = true}) == 0);
  CHECK(first({.flip_columns = true}) == 204);
  CHECK(first({.flip_rows = true, .flip_columns = true}) == 200);
}

TEST_CASE("axes by number and by acquisition") {
  Volume volume = scan("RAS", {1, 1, 1.2});
  ScanGeometry& g = volume.geometry;
  CHECK(find_slices(g, {.axis = SliceAxis::axis0}).axis == 0);
  CHECK(find_slices(g, {.axis = SliceAxis::axis1}).axis == 1);
  CHECK(find_slices(g, {.axis = SliceAxis::axis2}).axis == 2);
  CHECK(find_slices(g, {.axis = SliceAxis::acquired}).axis == 2);
  g.spacing = {1, 1, 1};
  g.slice_axis = 0;
  CHECK(find_slices(g, {.axis = SliceAxis::acquired}).axis == 0);
  g.slice_axis = -1;
  CHECK(find_slices(g, {.axis = SliceAxis::acquired}).axis == 2);
  g.orientation_known = false;
  CHECK(find_slices(g).axis == 2);
  g.orientation_known = true;
  CHECK(find_slices(g).axis == 1);
  g.sizes = {40, 20, 1};  // a single axial slice: coronal cuts would be lines
  CHECK(find_slices(g).axis == 2);

  CHECK(parse_slice_axis("auto") == SliceAxis::automatic);
  CHECK(parse_slice_axis("acquired") == SliceAxis::acquired);
  CHECK(parse_slice_axis("2") == SliceAxis::axis2);
  CHECK_THROWS_AS(parse_slice_axis("3"), Error);
  CHECK_THROWS_AS(parse_slice_axis(""), Error);
}

TEST_CASE("oblique affines take their nearest axes, impossible ones none") {
  Affine oblique{{{0.9, -0.3, 0.1, 0}, {0.25, 0.8, -0.45, 0}, {0.1, 0.5, 5, 0}, {0, 0, 0, 1}}};
  CHECK(orientation_of(oblique) == "RAS");
  oblique[0][0] = -0.9;
  CHECK(orientation_of(oblique) == "LAS");
  Affine flat = oblique;
  for (auto& row : flat) row[1] = row[0];
  CHECK(orientation_of(flat).empty());
  CHECK(orientation_of(Affine{}).empty());
}

TEST_CASE("voxels that are no number are given as zero; wrong indices are refused") {
  Volume volume = scan("RAS");
  volume.data.values<float>()[0] = NAN;
  volume.data.values<float>()[1] = INFINITY;
  const RunSlices run(volume, find_slices(volume.geometry));
  std::vector<float> slice(15);
  run.copy(0, 0, slice);
  CHECK(slice[12] == 0);
  CHECK(slice[13] == 0);
  CHECK(slice[14] == 200);
  CHECK_THROWS_AS(run.copy(2, 0, slice), Error);
  CHECK_THROWS_AS(run.copy(0, 4, slice), Error);
  CHECK_THROWS_AS(run.copy(0, -1, slice), Error);
  slice.resize(14);
  CHECK_THROWS_AS(run.copy(0, 0, slice), Error);
}
