#include "../../kernels/resample.h"

#include "../../kernels/window.h"
#include "../catch.h"
#include "oracle.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

struct Case {
  Shape x, y;
  Sampling sampling;
};

std::vector<Case> cases() {
  std::vector<Case> list;
  for (const bool linear : {false, true}) {
    // Upsampling: half a pixel off, corners, top left; the rest of a vector.
    for (const std::int64_t channels : {1, 2, 3, 5, 8, 17, 33})
      list.push_back({{2, 4, 3, channels},
                      {2, 8, 9, channels},
                      {.lines = {{{2, -1, 4}, {2, -2, 6}, {}}}, .linear = linear}});
    list.push_back({{2, 5, 3}, {2, 15, 3}, {.lines = {{{4, 0, 14}, {}, {}}}, .linear = linear}});
    list.push_back({{1, 2, 3, 4, 2},
                    {1, 4, 9, 4, 2},
                    {.lines = {{{1, 0, 2}, {2, 0, 8}, {1, 0, 1}}}, .linear = linear}});
    list.push_back({{3, 1, 2}, {3, 3, 2}, {.lines = {{{0, 0, 2}, {}, {}}}, .linear = linear}});
    // Fewer places than there are inputs, some of which nobody reads.
    list.push_back({{1, 11, 2}, {1, 3, 2}, {.lines = {{{7, 1, 2}, {}, {}}}, .linear = linear}});
    // Beyond the ends.
    for (const bool reflect : {false, true}) {
      list.push_back({{2, 4, 3},
                      {2, 9, 3},
                      {.lines = {{{1, -3, 1}, {}, {}}}, .linear = linear, .reflect = reflect}});
      list.push_back(
          {{1, 3, 4, 2, 5},
           {1, 5, 9, 2, 5},
           {.lines = {{{1, -2, 1}, {1, -2, 1}, {1, 0, 1}}}, .linear = linear, .reflect = reflect}});
      list.push_back({{1, 3, 2},
                      {1, 12, 2},
                      {.lines = {{{1, -3, 2}, {}, {}}}, .linear = linear, .reflect = reflect}});
    }
  }
  return list;
}

// add(output, input, weight) for what each output is made of.
template <class Add>
void for_each_part(const Case& c, const Add& add) {
  const Shape x = widened(c.x), y = widened(c.y);
  const int added = 5 - c.x.rank();
  for (std::int64_t to = 0; to < y.count(); ++to) {
    std::int64_t rest = to / y[4];
    std::vector<std::pair<std::int64_t, double>> parts{{0, 1.0}};
    std::int64_t stride = x[4];
    for (int d = 2; d >= 0; --d) {
      const std::int64_t i = rest % y[d + 1], in = x[d + 1];
      rest /= y[d + 1];
      const SampledLine line =
          d >= added ? c.sampling.lines[static_cast<std::size_t>(d - added)] : SampledLine{};
      double place =
          static_cast<double>(line.step * i + line.start) / static_cast<double>(line.divisor);
      if (!c.sampling.linear) place = std::floor(place);
      const auto last = static_cast<double>(in - 1);
      if (!c.sampling.reflect) place = std::clamp(place, 0.0, last);
      std::vector<std::pair<std::int64_t, double>> next;
      for (const double at : {std::floor(place), std::floor(place) + 1}) {
        const double weight = 1 - std::abs(place - at);
        if (weight <= 0) continue;
        const double mirrored = at < 0 ? -at : at > last ? 2 * last - at : at;
        for (const auto& [index, factor] : parts)
          next.emplace_back(index + static_cast<std::int64_t>(mirrored) * stride, factor * weight);
      }
      parts = next;
      stride *= in;
    }
    for (const auto& [index, weight] : parts)
      add(static_cast<std::size_t>(to), static_cast<std::size_t>(index + rest * stride + to % y[4]),
          weight);
  }
}

}  // namespace

TEST_CASE("resampling and its gradient equal the definition", "[device]") {
  const QueueHandle queue = test_queue(2);
  Random random(1);
  for_each_instruction_set([&](const std::string& name) {
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Case& c : cases()) {
        INFO(name << ": " << to_string(c.x) << " to " << to_string(c.y) << ", linear "
                  << c.sampling.linear << ", reflect " << c.sampling.reflect);
        const Tensor x = random_tensor(c.x, dtype, random), dy = random_tensor(c.y, dtype, random);
        Tensor y = random_tensor(c.y, dtype, random), dx = random_tensor(c.x, dtype, random);
        run_on(queue, Resample{x, y, c.sampling});
        run_on(queue, ResampleBackward{dy, dx, c.sampling});
        const Doubles from = doubles(x), upstream = doubles(dy);
        Doubles expected(upstream.size()), gradient(from.size());
        for_each_part(c, [&](std::size_t to, std::size_t at, double weight) {
          expected[to] += weight * from[at];
          gradient[at] += weight * upstream[to];
        });
        CHECK(distance(y, expected) < tolerance(dtype));
        CHECK(distance(dx, gradient) < tolerance(dtype));
      }
  });
}

