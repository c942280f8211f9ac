#include "../../kernels/pool.h"

#include "../catch.h"
#include "oracle.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

struct Case {
  Shape x;
  Window window;
};

Window square(std::int64_t kernel, std::int64_t stride, std::int64_t pad = 0) {
  return {.rank = 2,
          .kernel = {kernel, kernel},
          .stride = {stride, stride},
          .pad_before = {pad, pad},
          .pad_after = {pad, pad}};
}

std::vector<Case> cases() {
  std::vector<Case> list;
  for (const std::int64_t channels : {1, 2, 3, 4, 5, 8, 11, 16, 31, 32, 70})
    for (const Window& window : {square(2, 2), square(3, 2, 1), square(3, 1)})
      list.push_back({{2, 6, 7, channels}, window});
  list.push_back({{1, 1, 1, 1}, square(1, 1)});
  list.push_back({{3, 2, 2, 7}, square(2, 2)});
  list.push_back({{1, 13, 11, 5}, square(2, 3)});  // some elements under no window
  list.push_back({{1, 9, 9, 3}, square(5, 2, 2)});
  list.push_back({{2, 17, 13, 33}, square(2, 2)});
  list.push_back(
      {{2, 19, 6}, {.rank = 1, .kernel = {4}, .stride = {2}, .dilation = {3}, .pad_before = {2}}});
  list.push_back({{1, 5, 5, 5, 9},
                  {.rank = 3, .kernel = {2, 2, 2}, .stride = {2, 2, 2}, .pad_after = {1, 1, 1}}});
  list.push_back({{2, 3, 7, 8, 6},
                  {.rank = 3,
                   .kernel = {3, 2, 3},
                   .stride = {1, 2, 1},
                   .dilation = {1, 2, 2},
                   .pad_before = {1, 0, 2},
                   .pad_after = {1, 1, 2}}});
  list.push_back({{1, 40, 9, 4}, {.rank = 2, .kernel = {23, 3}, .stride = {7, 3}}});
  return list;
}

// More taps than an argmax can tell apart.
std::vector<Case> large_cases() {
  return {{{2, 40, 40, 5}, square(40, 40)},
          {{1, 40, 37, 9}, square(20, 7, 9)},
          {{1, 300, 3}, {.rank = 1, .kernel = {290}}}};
}

struct Maxima {
  Doubles y, argmax;
};

Maxima max_pool(const Case& c, const Doubles& x, std::size_t results) {
  Maxima out{Doubles(results, -INFINITY), Doubles(results)};
  for_each_tap(c.x, c.window, [&](std::size_t to, std::int64_t from, std::int64_t tap) {
    if (from < 0 || x[static_cast<std::size_t>(from)] <= out.y[to]) return;
    out.y[to] = x[static_cast<std::size_t>(from)];
    out.argmax[to] = static_cast<double>(tap);
  });
  return out;
}

Doubles max_pool_backward(const Case& c, const Doubles& argmax, const Doubles& dy) {
  Doubles dx(static_cast<std::size_t>(c.x.count()));
  for_each_tap(c.x, c.window, [&](std::size_t to, std::int64_t from, std::int64_t tap) {
    if (from >= 0 && argmax[to] == static_cast<double>(tap))
      dx[static_cast<std::size_t>(from)] += dy[to];
  });
  return dx;
}

Doubles divisors(const Case& c, std::size_t results, bool count_padding) {
  Doubles out(results);
  for_each_tap(c.x, c.window, [&](std::size_t to, std::int64_t from, std::int64_t) {
    out[to] += from >= 0 || count_padding;
  });
  return out;
}

Doubles avg_pool(const Case& c, const Doubles& x, std::size_t results, bool count_padding) {
  const Doubles divisor = divisors(c, results, count_padding);
  Doubles y(results);
  for_each_tap(c.x, c.window, [&](std::size_t to, std::int64_t from, std::int64_t) {
    if (from >= 0) y[to] += x[static_cast<std::size_t>(from)] / divisor[to];
  });
  return y;
}

Doubles avg_pool_backward(const Case& c, const Doubles& dy, bool count_padding) {
  const Doubles divisor = divisors(c, dy.size(), count_padding);
  Doubles dx(static_cast<std::size_t>(c.x.count()));
  for_each_tap(c.x, c.window, [&](std::size_t to, std::int64_t from, std::int64_t) {
    if (from >= 0) dx[static_cast<std::size_t>(from)] += dy[to] / divisor[to];
  });
  return dx;
}

Shape output_of(const Case& c) { return c.window.output(c.x, c.x.back(), "test"); }

