// Kernels that serve NVIDIA's libraries, which the emulated device has not.
#include <cmath>
#include <cstring>
#include <vector>

#include "../../core/dtype.h"
#include "../../kernels/cuda/column_sums.h"
#include "../../kernels/cuda/transpose.h"
#include "../catch.h"

using namespace ratnet;

namespace {

struct EmulatedQueue : CudaQueue {
  EmulatedQueue() {
    device = {DeviceKind::cuda_emulated, 0};
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  }
  ~EmulatedQueue() {
    for (void* block : blocks) cudaFreeAsync(block, stream);
    cudaStreamSynchronize(stream);
    cudaStreamDestroy(stream);
  }
  template <class T>
  T* memory(std::size_t n) {
    blocks.push_back(device_memory(*this, n * sizeof(T)));
    return static_cast<T*>(blocks.back());
  }
  template <class T>
  T* copy(const std::vector<T>& from) {
    T* to = memory<T>(from.size());
    if (!from.empty())
      cudaMemcpyAsync(to, from.data(), from.size() * sizeof(T), cudaMemcpyHostToDevice, stream);
    return to;
  }
  template <class T>
  std::vector<T> read(const T* from, std::size_t n) {
    std::vector<T> to(n);
    cudaMemcpyAsync(to.data(), from, n * sizeof(T), cudaMemcpyDeviceToHost, stream);
    check_cuda(cudaStreamSynchronize(stream), "waiting");
    return to;
  }
  std::vector<void*> blocks;
};

std::vector<float> numbers(std::int64_t n) {
  std::vector<float> values(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(static_cast<int>(i * 7919 % 2003) - 1001) / 64.0f;
  return values;
}

TEST_CASE("transpose exchanges rows and columns") {
  EmulatedQueue queue;
  for (const auto& [rows, columns] : {std::pair{1, 1}, {9, 32}, {288, 5}, {7, 301}}) {
    const auto values = numbers(rows * columns);
    float* to = queue.memory<float>(values.size());
    transpose(queue, "test", queue.copy(values), rows, columns, to);
    const auto result = queue.read(to, values.size());
    for (int r = 0; r < rows; ++r)
      for (int c = 0; c < columns; ++c)
        REQUIRE(result[static_cast<std::size_t>(c * rows + r)] ==
                values[static_cast<std::size_t>(r * columns + c)]);
  }
}

TEST_CASE("transpose_rounded rounds to bf16 as the CPU does") {
  EmulatedQueue queue;
  // Ties to even both ways, the largest float, infinities, a NaN of few bits, a subnormal.
  const std::uint32_t bits[] = {0x3f808000, 0x3f818000, 0x3f808001, 0x7f7fffff, 0x7f800000,
                                0xff800000, 0x7f800001, 0x00000001, 0x80000000, 0xc1234567};
  constexpr std::size_t n = std::size(bits);
  std::vector<float> values(n);
  std::memcpy(values.data(), bits, sizeof bits);
  auto* to = queue.memory<std::uint16_t>(n);
  transpose_rounded(queue, "test", queue.copy(values), 2, n / 2, to);
  const auto result = queue.read(to, n);
  for (std::size_t i = 0; i < n; ++i) {
    const float from = values[i % 2 * (n / 2) + i / 2];
    INFO(from);
    if (from != from)
      CHECK(bf16_to_float(result[i]) != bf16_to_float(result[i]));
    else
      CHECK(result[i] == float_to_bf16(from));
  }
}

TEST_CASE("column_sums adds rows, the same bits every time") {
  EmulatedQueue queue;
  for (const auto& [rows, channels] :
       {std::pair{1, 1}, {3, 32}, {255, 5}, {513, 33}, {2000, 2}, {0, 4}}) {
    const auto values = numbers(rows * channels);
    const auto count = static_cast<std::size_t>(channels);
    const ConstView dy(queue.copy(values), DType::f32, {rows, channels});
    const auto summed = [&] {
      float* sums = queue.memory<float>(count);
      void* scratch = queue.memory<char>(column_sums_bytes(dy));
      column_sums(queue, "test", dy, View(sums, DType::f32, {dy.shape[1]}), scratch);
      return queue.read(sums, count);
    };
    const auto result = summed();
    CHECK(result == summed());
    for (std::size_t c = 0; c < count; ++c) {
      double sum = 0, size = 0;
      for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
        sum += values[r * count + c];
        size += std::abs(values[r * count + c]);
      }
      INFO(rows << " rows, channel " << c);
      CHECK(std::abs(result[c] - sum) <= 1e-6 * size);
    }
  }
}

}  // namespace
