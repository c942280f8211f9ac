#include "../../apps/anomaly/prepare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../../apps/anomaly/preparation_steps.h"
#include "../../imaging/morphology.h"
#include "../../imaging/resample.h"
#include "../catch.h"
#include "head_stack.h"

using namespace ratnet;

namespace {

constexpr std::size_t kPixels = 128 * 128;

}  // namespace

TEST_CASE("a prepared head: positions, areas, judged slices and brightness") {
  const HeadStack head = head_stack(36, 5);
  const PreparedSubject subject = prepare_subject({.name = "head", .images = head.images});
  CHECK(subject.name == "head");
  CHECK(subject.slices() == 36);
  CHECK_FALSE(subject.lesions);
  CHECK(subject.labels.empty());
  REQUIRE(subject.areas.size() == 36);
  CHECK(*std::ranges::max_element(subject.areas) == 1);
  std::size_t bottom = 0, top = 35, judged = 0;
  while (!(subject.areas[bottom] > 0.3)) ++bottom;
  while (!(subject.areas[top] > 0.08)) --top;
  CHECK(subject.positions[bottom] == 0);
  CHECK(subject.positions[top] == 1);
  CHECK(subject.positions[bottom + 3] ==
        Approx(3.0 / static_cast<double>(top - bottom)).epsilon(1e-12));
  for (std::size_t s = 0; s < 36; ++s) {
    const double p = subject.positions[s];
    CHECK((subject.judged[s] == 1) == (subject.areas[s] > 0.4 && p >= 0 && p <= 0.95));
    judged += subject.judged[s];
  }
  CHECK(judged > 15);
  CHECK(judged < 28);

  // Outside 0; inside, without its rim, the median at 0.5 and the quartiles 0.15 apart.
  std::vector<float> inner;
  const auto images = subject.images.values<float>();
  const auto brain = subject.brain.values<std::uint8_t>();
  for (std::size_t s = 0; s < 36; ++s) {
    std::vector<std::uint8_t> mask(brain.begin() + static_cast<std::ptrdiff_t>(s * kPixels),
                                   brain.begin() + static_cast<std::ptrdiff_t>((s + 1) * kPixels));
    for (std::size_t i = 0; i < kPixels; ++i)
      if (mask[i] == 0) REQUIRE(images[s * kPixels + i] == 0);
    erode_disc(mask, 128, 128, 3);
    for (std::size_t i = 0; i < kPixels; ++i)
      if (subject.judged[s] != 0 && mask[i] != 0) inner.push_back(images[s * kPixels + i]);
  }
  std::ranges::sort(inner);
  const double n = static_cast<double>(inner.size());
  const auto at = [&](double share) {
    return static_cast<double>(inner[static_cast<std::size_t>(std::lround(share * (n - 1)))]);
  };
  CHECK(at(0.5) == Approx(0.5).margin(1e-6));
  CHECK(at(0.75) - at(0.25) == Approx(0.15).margin(1e-6));
  CHECK(inner.back() <= 1.6f);
}

TEST_CASE("a bright lesion does not darken the rest") {
  const HeadStack head = head_stack(36, 5);
  Tensor bright = head.images.clone();
  for (std::size_t s = 15; s < 20; ++s)
    for (std::size_t y = 40; y < 55; ++y)
      for (std::size_t x = 45; x < 60; ++x) bright.values<float>()[s * kPixels + y * 128 + x] = 600;
  const PreparedSubject healthy = prepare_subject({.name = "a", .images = head.images});
  const PreparedSubject ill = prepare_subject({.name = "a", .images = bright});
  const std::size_t other = 18 * kPixels + 80 * 128 + 45;
  REQUIRE(healthy.brain.values<std::uint8_t>()[other] == 1);
  CHECK(ill.images.values<float>()[other] ==
        Approx(healthy.images.values<float>()[other]).margin(0.02));
  CHECK(ill.images.values<float>()[17 * kPixels + 47 * 128 + 52] == 1.6f);
}

TEST_CASE("nothing is judged where there is no brain or no contrast") {
  const Tensor none({5, 40, 50}, DType::f32);
  const std::vector<std::uint8_t> labels{0, 1, 255, 7, 0};
  PreparedSubject subject = prepare_subject({.name = "n", .images = none, .labels = labels});
  CHECK(subject.judged == std::vector<std::uint8_t>(5, 0));
  CHECK(subject.positions == std::vector<double>(5, 0));
  CHECK(subject.areas == std::vector<double>(5, 0));
  CHECK(subject.labels == std::vector<std::uint8_t>{0, 1, 255, 1, 0});
  CHECK(std::ranges::all_of(subject.images.values<float>(), [](float x) { return x == 0; }));

  Tensor discs({9, 128, 128}, DType::f32);
  for (std::size_t i = 0; i < 9 * kPixels; ++i)
    discs.values<float>()[i] = std::hypot(static_cast<float>(i % kPixels / 128) - 64,
                                          static_cast<float>(i % 128) - 64) < 50
                                   ? 100.0f
                                   : 0.0f;
  subject = prepare_subject({.name = "d", .images = discs});
  CHECK(*std::ranges::max_element(subject.areas) == 1);
  CHECK(subject.judged == std::vector<std::uint8_t>(9, 0));
  CHECK(std::ranges::all_of(subject.images.values<float>(), [](float x) { return x == 0; }));
}

