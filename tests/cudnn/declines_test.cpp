// What NVIDIA's libraries answer where they, a device or a kernel of theirs is missing.
#include <string>

#include "../../kernels/cuda/cublaslt/matmul.h"
#include "../../kernels/cuda/cudnn/library.h"
#include "../../kernels/cuda/shared_library.h"
#include "../../kernels/cuda/vendor.h"
#include "../catch.h"

using namespace ratnet;

namespace {

float numbers[64];

ConvForward convolution(DType dtype) {
  ConvForward call{};
  call.what = "test";
  call.geometry = {1, 2, 3, {1, 4, 4}, {1, 4, 4}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}};
  call.x = ConstView(numbers, dtype, {1, 4, 4, 2});
  call.y = View(numbers, dtype, {1, 4, 4, 3});
  return call;
}

ConvForward dense(Activation activation) {
  ConvForward call{};
  call.what = "test";
  call.geometry.batch = call.geometry.channels = call.geometry.outputs = 2;
  call.x = ConstView(numbers, DType::f32, {2, 2});
  call.y = View(numbers, DType::f32, {2, 2});
  call.activation = activation;
  return call;
}

std::string said(const char* reason) { return reason ? reason : ""; }

TEST_CASE("a library that is not there is named with the loader's words") {
  SharedLibrary library("libratnet_absent.so.1");
  int (*function)() = nullptr;
  library.find(function, "anything");
  CHECK(library.why() ==
        "libratnet_absent.so.1: cannot open shared object file: No such file or directory");
}

TEST_CASE("a function that is not there is named with the loader's words") {
  SharedLibrary library("libm.so.6");
  double (*cosine)(double) = nullptr;
  library.find(cosine, "cos");
  REQUIRE(library.why() == "");
  CHECK(cosine(0) == 1);
  int (*function)() = nullptr;
  library.find(function, "ratnet_absent");
  CHECK(library.why().find("undefined symbol: ratnet_absent") != std::string::npos);
}

TEST_CASE("what the libraries do not compute is declined before they are opened") {
  CudaQueue queue;
  CHECK(said(cudnn_forward.declines(queue, convolution(DType::f64))) == "the tensors are not f32");
  ConvForward empty = convolution(DType::f32);
  empty.geometry.batch = 0;
  CHECK(said(cudnn_forward.declines(queue, empty)) == "a tensor is empty");
  ConvForward odd = convolution(DType::f32);
  odd.x.data = numbers + 1;
  CHECK(said(cudnn_forward.declines(queue, odd)) == "a tensor is not aligned to 16 bytes");
  CHECK_FALSE(queue.cudnn);
  CHECK_FALSE(queue.cublaslt);
}

TEST_CASE("cuBLASLt takes the description of a product, and wants a device to choose for it") {
  if (!cublaslt_library().why.empty()) {
    WARN("skipped: " << cublaslt_library().why);
    return;
  }
  for (const Precision precision : {Precision::f32, Precision::tf32, Precision::bf16})
    for (const bool transposed : {false, true}) {
      Product product{32, 128, 2048};
      product.left_transposed = transposed;
      product.right_transposed = !transposed;
      product.bias = true;
      product.precision = precision;
      std::string why;
      try {
        ProductPlan(nullptr, product);
      } catch (const Error& error) {
        why = error.what();
      }
      CHECK(why.find("cublasLtMatmulAlgoGetHeuristic: ") == 0);
    }
}

TEST_CASE("without a device both libraries decline") {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0) {
    WARN("skipped: there is a device");
    return;
  }
  const std::string words = std::string("cuda:0: ") + cudaGetErrorString(cudaGetLastError());
  const auto expected = [&](const std::string& why_not_open) {
    return why_not_open.empty() ? words : why_not_open;
  };
  CudaQueue queue;
  queue.device = {DeviceKind::cuda, 0};
  CHECK(said(cudnn_forward.declines(queue, convolution(DType::f32))) ==
        expected(cudnn_library().why));
  CHECK(said(cublaslt_forward.declines(queue, dense(Activation::none))) ==
        expected(cublaslt_library().why));
}

// Stands for our own kernels.
constexpr CudaAlgorithm<ConvForward> kOwn = {
    "own", [](CudaQueue&, const ConvForward&) -> const char* { return nullptr; },
    [](CudaQueue&, const ConvForward&) { return note_of("own", 7); },
    [](CudaQueue&, const ConvForward& call) { numbers[0] = call.geometry.pad[1] ? 1.0f : 2.0f; }};
constexpr CudaAlgorithm<ConvForward> kPicky = {
    "picky",
    [](CudaQueue&, const ConvForward& call) {
      return call.x.dtype == DType::f32 ? nullptr : "it is for f32";
    },
    [](CudaQueue&, const ConvForward&) { return note_of("picky, fast", 3); }, nullptr};

TEST_CASE("the first algorithm that does not decline is taken, and the note says why") {
  constexpr const CudaAlgorithm<ConvForward>* kList[] = {&kPicky, &kOwn};
  CudaQueue queue;
  const ConvForward f32 = convolution(DType::f32), f64 = convolution(DType::f64);
  CHECK(&choose(kList, queue, f32) == &kPicky);
  CHECK(std::string(describe(kList, queue, f32).algorithm) == "picky, fast");
  CHECK(describe(kList, queue, f32).scratch_bytes == 3);
  CHECK(&choose(kList, queue, f64) == &kOwn);
  CHECK(std::string(describe(kList, queue, f64).algorithm) == "own; picky declined: it is for f32");
  CHECK(describe(kList, queue, f64).scratch_bytes == 7);
}

}  // namespace
