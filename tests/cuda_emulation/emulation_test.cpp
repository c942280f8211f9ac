// Kernels with a mistake in them: the emulated device has to show each one.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <ratnet_ptx.h>

#include "../catch.h"

namespace {

using ratnet::dynamic_shared;

constexpr int kThreads = 128;

struct Numbers {
  float of[kThreads];
};

// Device memory with a stream, and what a test does with them.
struct Device {
  cudaStream_t stream = nullptr;
  std::vector<void*> memory;

  Device() { cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking); }
  ~Device() {
    for (void* block : memory) cudaFreeAsync(block, stream);
    cudaStreamDestroy(stream);
  }
  float* numbers(std::size_t n) {
    void* block = nullptr;
    cudaMallocAsync(&block, n * sizeof(float), stream);
    memory.push_back(block);
    return static_cast<float*>(block);
  }
  template <class... Parameters, class... Arguments>
  void launch(unsigned threads, void (*kernel)(Parameters...), Arguments... arguments) {
    cudaLaunchConfig_t config;
    config.blockDim = dim3(threads);
    config.dynamicSmemBytes = sizeof(Numbers);
    config.stream = stream;
    cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...);
  }
  cudaError_t wait() { return cudaStreamSynchronize(stream); }
};

// Three rounds through one piece of shared memory; each needs a barrier after writing and another
// before the next round writes.
template <bool kFirst, bool kSecond>
__global__ void rounds(float* out) {
  auto& shared = dynamic_shared<Numbers>();
  const unsigned me = threadIdx.x;
  float sum = 0;
  for (int round = 0; round < 3; ++round) {
    shared.of[me] = static_cast<float>(round * 1000 + static_cast<int>(me));
    if (kFirst) __syncthreads();
    sum += shared.of[(me + 37) % kThreads];
    if (kSecond) __syncthreads();
  }
  out[me] = sum;
}

// 0 where the rounds gave what they should.
template <bool kFirst, bool kSecond>
int run_rounds() {
  Device device;
  float* out = device.numbers(kThreads);
  device.launch(kThreads, rounds<kFirst, kSecond>, out);
  float host[kThreads];
  cudaMemcpyAsync(host, out, sizeof host, cudaMemcpyDeviceToHost, device.stream);
  if (device.wait() != cudaSuccess) return 2;
  for (int i = 0; i < kThreads; ++i)
    if (host[i] != static_cast<float>(3000 + 3 * ((i + 37) % kThreads))) return 1;
  return 0;
}

__global__ void divergent(float* out) {
  if (threadIdx.x < 40) {
    __syncthreads();
    out[threadIdx.x] = 1;
  } else {
    out[threadIdx.x] = 2;
    __syncthreads();
  }
}

__global__ void ends_early(float* out) {
  if (threadIdx.x == 5) return;
  __syncthreads();
  out[threadIdx.x] = 1;
}

__global__ void wrong_mask(float* out) {
  if (threadIdx.x % 2 == 0) out[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFFu, 1.0f, 2);
}

__global__ void one_too_far(float* out, int n) {
  for (int i = static_cast<int>(threadIdx.x); i <= n; i += static_cast<int>(blockDim.x)) out[i] = 1;
}

__global__ void beyond_shared(float* out) {
  auto& shared = dynamic_shared<Numbers>();
  const unsigned me = threadIdx.x;
  (&shared.of[0])[me + 1] = 1;
  __syncthreads();
  out[me] = shared.of[me];
}

__global__ void never_written(float* out) {
  out[threadIdx.x] = dynamic_shared<Numbers>().of[threadIdx.x];
}

__global__ void warp_sums(float* out) {
  float sum = static_cast<float>(threadIdx.x);
  for (int bits = 16; bits > 0; bits /= 2) sum += __shfl_xor_sync(0xFFFFFFFFu, sum, bits);
  const unsigned odd = __ballot_sync(0xFFFFFFFFu, threadIdx.x % 2);
  out[threadIdx.x] = odd == 0xAAAAAAAAu ? sum : -1.0f;
}