TEST_CASE("lesions are pixels they cover by half") {
  Tensor images({1, 256, 256}, DType::f32), masks({1, 256, 256}, DType::u8);
  const auto set = [&](std::size_t y, std::size_t x) {
    masks.values<std::uint8_t>()[y * 256 + x] = 1;
  };
  set(20, 30), set(21, 31);               // half of pixel (10, 15)
  set(40, 40);                            // a quarter of (20, 20)
  set(60, 60), set(60, 61), set(61, 60);  // three quarters of (30, 30)
  const PreparedSubject subject = prepare_subject({.name = "m", .images = images, .masks = masks});
  const auto lesions = subject.lesions.values<std::uint8_t>();
  CHECK(std::ranges::count(lesions, 1) == 2);
  CHECK(lesions[10 * 128 + 15] == 1);
  CHECK(lesions[30 * 128 + 30] == 1);
  masks.values<std::uint8_t>()[5] = 255;
  CHECK_THROWS_AS(prepare_subject({.name = "m", .images = images, .masks = masks}), Error);
}

TEST_CASE("a subject that cannot be prepared is named") {
  Tensor images({2, 12, 10}, DType::f32);
  const auto refusal = [](const SubjectSlices& subject) {
    try {
      prepare_subject(subject);
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find("'case 7'") != std::string::npos);
      return static_cast<int>(error.kind());
    }
    return 0;
  };
  CHECK(refusal({.name = "case 7", .images = images, .row_spacing = 0}) == 3);
  const Tensor mask({2, 12, 11}, DType::u8);
  CHECK(refusal({.name = "case 7", .images = images, .masks = mask}) == 2);
  const std::vector<std::uint8_t> labels(3);
  CHECK(refusal({.name = "case 7", .images = images, .labels = labels}) == 2);
  const Tensor tall({2049, 1, 1}, DType::f32);
  CHECK(refusal({.name = "case 7", .images = tall}) == 3);
  images.values<float>()[7] = std::numeric_limits<float>::infinity();
  CHECK(refusal({.name = "case 7", .images = images}) == 3);
}

TEST_CASE("a head is prepared in its own proportions, whatever its pixels are") {
  // 128 x 128 pixels of 1 x 1.25 mm and 128 x 160 of 1 x 1 mm show the same field of view.
  const HeadStack head = head_stack(36, 5);
  const SliceGrid fine{128, 160, 1, 1}, coarse{128, 128, 1, 1.25};
  Tensor wide({36, 128, 160}, DType::f32), narrow({36, 128, 128}, DType::f32);
  for (std::size_t row = 0; row < std::size_t{36} * 128; ++row)
    for (std::size_t x = 0; x < 128; ++x)
      wide.values<float>()[row * 160 + 16 + x] = head.images.values<float>()[row * 128 + x];
  // Each coarse pixel is the mean over its five quarters.
  for (std::size_t row = 0; row < std::size_t{36} * 128; ++row)
    for (std::size_t x = 0; x < 128; ++x) {
      float sum = 0;
      for (std::size_t quarter = 0; quarter < 5; ++quarter)
        sum += wide.values<float>()[row * 160 + (5 * x + quarter) / 4];
      narrow.values<float>()[row * 128 + x] = sum / 5;
    }
  const auto prepared = [](const Tensor& images, const SliceGrid& grid) {
    return prepare_subject({.name = "head",
                            .images = images,
                            .row_spacing = grid.row_spacing,
                            .column_spacing = grid.column_spacing});
  };
  const PreparedSubject a = prepared(wide, fine), b = prepared(narrow, coarse);
  CHECK(a.judged == b.judged);
  const auto brains = [](const PreparedSubject& one, const PreparedSubject& other) {
    const auto x = one.brain.values<std::uint8_t>(), y = other.brain.values<std::uint8_t>();
    std::size_t either = 0, both = 0;
    for (std::size_t i = 0; i < x.size(); ++i) either += x[i] | y[i], both += x[i] & y[i];
    return static_cast<double>(both) / static_cast<double>(either);
  };
  CHECK(brains(a, b) > 0.95);
  // Taken as square it would be another head.
  CHECK(brains(a, prepared(narrow, {128, 128, 1, 1})) < 0.9);
}

