// What a device's plan says about its choice of algorithms.
#include "../../kernels/conv.h"
#include "../../kernels/dense.h"
#include "../../kernels/submit.h"
#include "../catch.h"
#include "test_device.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

template <class Op>
std::string noted(const Op& op) {
  const QueueHandle queue = test_queue();
  Survey survey;
  queue->survey = &survey;
  submit(*queue, op);
  queue->survey = nullptr;
  REQUIRE(survey.steps.size() == 1);
  return survey.steps[0].algorithm;
}

TEST_CASE("a device without NVIDIA's libraries says that its own kernels serve", "[device]") {
  if (test_device().kind != DeviceKind::cuda_emulated) return;
  float memory = 0;  // a survey reads nothing
  const auto tensor = [&](const Shape& shape) { return View(&memory, DType::f32, shape); };
  Conv conv{.x = tensor({1, 4, 2}), .weight = tensor({3, 2, 5}), .y = tensor({1, 2, 5})};
  conv.window.rank = 1;
  conv.window.kernel[0] = 3;
  CHECK(noted(conv) == "implicit_gemm; cudnn declined: this module was built without it");
  conv.pool.rank = 1;
  conv.pool.kernel[0] = conv.pool.stride[0] = 2;
  conv.y = tensor({1, 1, 5});
  CHECK(noted(conv) ==
        "max_pool after implicit_gemm; cudnn declined: this module was built without it");
  CHECK(noted(Dense{.x = tensor({1, 2}), .weight = tensor({2, 3}), .y = tensor({1, 3})}) ==
        "implicit_gemm; cublaslt declined: this module was built without it");
}

TEST_CASE("the CPU takes Winograd's method where it pays, and says why elsewhere") {
  if (test_device().kind != DeviceKind::cpu) return;
  float memory = 0;  // a survey reads nothing
  const auto note = [&](const Shape& x, const Shape& weight, std::int64_t stride = 1) {
    Conv conv{.x = View(&memory, DType::f32, x), .weight = View(&memory, DType::f32, weight)};
    conv.window.rank = x.rank() - 2;
    for (std::size_t d = 0; d < static_cast<std::size_t>(conv.window.rank); ++d) {
      conv.window.kernel[d] = weight[static_cast<int>(d)];
      conv.window.stride[d] = stride;
      conv.window.pad_before[d] = conv.window.pad_after[d] = conv.window.kernel[d] / 2;
    }
    conv.y = View(&memory, DType::f32, conv.window.output(x, weight.back(), "test"));
    return noted(conv);
  };
  CHECK(note({1, 32, 32, 32}, {3, 3, 32, 32}) == "conv_winograd");
  CHECK(note({1, 4, 32, 32, 16}, {3, 3, 3, 16, 16}) == "conv_winograd");
  const auto direct_as = [](const std::string& reason) {
    return "conv_direct; not conv_winograd: " + reason +
           "; not conv_few_channels: works for up to 4 channels out only";
  };
  CHECK(note({1, 64, 64, 1}, {3, 3, 1, 32}) == direct_as("does not pay for so few channels"));
  CHECK(note({1, 5, 5, 32}, {3, 3, 32, 32}) == direct_as("does not pay for so small an image"));
  CHECK(note({9, 4, 4, 32}, {3, 3, 32, 32}) == direct_as("does not pay for so small an image"));
  CHECK(note({1, 32, 32, 32}, {5, 5, 32, 32}) == direct_as("works for 3x3 kernels only"));
  CHECK(note({1, 32, 32, 32}, {3, 3, 32, 32}, 2) == direct_as("works with stride 1 only"));
  CHECK(note({1, 32, 32, 32}, {1, 1, 32, 1}) ==
        "conv_few_channels; not conv_winograd: works for 3x3 kernels only");
  CHECK(note({1, 32, 32, 16}, {3, 3, 16, 4}) ==
        "conv_few_channels; not conv_winograd: does not pay for so few channels");
}

TEST_CASE("the CPU takes the gradient of a strided convolution's input by phases") {
  if (test_device().kind != DeviceKind::cpu) return;
  float memory = 0;  // a survey reads nothing
  const auto note = [&](DType dtype, const Shape& x, std::int64_t kernel, std::int64_t stride,
                        std::int64_t padding, std::int64_t groups = 1) {
    Window window{.rank = 2};
    window.kernel = {kernel, kernel};
    window.stride = {stride, stride};
    window.pad_before = window.pad_after = {padding, padding};
    const Shape weight{kernel, kernel, x.back() / groups, 32};
    return noted(ConvBackwardData{.dy = View(&memory, dtype, window.output(x, 32, "test")),
                                  .weight = View(&memory, dtype, weight),
                                  .dx = View(&memory, dtype, x),
                                  .window = window,
                                  .groups = groups});
  };
  const Shape x{1, 32, 32, 32};
  const auto phases_as = [](const std::string& reason) {
    return "conv_phases; not conv_winograd: " + reason + "; not conv_few_channels: " + reason +
           "; not conv_direct: " + reason;
  };
  CHECK(note(DType::f32, x, 2, 2, 0) == phases_as("works with stride 1 only"));
  CHECK(note(DType::f32, x, 2, 3, 2) == phases_as("works with stride 1 only"));
  CHECK(note(DType::f32, x, 2, 1, 2) == phases_as("padding is wider than the kernel"));
  CHECK(note(DType::f32, x, 3, 1, 1) == "conv_winograd");
  CHECK(note(DType::f32, x, 5, 1, 1) ==
        "conv_direct; not conv_winograd: works for 3x3 kernels only; not conv_few_channels: works "
        "for up to 4 channels out only");
  CHECK(note(DType::f64, x, 2, 2, 0).ends_with("; not conv_phases: works in f32 only"));
  CHECK(note(DType::f32, x, 2, 2, 0, 2).ends_with("; not conv_phases: works without groups only"));
  CHECK(note(DType::f32, {1, 128, 128, 1}, 2, 33, 0)
            .ends_with("; not conv_phases: works for up to 32 phases in a dimension only"));
}

}  // namespace
