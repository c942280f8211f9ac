#include "../../kernels/spatial_dropout.h"

#include "../catch.h"
#include "random_key.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

TEST_CASE("spatial dropout keeps the channels that its random numbers say", "[device]") {
  Random random(1);
  const std::uint64_t seed = 0xfedcba987654321ull;
  // Beyond 256 channels and 32768 elements the CPU cuts its work.
  for (const Shape& shape :
       {Shape{1, 1}, Shape{3, 5}, Shape{2, 1, 1}, Shape{3, 7, 4}, Shape{2, 3, 5, 13},
        Shape{2, 3, 2, 2, 301}, Shape{2, 40001, 1}, Shape{2, 131, 259}})
    for (const DType dtype : {DType::f32, DType::f64})
      for (const double keep : {0.3, 0.9, 1.0}) {
        INFO(to_string(shape) << ", " << keep);
        Tensor x = random_tensor(shape, dtype, random, 1, 2);
        const auto channels = static_cast<std::size_t>(shape.back());
        const auto size = static_cast<std::size_t>(shape.count() / shape[0]);
        std::vector<double> expected = doubles(x);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          const std::size_t at = i / size * channels + i % channels;
          const auto block = philox({static_cast<std::uint32_t>(at / 4), 7, 3, 0}, seed);
          const bool kept = static_cast<double>(unit_float(block[at % 4])) < keep;
          expected[i] = kept ? expected[i] / keep : 0;
        }
        Tensor y(shape, dtype), again(shape, dtype);
        const Tensor key = key_of(seed, 7);
        SpatialDropout op{x, y, key, keep, 3};
        run_on(test_queue(1), op);
        CHECK(distance(y, expected) < tolerance(dtype));
        op.y = again;
        run_on(test_queue(4), op);
        CHECK(same_bits(y, again));
        op.y = x;
        run_on(test_queue(1), op);
        CHECK(same_bits(y, x));
      }
}

TEST_CASE("spatial dropout keeps the stated share of channels, anew in every step", "[device]") {
  const QueueHandle queue = test_queue(1);
  const std::int64_t n = 40, channels = 1000;
  const Tensor ones = tensor_of({n, channels}, DType::f32, std::vector<double>(n * channels, 1.0));
  Tensor first({n, channels}, DType::f32), second({n, channels}, DType::f32);
  run_on(queue, SpatialDropout{ones, first, key_of(1, 1), 0.7, 0});
  run_on(queue, SpatialDropout{ones, second, key_of(1, 2), 0.7, 0});
  double kept = 0, both = 0;
  for (std::size_t i = 0; i < n * channels; ++i) {
    kept += first.values<float>()[i] != 0;
    both += first.values<float>()[i] != 0 && second.values<float>()[i] != 0;
  }
  CHECK(kept / (n * channels) == Approx(0.7).margin(0.01));
  CHECK(both / (n * channels) == Approx(0.49).margin(0.01));
}

TEST_CASE("a dropped channel is 0 whatever was in it", "[device]") {
  Tensor x = tensor_of({1, 64}, DType::f32, std::vector<double>(64, std::nan("")));
  run_on(test_queue(1), SpatialDropout{x, x, key_of(1, 1), 0.5, 0});
  std::size_t dropped = 0;
  for (const float value : x.values<float>()) {
    CHECK((value == 0 || std::isnan(value)));
    dropped += value == 0;
  }
  CHECK((dropped > 0 && dropped < 64));
}

TEST_CASE("spatial dropout refuses arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({4, 2}, DType::f32), longer({4, 3}, DType::f32), wide({4, 2}, DType::f64);
  Tensor row({4}, DType::f32), bytes({4, 2}, DType::u8);
  const Tensor key = key_of(1, 1), short_key({1}, DType::i64);
  CHECK(refused(queue, SpatialDropout{x, longer, key}));
  CHECK(refused(queue, SpatialDropout{x, wide, key}));
  CHECK(refused(queue, SpatialDropout{row, row, key}));
  CHECK(refused(queue, SpatialDropout{bytes, bytes, key}));
  CHECK(refused(queue, SpatialDropout{x, x, short_key}));
  CHECK(refused(queue, SpatialDropout{x, x, {}}));
  CHECK(refused(queue, SpatialDropout{x, x, key, 0}));
  CHECK(refused(queue, SpatialDropout{x, x, key, std::nan("")}));
  CHECK_FALSE(refused(queue, SpatialDropout{x, x, key, 0.5}));
}