TEST_CASE("a map comes back to where its pixels were") {
  // A plane over the field of view is the same plane on any grid, except beyond the outermost
  // centres.
  std::vector<float> map(kPixels);
  for (std::size_t i = 0; i < kPixels; ++i)
    map[i] = 2.0f * static_cast<float>(i / 128) - 3.0f * static_cast<float>(i % 128);
  for (const SliceGrid grid : {SliceGrid{256, 256, 1, 1},
                               {97, 61, 1, 1},
                               {64, 200, 2.5, 0.7},
                               {128, 128, 3, 1},
                               {1, 1, 1, 1},
                               {300, 3, 1, 40}}) {
    const double spacing = std::max(static_cast<double>(grid.rows) * grid.row_spacing,
                                    static_cast<double>(grid.columns) * grid.column_spacing) /
                           128;
    const Tensor back = to_input_grid(map, grid);
    REQUIRE(back.shape() == Shape{grid.rows, grid.columns});
    for (std::int64_t y = 0; y < grid.rows; ++y)
      for (std::int64_t x = 0; x < grid.columns; ++x) {
        const auto centre = [&](std::int64_t n, std::int64_t count, double step) {
          const double mm = (static_cast<double>(n) + 0.5 - static_cast<double>(count) / 2) * step;
          return std::clamp(mm / spacing + 63.5, 0.0, 127.0);
        };
        const double expected = 2 * centre(y, grid.rows, grid.row_spacing) -
                                3 * centre(x, grid.columns, grid.column_spacing);
        REQUIRE(back.values<float>()[static_cast<std::size_t>(y * grid.columns + x)] ==
                Approx(expected).margin(1e-3));
      }
  }
  const Tensor same = to_input_grid(map, {128, 128, 0.9, 0.9});
  CHECK(std::ranges::equal(same.values<float>(), map));

  // What is prepared and brought back lies where it lay.
  std::vector<float> slice(200 * 90), scratch(90), judged(kPixels);
  for (std::size_t y = 120; y < 135; ++y)
    for (std::size_t x = 20; x < 32; ++x) slice[y * 90 + x] = 1;
  const SliceGrid grid{200, 90, 1, 1.5};
  SliceResampler(grid, 128, 128).run(slice, judged, scratch);
  const Tensor back = to_input_grid(judged, grid);
  double sum = 0, row = 0, column = 0;
  for (std::size_t i = 0; i < slice.size(); ++i) {
    const auto value = static_cast<double>(back.values<float>()[i]);
    sum += value;
    row += value * static_cast<double>(i / 90);
    column += value * static_cast<double>(i % 90);
  }
  CHECK(row / sum == Approx(127).margin(0.1));
  CHECK(column / sum == Approx(25.5).margin(0.1));
  CHECK_THROWS_AS(to_input_grid(map, {0, 5, 1, 1}), Error);
  CHECK_THROWS_AS(to_input_grid(slice, grid), Error);
}

TEST_CASE("a preparation is kept as named steps") {
  PreparationOptions options;
  options.brain.overlap = 0.625;
  options.highest = 2.5;
  options.judged_top = 0.75;
  std::vector<PreprocessingStep> steps = steps_of(options);
  CHECK(steps.size() == 5);
  const PreparationOptions back = preparation_of(steps);
  CHECK(back.brain.overlap == 0.625);
  CHECK(back.highest == 2.5);
  CHECK(back.judged_top == 0.75);
  // Every number of the options is in a step.
  std::size_t numbers = 0;
  for (const PreprocessingStep& step : steps) numbers += step.values.size();
  CHECK(numbers == 2 + sizeof(PreparationOptions) / sizeof(double));

  const auto refused = [&](auto&& change) {
    std::vector<PreprocessingStep> other = steps;
    change(other);
    try {
      preparation_of(other);
    } catch (const Error& error) {
      return error.kind() == ErrorKind::input;
    }
    return false;
  };
  CHECK(refused([](auto& s) { s.pop_back(); }));
  CHECK(refused([](auto& s) { s[1].name = "brain"; }));
  CHECK(refused([](auto& s) { s[0].values["rows"] = 64; }));
  CHECK(refused([](auto& s) { s[2].values["usual"] = -1; }));
  CHECK(refused([](auto& s) { s[3].values.erase("rim"); }));
  CHECK(refused([](auto& s) {
    s[3].values.erase("rim");
    s[3].values["ring"] = 3;
  }));
  CHECK(refused([](auto& s) { s[3].values["contrast"] = -1; }));
  CHECK(refused([](auto& s) { s[1].values["deep"] = std::nan(""); }));
  // Models of before fields were taken out, and those that take out none.
  steps.erase(steps.begin() + 2);
  CHECK(preparation_of(steps).bias_field.strongest == 0);
  CHECK(steps_of(preparation_of(steps)).size() == 4);
}