// Whether `body`, in a process of its own (a sanitizer ends it), returned 0.
template <class Body>
bool goes_well(Body&& body) {
  const pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stderr)) _exit(9);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int run_alone(unsigned threads, void (*kernel)(float*)) {
  Device device;
  device.launch(threads, kernel, device.numbers(kThreads));
  return device.wait() == cudaSuccess ? 0 : 1;
}

}  // namespace

TEST_CASE("correct kernels run, under every order of threads") {
  for (int i = 0; i < 20; ++i) CHECK(run_rounds<true, true>() == 0);
  Device device;
  float* out = device.numbers(64);
  device.launch(64, warp_sums, out);
  float host[64];
  cudaMemcpyAsync(host, out, sizeof host, cudaMemcpyDeviceToHost, device.stream);
  REQUIRE(device.wait() == cudaSuccess);
  CHECK(host[0] == 31 * 32 / 2);
  CHECK(host[63] == 31 * 32 / 2 + 32 * 32);
}

TEST_CASE("a missing barrier is seen in every one of 20 runs") {
  int first = 0, second = 0;
  // In one process of its own per run: the order of threads goes on from launch to launch.
  for (int i = 0; i < 20; ++i) {
    first += !goes_well([&] {
      for (int k = 0; k < i; ++k) run_rounds<true, true>();
      return run_rounds<false, true>();
    });
    second += !goes_well([&] {
      for (int k = 0; k < i; ++k) run_rounds<true, true>();
      return run_rounds<true, false>();
    });
  }
  CHECK(first == 20);
  CHECK(second == 20);
}

TEST_CASE("a barrier that not all threads come to is told with its place") {
  for (const auto kernel : {divergent, ends_early, wrong_mask}) {
    Device device;
    device.launch(kThreads, kernel, device.numbers(kThreads));
    const cudaError_t error = device.wait();
    CHECK(error == cudaErrorLaunchFailure);
    const std::string why = cudaGetErrorString(error);
    INFO(why);
    CHECK(why.find("divergent barrier: thread (") == 0);
    CHECK(why.find("emulation_test.cpp:") != std::string::npos);
  }
  // The device goes on to be usable.
  CHECK(run_rounds<true, true>() == 0);
}

TEST_CASE("a write beyond device or shared memory is seen") {
  CHECK_FALSE(goes_well([] {
    Device device;
    device.launch(kThreads, one_too_far, device.numbers(100), 100);
    return device.wait() == cudaSuccess ? 0 : 1;
  }));
  CHECK_FALSE(goes_well([] { return run_alone(kThreads, beyond_shared); }));
  CHECK(goes_well([] { return run_alone(kThreads, rounds<true, true>); }));
}

TEST_CASE("memory that nobody wrote is not a number") {
  Device device;
  float* out = device.numbers(kThreads);
  float* untouched = device.numbers(1);
  device.launch(kThreads, never_written, out);
  float host[kThreads], other = 0;
  cudaMemcpyAsync(host, out, sizeof host, cudaMemcpyDeviceToHost, device.stream);
  cudaMemcpyAsync(&other, untouched, sizeof other, cudaMemcpyDeviceToHost, device.stream);
  REQUIRE(device.wait() == cudaSuccess);
  CHECK(std::isnan(host[0]));
  CHECK(std::isnan(host[kThreads - 1]));
  CHECK(std::isnan(other));
}

TEST_CASE("what is not waited for has not happened") {
  Device device;
  float* out = device.numbers(kThreads);
  float host[kThreads] = {};
  device.launch(kThreads, rounds<true, true>, out);
  cudaMemcpyAsync(host, out, sizeof host, cudaMemcpyDeviceToHost, device.stream);
  CHECK(host[1] == 0);
  REQUIRE(device.wait() == cudaSuccess);
  CHECK(host[1] == 3000 + 3 * 38);
}

__global__ void add_one(float* out) { out[threadIdx.x] += 1; }