// Filled with something that must not survive.
Tensor dirty(const Shape& shape, DType dtype) {
  return tensor_of(shape, dtype, Doubles(static_cast<std::size_t>(shape.count()), 77.0));
}

}  // namespace

TEST_CASE("max pooling and its gradient equal the definition", "[device][small]") {
  const QueueHandle queue = test_queue(2);
  for_each_instruction_set([&](const std::string& set) {
    Random random(1);
    for (const Case& c : cases())
      for (const DType dtype : {DType::f32, DType::f64}) {
        INFO(set << " " << to_string(c.x) << " kernel " << c.window.kernel[0] << " stride "
                 << c.window.stride[0]);
        const Shape shape = output_of(c);
        // Few different values, so that many maxima are tied.
        Tensor x = random_tensor(c.x, dtype, random, -4, 4);
        visit(x, [](auto values) {
          for (auto& value : values) value = std::floor(value);
        });
        const Tensor dy = random_tensor(shape, dtype, random);
        Tensor y = dirty(shape, dtype), y_only = dirty(shape, dtype), dx = dirty(c.x, dtype);
        Tensor argmax = dirty(shape, DType::u8);
        run_on(queue, MaxPool{x, y, argmax, c.window});
        run_on(queue, MaxPool{x, y_only, {}, c.window});
        run_on(queue, MaxPoolBackward{dy, argmax, dx, c.window});
        const Maxima expected = max_pool(c, doubles(x), static_cast<std::size_t>(shape.count()));
        CHECK(doubles(y) == expected.y);
        CHECK(doubles(argmax) == expected.argmax);
        CHECK(same_bits(y, y_only));
        CHECK(distance(dx, max_pool_backward(c, expected.argmax, doubles(dy))) < tolerance(dtype));
      }
  });
}

TEST_CASE("average pooling and its gradient equal the definition", "[device]") {
  const QueueHandle queue = test_queue(2);
  for_each_instruction_set([&](const std::string& set) {
    Random random(2);
    std::vector<Case> all = cases();
    for (const Case& c : large_cases()) all.push_back(c);
    for (const Case& c : all)
      for (const DType dtype : {DType::f32, DType::f64})
        for (const bool count_padding : {false, true}) {
          INFO(set << " " << to_string(c.x) << " kernel " << c.window.kernel[0] << " stride "
                   << c.window.stride[0]);
          const Shape shape = output_of(c);
          const Tensor x = random_tensor(c.x, dtype, random);
          const Tensor dy = random_tensor(shape, dtype, random);
          Tensor y = dirty(shape, dtype), dx = dirty(c.x, dtype);
          run_on(queue, AvgPool{x, y, c.window, count_padding});
          run_on(queue, AvgPoolBackward{dy, dx, c.window, count_padding});
          CHECK(distance(y, avg_pool(c, doubles(x), static_cast<std::size_t>(shape.count()),
                                     count_padding)) < tolerance(dtype));
          CHECK(distance(dx, avg_pool_backward(c, doubles(dy), count_padding)) < tolerance(dtype));
        }
  });
}

TEST_CASE("max pooling takes any number of taps where no argmax is asked for", "[device]") {
  const QueueHandle queue = test_queue(1);
  Random random(3);
  for (const Case& c : large_cases()) {
    const Shape shape = output_of(c);
    const Tensor x = random_tensor(c.x, DType::f32, random);
    Tensor y = dirty(shape, DType::f32), argmax(shape, DType::u8);
    run_on(queue, MaxPool{x, y, {}, c.window});
    CHECK(doubles(y) == max_pool(c, doubles(x), static_cast<std::size_t>(shape.count())).y);
    CHECK(refused(queue, MaxPool{x, y, argmax, c.window}));
  }
}

TEST_CASE("the gradients of pooling equal finite differences", "[device]") {
  const QueueHandle queue = test_queue(1);
  Random random(4);
  for (const Case& c : {Case{{1, 5, 6, 2}, square(2, 2)}, Case{{2, 5, 5, 3}, square(3, 2, 1)}}) {
    const Shape shape = output_of(c);
    const Tensor x = random_tensor(c.x, DType::f64, random);
    const Tensor dy = random_tensor(shape, DType::f64, random);
    Tensor y(shape, DType::f64), dx(c.x, DType::f64), argmax(shape, DType::u8);
    const auto numeric = [&](const auto& forward) {
      return numeric_gradient(doubles(x), [&](const Doubles& at) {
        const Tensor moved = tensor_of(c.x, DType::f64, at);
        forward(moved);
        return dot(doubles(y), doubles(dy));
      });
    };
    run_on(queue, MaxPool{x, y, argmax, c.window});
    run_on(queue, MaxPoolBackward{dy, argmax, dx, c.window});
    CHECK(distance(dx, numeric([&](const Tensor& at) {
                     run_on(queue, MaxPool{at, y, {}, c.window});
                   })) < 1e-9);
    run_on(queue, AvgPoolBackward{dy, dx, c.window});
    CHECK(distance(dx, numeric([&](const Tensor& at) {
                     run_on(queue, AvgPool{at, y, c.window});
                   })) < 1e-9);
  }
}

