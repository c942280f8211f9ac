#include "../../train/sample_picture.h"

#include <cmath>
#include <limits>

#include "../../core/error.h"
#include "../../core/tensor.h"
#include "../../train/dataset.h"
#include "palette_png.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

constexpr Colour kBlack{0, 0, 0}, kWhite{255, 255, 255};

Colour grey(int value) {
  const auto v = static_cast<std::uint8_t>(value);
  return {v, v, v};
}

Tensor numbers(const Shape& shape, std::vector<float> values) {
  return Tensor::of<float>(shape, values);
}

}  // namespace

TEST_CASE("a picture holds its panels from left to right, in grey and in colours of classes") {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const Tensor image = numbers({2, 3, 1}, {-1, 0, 5, 10, 99, kNaN}),
               again = numbers({2, 3, 1}, {-1, 1, 5, 5, 94, kNaN});
  const std::vector<std::uint8_t> classes = {0, 1, 2, 7, 8, 255};
  SamplePicture picture(image.shape());
  picture.add_image(image, {0, 10});
  picture.add_difference(again, image, {0, 10});
  picture.add_classes([&](std::int64_t p) { return classes[static_cast<std::size_t>(p)]; });
  const DrawnPicture drawn = read_palette_png(picture.png());
  REQUIRE(drawn.width == 3 * 3 + 2 * 2);
  REQUIRE(drawn.height == 2);
  const std::vector<Colour> of_image = {kBlack, kBlack, grey(128), kWhite, kWhite, kBlack};
  // Half the range is white.
  const std::vector<Colour> of_difference = {kBlack, grey(51), kBlack, kWhite, kWhite, kBlack};
  // Black, then the colours of Okabe and Ito; the eighth class has that of the first.
  const std::vector<Colour> of_classes = {kBlack,          {230, 159, 0}, {86, 180, 233},
                                          {204, 121, 167}, {230, 159, 0}, {128, 128, 128}};
  for (std::int64_t r = 0; r < 2; ++r)
    for (std::int64_t c = 0; c < 3; ++c) {
      const auto p = static_cast<std::size_t>(3 * r + c);
      INFO("row " << r << ", column " << c);
      CHECK(drawn.at(r, c) == of_image[p]);
      CHECK(drawn.at(r, 5 + c) == of_difference[p]);
      CHECK(drawn.at(r, 10 + c) == of_classes[p]);
      CHECK(class_colour(classes[p]) == of_classes[p]);
    }
  for (std::int64_t r = 0; r < 2; ++r)
    for (const std::int64_t c : {3, 4, 8, 9}) CHECK(drawn.at(r, c) == kWhite);
}

TEST_CASE("of a volume the middle slice is shown, of channels the first, of many pixels some") {
  // 600 x 300 pixels: every third. The value says where it comes from.
  constexpr std::int64_t kDepth = 3, kHeight = 600, kWidth = 300;
  Tensor volume({kDepth, kHeight, kWidth, 2}, DType::f32);
  auto values = volume.values<float>();
  for (std::int64_t p = 0; p < kDepth * kHeight * kWidth; ++p) {
    const std::int64_t d = p / (kHeight * kWidth), r = p / kWidth % kHeight, c = p % kWidth;
    values[static_cast<std::size_t>(2 * p)] =
        d == 1 ? static_cast<float>((r / 3 + c / 3) % 240) : 1e9f;
    values[static_cast<std::size_t>(2 * p + 1)] = -1e9f;
  }
  SamplePicture picture(volume.shape());
  picture.add_image(volume, {0, 239});
  picture.add_classes([](std::int64_t p) { return static_cast<std::uint8_t>(p / 180000 == 1); });
  const DrawnPicture drawn = read_palette_png(picture.png());
  REQUIRE(drawn.height == 200);
  REQUIRE(drawn.width == 202);
  for (std::int64_t r = 0; r < 200; ++r)
    for (std::int64_t c = 0; c < 100; ++c) {
      REQUIRE(drawn.at(r, c) == grey(static_cast<int>(std::lround(255.0 * ((r + c) % 240) / 239))));
      REQUIRE(drawn.at(r, 102 + c) == class_colour(1));
    }
  const GreyRange range = picture.range_of(volume);
  CHECK(range.black >= 0);
  CHECK(range.white <= 239);
}

TEST_CASE("greys go from the 1st to the 99th percentile, and there is always a range") {
  std::vector<float> values;
  for (int i = 0; i <= 100; ++i) values.push_back(static_cast<float>(i));
  values.back() = 1e6f;
  const Shape shape{1, 101, 1};
  // numpy.percentile(list(range(100)) + [1e6], [1, 99]) is [1, 99].
  GreyRange range = SamplePicture(shape).range_of(numbers(shape, values));
  CHECK(range.black == 1);
  CHECK(range.white == 99);
  std::vector<float> one(101, 3);
  range = SamplePicture(shape).range_of(numbers(shape, one));
  CHECK(range.black == 3);
  CHECK(range.white == 4);
  one[50] = 8;  // a spot that no percentile sees
  range = SamplePicture(shape).range_of(numbers(shape, one));
  CHECK(range.black == 3);
  CHECK(range.white == 8);
  values[100] = std::numeric_limits<float>::infinity();  // 0 to 99 count
  range = SamplePicture(shape).range_of(numbers(shape, values));
  CHECK(range.black == Approx(0.99));
  CHECK(range.white == Approx(98.01));
  one.assign(101, std::numeric_limits<float>::quiet_NaN());
  range = SamplePicture(shape).range_of(numbers(shape, one));
  CHECK(range.white > range.black);
}

TEST_CASE("pictures of other shapes are refused") {
  CHECK_THROWS_AS(SamplePicture(Shape{4, 4}), Error);
  SamplePicture picture(Shape{4, 4, 1});
  CHECK_THROWS_AS(picture.png(), Error);
  CHECK_THROWS_AS(picture.add_image(Tensor({4, 5, 1}, DType::f32), {}), Error);
  CHECK_THROWS_AS(picture.add_image(Tensor({4, 4, 1}, DType::u8), {}), Error);
  CHECK_THROWS_AS(
      picture.add_difference(Tensor({4, 4, 1}, DType::f32), Tensor({4, 4}, DType::f32), {}), Error);
}