TEST_CASE("captured work runs only when it is launched, as often as it is") {
  Device device;
  float* out = device.numbers(4);
  float host[4] = {1, 2, 3, 4};
  cudaMemcpyAsync(out, host, sizeof host, cudaMemcpyHostToDevice, device.stream);
  REQUIRE(device.wait() == cudaSuccess);
  cudaStreamBeginCapture(device.stream, cudaStreamCaptureModeThreadLocal);
  device.launch(4, add_one, out);
  CHECK(device.wait() == cudaErrorStreamCaptureUnsupported);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t work = nullptr;
  cudaStreamEndCapture(device.stream, &graph);
  cudaGraphInstantiate(&work, graph, 0);
  cudaGraphDestroy(graph);
  for (int i = 0; i < 3; ++i) cudaGraphLaunch(work, device.stream);
  cudaMemcpyAsync(host, out, sizeof host, cudaMemcpyDeviceToHost, device.stream);
  REQUIRE(device.wait() == cudaSuccess);
  CHECK(host[0] == 4);
  CHECK(host[3] == 7);
  cudaGraphExecDestroy(work);
}

// d = a [16 x 16] b [16 x 8] of bf16 in memory, by one warp.
struct Matrices {
  std::uint16_t a[16][16], b[16][8];
};
__global__ void multiplied(const Matrices* from, float* d) {
  auto& matrices = dynamic_shared<Matrices>();
  const unsigned me = threadIdx.x;
  for (unsigned i = me; i < sizeof(Matrices) / 16; i += 32)
    ratnet::copy_async(reinterpret_cast<char*>(&matrices) + 16 * i,
                       reinterpret_cast<const char*>(from) + 16 * i);
  ratnet::commit_copies();
  ratnet::wait_copies<0>();
  __syncwarp(0xFFFFFFFFu);
  std::uint32_t a[4], both[4];
  ratnet::load_matrices(a, &matrices.a[me % 16][me / 16 * 8]);
  // The upper half of the lanes names rows once more, for matrices that are not used.
  ratnet::load_matrices_transposed(both, &matrices.b[me % 16][0]);
  const std::uint32_t b[2] = {both[0], both[1]};
  float sum[4] = {};
  ratnet::multiply_bf16(sum, a, b);
  for (unsigned i = 0; i < 4; ++i) d[(me / 4 + i / 2 * 8) * 8 + me % 4 * 2 + i % 2] = sum[i];
}

__global__ void multiplied_tf32(const float* a, const float* b, float* d) {
  const unsigned g = threadIdx.x / 4, t = threadIdx.x % 4;
  const auto tf32 = [](float value) { return ratnet::rounded_to_tf32(value); };
  const std::uint32_t af[4] = {tf32(a[g * 8 + t]), tf32(a[(g + 8) * 8 + t]), tf32(a[g * 8 + t + 4]),
                               tf32(a[(g + 8) * 8 + t + 4])};
  const std::uint32_t bf[2] = {tf32(b[t * 8 + g]), tf32(b[(t + 4) * 8 + g])};
  float sum[4] = {};
  ratnet::multiply_tf32(sum, af, bf);
  for (unsigned i = 0; i < 4; ++i) d[(g + i / 2 * 8) * 8 + t * 2 + i % 2] = sum[i];
}

