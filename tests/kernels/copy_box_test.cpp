#include "../../kernels/copy_box.h"

#include "../catch.h"
#include "oracle.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

struct Case {
  Shape x, y, from, to, size;
};

const Case cases[] = {
    {{1}, {1}, {0}, {0}, {1}},
    {{7}, {5}, {3}, {1}, {4}},
    {{3, 2}, {3, 9}, {0, 0}, {0, 4}, {3, 2}},                 // channels joined
    {{2, 5, 9}, {2, 5, 4}, {0, 0, 3}, {0, 0, 0}, {2, 5, 4}},  // and taken apart
    {{2, 3, 4, 5}, {2, 3, 4, 5}, {0, 0, 0, 0}, {0, 0, 0, 0}, {2, 3, 4, 5}},
    {{2, 7, 6, 3}, {2, 4, 6, 3}, {0, 2, 0, 0}, {0, 0, 0, 0}, {2, 4, 6, 3}},  // rows cut
    {{2, 3, 5, 3}, {2, 6, 9, 3}, {0, 0, 0, 0}, {0, 2, 3, 0}, {2, 3, 5, 3}},  // padded
    {{1, 3, 4, 5, 2}, {1, 2, 5, 3, 2}, {0, 1, 1, 2, 0}, {0, 0, 2, 0, 0}, {1, 2, 3, 3, 2}},
    {{2, 2, 3, 2, 3, 2},
     {3, 3, 3, 3, 3, 3},
     {1, 0, 1, 1, 1, 0},
     {2, 1, 0, 1, 0, 2},
     {1, 2, 2, 1, 2, 1}},
    {{4, 3}, {4, 3}, {0, 1}, {0, 2}, {4, 0}},  // a box of nothing
    {{0, 3}, {0, 5}, {0, 0}, {0, 2}, {0, 3}},
    {{2, 301, 67, 3}, {2, 300, 70, 7}, {0, 1, 0, 0}, {0, 0, 2, 4}, {2, 300, 67, 3}},
};

// Where in a tensor element in_box of a box is that begins at `start`.
std::size_t element(const Shape& shape, const Shape& start, std::int64_t in_box, const Shape& box) {
  std::int64_t index = 0, stride = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    index += (start[d] + in_box % box[d]) * stride;
    in_box /= box[d];
    stride *= shape[d];
  }
  return static_cast<std::size_t>(index);
}

}  // namespace

TEST_CASE("copies of a box equal the definition", "[device]") {
  Random random(1);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Case& c : cases) {
      if (!on_cpu() && c.x.count() > 10000) continue;  // large for the sake of the CPU's pieces
      INFO(to_string(c.x) << " to " << to_string(c.y));
      const Tensor x = random_tensor(c.x, dtype, random),
                   before = random_tensor(c.y, dtype, random);
      for (const bool clear : {false, true}) {
        Doubles expected = clear ? Doubles(static_cast<std::size_t>(c.y.count())) : doubles(before);
        const Doubles values = doubles(x);
        for (std::int64_t i = 0; i < c.size.count(); ++i)
          expected[element(c.y, c.to, i, c.size)] = values[element(c.x, c.from, i, c.size)];
        for (const int threads : {1, 3}) {
          Tensor y = before.clone();
          run_on(test_queue(threads), CopyBox{x, y, c.from, c.to, c.size, clear});
          CHECK(doubles(y) == expected);
        }
      }
    }
}

TEST_CASE("a box that does not fit is refused", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({2, 4, 3}, DType::f32), y({2, 5, 3}, DType::f32), wide({2, 5, 3}, DType::f64);
  const Shape o{0, 0, 0};
  Shape below = o;
  below[1] = -1;
  CHECK_FALSE(refused(queue, CopyBox{x, y, o, {0, 1, 0}, {2, 4, 3}}));
  CHECK(refused(queue, CopyBox{x, y, o, {0, 2, 0}, {2, 4, 3}}));
  CHECK(refused(queue, CopyBox{x, y, {0, 1, 0}, o, {2, 4, 3}}));
  CHECK(refused(queue, CopyBox{x, y, below, o, {2, 4, 3}}));
  CHECK(refused(queue, CopyBox{x, y, o, below, {2, 4, 3}}));
  CHECK(refused(queue, CopyBox{x, y, o, o, below}));
  CHECK(refused(queue, CopyBox{x, y, {0, std::int64_t{1} << 62, 0}, o, {2, 4, 3}}));
  CHECK(refused(queue, CopyBox{x, y, {0, 0}, o, {2, 4, 3}}));
  CHECK(refused(queue, CopyBox{x, wide, o, o, {2, 4, 3}}));
  CHECK(refused(queue, CopyBox{{}, y, o, o, {2, 4, 3}}));
}