TEST_CASE("pooling does not depend on the number of threads", "[device]") {
  Random random(5);
  const Window window = square(3, 2, 1);
  const Shape in{3, 65, 67, 24}, out = window.output(in, 24, "test");
  const Tensor x = random_tensor(in, DType::f32, random);
  const Tensor dy = random_tensor(out, DType::f32, random);
  std::vector<std::vector<Tensor>> results;
  for (const int threads : {1, 4}) {
    const QueueHandle queue = test_queue(threads);
    Tensor maxima(out, DType::f32), means(out, DType::f32), argmax(out, DType::u8);
    Tensor dmax(in, DType::f32), dmean(in, DType::f32);
    run_on(queue, MaxPool{x, maxima, argmax, window});
    run_on(queue, MaxPoolBackward{dy, argmax, dmax, window});
    run_on(queue, AvgPool{x, means, window});
    run_on(queue, AvgPoolBackward{dy, dmean, window});
    auto& list = results.emplace_back();
    for (Tensor* tensor : {&maxima, &argmax, &means, &dmax, &dmean})
      list.push_back(std::move(*tensor));
  }
  for (std::size_t i = 0; i < results[0].size(); ++i)
    CHECK(same_bits(results[0][i], results[1][i]));
}

TEST_CASE("a NaN under the window is what max pooling returns", "[device]") {
  const QueueHandle queue = test_queue(1);
  constexpr std::size_t channels = 19;  // whole vectors and a rest
  for_each_instruction_set([&](const std::string& name) {
    INFO(name);
    for (std::size_t i = 0; i < 4; ++i) {
      Doubles values(4 * channels, 1.0);
      std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(i * channels), channels,
                  std::nan(""));
      const Tensor x = tensor_of({1, 2, 2, channels}, DType::f32, values);
      Tensor y({1, 1, 1, channels}, DType::f32), argmax({1, 1, 1, channels}, DType::u8);
      run_on(queue, MaxPool{x, y, argmax, square(2, 2)});
      for (const double value : doubles(y)) CHECK(std::isnan(value));
      for (const double tap : doubles(argmax)) CHECK(tap == static_cast<double>(i));
    }
  });
}

TEST_CASE("pooling refuses arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({1, 4, 4, 2}, DType::f32), y({1, 2, 2, 2}, DType::f32), argmax({1, 2, 2, 2}, DType::u8);
  Tensor wide({1, 2, 2, 2}, DType::f64), flat({4}, DType::f32), scalar({}, DType::f32);
  const Window window = square(2, 2);
  CHECK_FALSE(refused(queue, MaxPool{x, y, argmax, window}));
  CHECK(refused(queue, MaxPool{x, y, y, window}));  // argmax of another type
  CHECK(refused(queue, MaxPool{x, wide, argmax, window}));
  CHECK(refused(queue, MaxPool{x, x, argmax, window}));  // y of another shape
  CHECK(refused(queue, MaxPool{flat, y, argmax, window}));
  CHECK(refused(queue, MaxPool{scalar, y, argmax, window}));
  CHECK(refused(queue, MaxPool{x, y, argmax, square(0, 2)}));
  CHECK(refused(queue, MaxPool{x, y, argmax, square(2, 0)}));
  CHECK(refused(queue, MaxPool{x, y, argmax, square(9, 1)}));
  CHECK(refused(queue, MaxPool{x, y, argmax, Window{}}));
  CHECK(refused(queue, MaxPoolBackward{y, {}, x, window}));
  CHECK(refused(queue, MaxPoolBackward{y, y, x, window}));
  CHECK(refused(queue, AvgPool{x, wide, window}));
  CHECK(refused(queue, AvgPoolBackward{x, x, window}));
  // A window that sees nothing but padding has no maximum and no mean.
  Tensor padded({1, 4, 4, 2}, DType::f32);
  CHECK(refused(queue, MaxPool{x, padded, {}, square(2, 2, 2)}));
  CHECK(refused(queue, AvgPool{x, padded, square(2, 2, 2)}));
}