TEST_CASE("tensor cores multiply: loads, transposed loads, bf16 and tf32") {
  Matrices matrices;
  float a[16][8], b[8][8];  // a value depends on both indices, so that no swap goes unseen
  for (int i = 0; i < 16; ++i) {
    for (int k = 0; k < 16; ++k)
      matrices.a[i][k] = static_cast<std::uint16_t>(ratnet::packed_bf16(float(i - 3 * k), 0));
    for (int k = 0; k < 8; ++k) a[i][k] = float(i - 3 * k);
  }
  for (int k = 0; k < 16; ++k)
    for (int j = 0; j < 8; ++j)
      matrices.b[k][j] = static_cast<std::uint16_t>(ratnet::packed_bf16(float(5 * k + j * j), 0));
  for (int k = 0; k < 8; ++k)
    for (int j = 0; j < 8; ++j) b[k][j] = float(5 * k + j * j);

  Device device;
  float* out = device.numbers(256);
  float* in = device.numbers(sizeof matrices / 4 + 192);
  float* more = in + sizeof matrices / 4;
  cudaMemcpyAsync(in, &matrices, sizeof matrices, cudaMemcpyHostToDevice, device.stream);
  cudaMemcpyAsync(more, a, sizeof a, cudaMemcpyHostToDevice, device.stream);
  cudaMemcpyAsync(more + 128, b, sizeof b, cudaMemcpyHostToDevice, device.stream);
  static_assert(sizeof(Matrices) > sizeof(Numbers));
  cudaLaunchConfig_t config;
  config.blockDim = dim3(32);
  config.dynamicSmemBytes = sizeof(Matrices);
  config.stream = device.stream;
  cudaLaunchKernelEx(&config, multiplied, reinterpret_cast<const Matrices*>(in), out);
  cudaLaunchKernelEx(&config, multiplied_tf32, static_cast<const float*>(more),
                     static_cast<const float*>(more + 128), out + 128);
  float host[256];
  cudaMemcpyAsync(host, out, sizeof host, cudaMemcpyDeviceToHost, device.stream);
  REQUIRE(device.wait() == cudaSuccess);
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j) {
      float long_sum = 0, short_sum = 0;
      for (int k = 0; k < 16; ++k) long_sum += float(i - 3 * k) * float(5 * k + j * j);
      for (int k = 0; k < 8; ++k) short_sum += a[i][k] * b[k][j];
      CHECK(host[i * 8 + j] == long_sum);
      CHECK(host[128 + i * 8 + j] == short_sum);
    }
}

template <bool kWaits>
__global__ void copied(const float* from, float* out) {
  auto& numbers = dynamic_shared<Numbers>();
  ratnet::copy_async(&numbers.of[4 * threadIdx.x], from + 4 * threadIdx.x, threadIdx.x % 2 == 0);
  ratnet::commit_copies();
  if (kWaits) ratnet::wait_copies<0>();
  for (unsigned i = 0; i < 4; ++i) out[4 * threadIdx.x + i] = numbers.of[4 * threadIdx.x + i];
}

TEST_CASE("an asynchronous copy lands by when it is waited for, perhaps at once") {
  Device device;
  float* from = device.numbers(kThreads);
  std::vector<float> host(kThreads, 3);
  cudaMemcpyAsync(from, host.data(), kThreads * 4, cudaMemcpyHostToDevice, device.stream);
  const auto result = [&](auto kernel) {
    float* out = device.numbers(kThreads);
    device.launch(32, kernel, from, out);
    cudaMemcpyAsync(host.data(), out, kThreads * 4, cudaMemcpyDeviceToHost, device.stream);
    REQUIRE(device.wait() == cudaSuccess);
    return host;
  };
  std::vector<float> copied_all;
  for (int i = 0; i < kThreads; ++i) copied_all.push_back(i / 4 % 2 == 0 ? 3.0f : 0.0f);
  int landed = 0, missing = 0;
  for (int i = 0; i < 20; ++i) {
    CHECK(result(copied<true>) == copied_all);
    const std::vector<float> unwaited = result(copied<false>);
    landed += unwaited == copied_all;
    missing += std::all_of(unwaited.begin(), unwaited.end(), [](float v) { return v != v; });
  }
  CHECK(landed + missing == 20);
  CHECK(landed > 0);
  CHECK(missing > 0);
}

TEST_CASE("rounding to bf16 and tf32 is to nearest") {
  CHECK(ratnet::packed_bf16(1.0f, -2.0f) == 0xC0003F80u);
  CHECK(ratnet::packed_bf16(0x1.01p0f, 0x1.03p0f) == 0x3F823F80u);  // ties go to even
  CHECK(ratnet::packed_bf16(0x1.02p0f, 0x1.011p0f) == 0x3F813F81u);
  CHECK(ratnet::rounded_to_tf32(0x1.001p0f) == 0x3F800000u);
  CHECK(ratnet::rounded_to_tf32(0x1.002p0f) == 0x3F802000u);  // a tie goes away from 0
}

