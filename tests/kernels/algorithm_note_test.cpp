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

}  // namespace