TEST_CASE("resampling does not depend on the number of threads or the batch", "[device]") {
  Random random(2);
  const Case c{
      {3, 41, 37, 12}, {3, 82, 111, 12}, {.lines = {{{2, -1, 4}, {2, -2, 6}, {}}}, .linear = true}};
  const Case small{
      {3, 5, 4, 3}, {3, 10, 12, 3}, {.lines = {{{2, -1, 4}, {2, -2, 6}, {}}}, .linear = true}};
  const auto& [in, out, sampling] = on_cpu() ? c : small;
  const Tensor x = random_tensor(in, DType::f32, random),
               dy = random_tensor(out, DType::f32, random);
  Tensor y(out, DType::f32), dx(in, DType::f32), y4(out, DType::f32), dx4(in, DType::f32);
  run_on(test_queue(1), Resample{x, y, sampling});
  run_on(test_queue(1), ResampleBackward{dy, dx, sampling});
  run_on(test_queue(4), Resample{x, y4, sampling});
  run_on(test_queue(4), ResampleBackward{dy, dx4, sampling});
  CHECK(same_bits(y, y4));
  CHECK(same_bits(dx, dx4));
  Tensor first(out.with_first(1), DType::f32), dfirst(in.with_first(1), DType::f32);
  run_on(test_queue(1), Resample{x.view().first(1), first, sampling});
  run_on(test_queue(1), ResampleBackward{dy.view().first(1), dfirst, sampling});
  CHECK(std::memcmp(first.data(), y.data(), first.bytes()) == 0);
  CHECK(std::memcmp(dfirst.data(), dx.data(), dfirst.bytes()) == 0);
}

TEST_CASE("a value beside the one that is read does not spoil it", "[device][small]") {
  const Tensor x = tensor_of({1, 2, 1}, DType::f32, {3, std::nan("")});
  Tensor y({1, 3, 1}, DType::f32);
  run_on(test_queue(1), Resample{x, y, {.lines = {{{1, 0, 2}, {}, {}}}, .linear = true}});
  CHECK(doubles(y)[0] == 3);
  CHECK(std::isnan(doubles(y)[1]));
}

TEST_CASE("resampling refuses what does not fit", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({2, 4, 3}, DType::f32), y({2, 8, 3}, DType::f32), wide({2, 8, 3}, DType::f64);
  Tensor other({2, 8, 2}, DType::f32), flat({2, 3}, DType::f32), none({2, 0, 3}, DType::f32);
  const auto line = [](std::int64_t step, std::int64_t start, std::int64_t divisor,
                       bool reflect = false) {
    return Sampling{.lines = {{{step, start, divisor}, {}, {}}}, .reflect = reflect};
  };
  CHECK_FALSE(refused(queue, Resample{x, y, line(1, 0, 2)}));
  CHECK(refused(queue, Resample{x, wide, line(1, 0, 2)}));
  CHECK(refused(queue, Resample{x, other, line(1, 0, 2)}));
  CHECK(refused(queue, Resample{flat, flat, line(1, 0, 2)}));
  CHECK(refused(queue, Resample{none, y, line(1, 0, 2)}));
  CHECK(refused(queue, Resample{x, y, line(0, 0, 2)}));
  CHECK(refused(queue, Resample{x, y, line(-1, 0, 2)}));
  CHECK(refused(queue, Resample{x, y, line(1, 0, 0)}));
  CHECK(refused(queue, Resample{x, y, line(std::int64_t{1} << 40, 0, 1)}));
  CHECK_FALSE(refused(queue, Resample{x, y, line(1, -1, 1, true)}));
  CHECK(refused(queue, Resample{x, y, line(1, 0, 1, true)}));   // place 7 of 4
  CHECK(refused(queue, Resample{x, y, line(1, -4, 1, true)}));  // place -4 of 4
  CHECK(refused(queue, ResampleBackward{x, y, line(0, 0, 1)}));
  CHECK(refused(queue, ResampleBackward{{}, x, line(1, 0, 2)}));
}