TEST_CASE("a stream that follows an event begins after it, one that does not may not") {
  // One writes, the other reads. The reader is waited for alone.
  const auto read_after = [](bool follows) {
    Device writer, reader;
    float* out = writer.numbers(kThreads);
    float host[kThreads] = {};
    cudaEvent_t written = nullptr;
    cudaEventCreateWithFlags(&written, cudaEventDisableTiming);
    writer.launch(kThreads, rounds<true, true>, out);
    cudaEventRecord(written, writer.stream);
    if (follows) cudaStreamWaitEvent(reader.stream, written, 0);
    cudaEventDestroy(written);
    cudaMemcpyAsync(host, out, sizeof host, cudaMemcpyDeviceToHost, reader.stream);
    REQUIRE(reader.wait() == cudaSuccess);
    return host[1];
  };
  CHECK(read_after(true) == 3000 + 3 * 38);
  CHECK(std::isnan(read_after(false)));
}

TEST_CASE("the host waits for an event, not for what comes after it") {
  Device device;
  float* out = device.numbers(kThreads);
  float host[2][kThreads] = {};
  cudaEvent_t first = nullptr;
  cudaEventCreateWithFlags(&first, cudaEventDisableTiming);
  device.launch(kThreads, rounds<true, true>, out);
  cudaMemcpyAsync(host[0], out, sizeof host[0], cudaMemcpyDeviceToHost, device.stream);
  cudaEventRecord(first, device.stream);
  cudaMemcpyAsync(host[1], out, sizeof host[1], cudaMemcpyDeviceToHost, device.stream);
  REQUIRE(cudaEventSynchronize(first) == cudaSuccess);
  CHECK(host[0][1] == 3000 + 3 * 38);
  CHECK(host[1][1] == 0);
  cudaEventDestroy(first);
  REQUIRE(device.wait() == cudaSuccess);
}

TEST_CASE("the larger of two numbers is NaN where one of them is") {
  const float nan = std::nanf("");
  CHECK(ratnet::larger(1.0f, 2.0f) == 2.0f);
  CHECK(ratnet::larger(2.0f, 1.0f) == 2.0f);
  CHECK(std::isnan(ratnet::larger(nan, 1.0f)));
  CHECK(std::isnan(ratnet::larger(1.0f, nan)));
}

TEST_CASE("launches that no device takes are refused") {
  Device device;
  cudaLaunchConfig_t config;
  config.stream = device.stream;
  for (const dim3 block : {dim3(0), dim3(1025), dim3(1, 1, 65)}) {
    config.blockDim = block;
    CHECK(cudaLaunchKernelEx(&config, divergent, static_cast<float*>(nullptr)) ==
          cudaErrorInvalidConfiguration);
  }
  config.blockDim = dim3(32);
  config.dynamicSmemBytes = (std::size_t{48} << 10) + 1;
  CHECK(cudaLaunchKernelEx(&config, divergent, static_cast<float*>(nullptr)) ==
        cudaErrorInvalidConfiguration);
  // More shared memory is there for kernels that ask.
  const auto kernel = reinterpret_cast<const void*>(divergent);
  CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 228 << 10) ==
        cudaErrorInvalidValue);
  CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 100 << 10) ==
        cudaSuccess);
  config.dynamicSmemBytes = std::size_t{100} << 10;
  CHECK(cudaLaunchKernelEx(&config, divergent, device.numbers(32)) == cudaSuccess);
  void* memory = nullptr;
  CHECK(cudaMallocAsync(&memory, std::size_t{2} << 30, device.stream) == cudaErrorMemoryAllocation);
  CHECK(memory == nullptr);
}

TEST_CASE("copies whose ends are not where they are said to be are refused") {
  Device device;
  float* there = device.numbers(4);
  float host[8] = {};
  const auto copied = [&](void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
    return cudaMemcpyAsync(to, from, bytes, kind, device.stream);
  };
  CHECK(copied(there, host, 16, cudaMemcpyHostToDevice) == cudaSuccess);
  CHECK(copied(there, host, 17, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(copied(there + 2, host, 8, cudaMemcpyHostToDevice) == cudaSuccess);
  CHECK(copied(host + 4, host, 16, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(copied(there, there, 16, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(copied(host, there, 16, cudaMemcpyDeviceToHost) == cudaSuccess);
  CHECK(copied(host, host, 16, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
  CHECK(cudaMemsetAsync(there, 0, 17, device.stream) == cudaErrorInvalidValue);
  CHECK(device.wait() == cudaSuccess);
}
