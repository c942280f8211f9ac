// Weights that operations keep in the form that they compute with.
#include <functional>

#include "../../kernels/conv.h"
#include "../../kernels/cpu/cpu_queue.h"
#include "../../kernels/dense.h"
#include "../../kernels/submit.h"
#include "../catch.h"
#include "oracle.h"
#include "random_tensor.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

std::size_t prepared_bytes(Queue& queue, const char* algorithm,
                           const std::function<void()>& submitted) {
  Survey survey;
  PreparedWeights prepared;
  queue.survey = &survey;
  queue.prepared = &prepared;
  submitted();
  queue.survey = nullptr;
  queue.prepared = nullptr;
  INFO(survey.steps.at(0).algorithm);
  CHECK(survey.steps.at(0).algorithm.find(algorithm) == 0);
  return prepared.bytes;
}

// run(weight, y) submits the operation, which `algorithm` takes.
void check_kept(const char* algorithm, const Shape& weight_shape, const Shape& y_shape,
                const std::function<void(Queue&, const Tensor&, Tensor&)>& run) {
  for (const int threads : {1, 3}) {
    const QueueHandle queue = open_cpu(threads);
    Random random(5);
    const Tensor first = random_tensor(weight_shape, DType::f32, random);
    const Tensor second = random_tensor(weight_shape, DType::f32, random);
    Tensor plain[2], y(y_shape, DType::f32);
    for (Tensor& result : plain) result = Tensor(y_shape, DType::f32);
    run(*queue, first, plain[0]);
    run(*queue, second, plain[1]);
    CHECK_FALSE(same_bits(plain[0], plain[1]));

    const std::size_t bytes = prepared_bytes(*queue, algorithm, [&] { run(*queue, first, y); });
    REQUIRE(bytes >= first.bytes());
    const AlignedMemory memory = allocate_aligned(bytes);
    PreparedWeights prepared{.memory = memory.get(), .bytes = bytes};
    const auto run_lent = [&](const Tensor& weight) {
      queue->prepared = &prepared;
      run(*queue, weight, y);
      CHECK(queue->prepared == nullptr);
    };
    run_lent(first);
    CHECK(same_bits(y, plain[0]));
    CHECK(prepared.form != nullptr);
    run_lent(second);  // nobody said that they are other weights
    CHECK(same_bits(y, plain[0]));
    prepared.form = nullptr;
    run_lent(second);
    CHECK(same_bits(y, plain[1]));
    // Memory of another size is left alone.
    prepared.bytes -= 64;
    run_lent(first);
    CHECK(same_bits(y, plain[0]));
  }
}

void check_conv(const char* forward, const char* backward_data, const Shape& x_shape,
                const Shape& weight, const Window& window) {
  Random random(6);
  const Tensor x = random_tensor(x_shape, DType::f32, random);
  const Shape y = window.output(x_shape, weight.back(), "test");
  const Tensor dy = random_tensor(y, DType::f32, random);
  check_kept(forward, weight, y, [&](Queue& queue, const Tensor& w, Tensor& result) {
    submit(queue, Conv{.x = x, .weight = w, .y = result, .window = window});
  });
  check_kept(backward_data, weight, x_shape, [&](Queue& queue, const Tensor& w, Tensor& result) {
    submit(queue, ConvBackwardData{.dy = dy, .weight = w, .dx = result, .window = window});
  });
}

}  // namespace

TEST_CASE("operations keep prepared weights until their lender empties the memory") {
  const Window three{.rank = 2, .kernel = {3, 3}, .pad_before = {1, 1}, .pad_after = {1, 1}};
  SECTION("Winograd's") {
    check_conv("conv_winograd", "conv_winograd", {2, 13, 17, 19}, {3, 3, 19, 23}, three);
  }
  SECTION("direct") {
    check_conv("conv_direct", "conv_direct", {2, 5, 7, 5}, {3, 3, 5, 17}, three);
  }
  SECTION("few channels") {
    check_conv("conv_few_channels", "conv_direct", {2, 5, 7, 6}, {3, 3, 6, 3}, three);
    check_conv("conv_direct", "conv_few_channels", {2, 5, 7, 3}, {3, 3, 3, 17}, three);
  }
  SECTION("by phases") {
    check_conv("conv_direct", "conv_phases", {2, 9, 7, 5}, {2, 2, 5, 11},
               {.rank = 2, .kernel = {2, 2}, .stride = {2, 2}});
  }
  SECTION("dense") {
    Random random(7);
    for (const std::int64_t n : {1, 5}) {
      const Tensor x = random_tensor({n, 31}, DType::f32, random);
      const Tensor dy = random_tensor({n, 19}, DType::f32, random);
      check_kept("", {31, 19}, {n, 19}, [&](Queue& queue, const Tensor& w, Tensor& y) {
        submit(queue, Dense{.x = x, .weight = w, .y = y});
      });
      check_kept("", {31, 19}, {n, 31}, [&](Queue& queue, const Tensor& w, Tensor& dx) {
        submit(queue, DenseBackwardData{.dy = dy, .weight = w, .dx = dx});
      });
    }
  }
}

TEST_CASE("only the first operation that wants it takes the memory") {
  const QueueHandle queue = open_cpu(1);
  Random random(8);
  const Tensor x = random_tensor({3, 5}, DType::f32, random);
  const Tensor a = random_tensor({5, 7}, DType::f32, random);
  const Tensor b = random_tensor({5, 7}, DType::f32, random);
  Tensor y({3, 7}, DType::f32), expected({3, 7}, DType::f32);
  submit(*queue, Dense{.x = x, .weight = b, .y = expected});
  const std::size_t bytes =
      prepared_bytes(*queue, "", [&] { submit(*queue, Dense{.x = x, .weight = a, .y = y}); });
  const AlignedMemory memory = allocate_aligned(bytes);
  PreparedWeights prepared{.memory = memory.get(), .bytes = bytes};
  for (int run = 0; run < 2; ++run) {
    queue->prepared = &prepared;
    submit(*queue, Dense{.x = x, .weight = a, .y = y});
    submit(*queue, Dense{.x = x, .weight = b, .y = y});
    CHECK(same_bits(y, expected));
  }
}
