#include "machine_peaks.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "cpu_queue.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/machine_peaks.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Sums at once: two multiply-adds a cycle that take four to five cycles each need ten, and more
// than 12 do not fit into 16 registers beside the factors.
constexpr int kSums = 12;

template <int... i>
HWY_INLINE float MultiplyAdds(std::int64_t repeats, std::integer_sequence<int, i...>) {
  const D d;
  // Towards 1 from above: neither denormal nor infinite.
  const V factor = hn::Set(d, 0.999f), term = hn::Set(d, 0.001f);
  V sums[] = {hn::Set(d, 1.0f + static_cast<float>(i))...};
  for (std::int64_t r = 0; r < repeats; ++r) ((sums[i] = hn::MulAdd(sums[i], factor, term)), ...);
  V total = hn::Zero(d);
  ((total = hn::Add(total, sums[i])), ...);
  return hn::GetLane(total);
}

// What it computed, so that it is computed; `operations`: how many floating-point operations.
float ManyMultiplyAdds(std::int64_t repeats, double& operations) {
  operations = 2.0 * kSums * static_cast<double>(hn::Lanes(D())) * static_cast<double>(repeats);
  return MultiplyAdds(repeats, std::make_integer_sequence<int, kSums>());
}

constexpr int kStreams = 8;

template <int... i>
HWY_INLINE float Read(const float* x, std::int64_t count, std::integer_sequence<int, i...>) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  V sums[] = {hn::Set(d, static_cast<float>(i))...};
  for (std::int64_t k = 0; k + kStreams * lanes <= count; k += kStreams * lanes)
    ((sums[i] = hn::Add(sums[i], hn::LoadU(d, x + k + i * lanes))), ...);
  V total = hn::Zero(d);
  ((total = hn::Add(total, sums[i])), ...);
  return hn::GetLane(total);
}

// Reads `count` numbers, a multiple of 1024.
float ReadAll(const float* x, std::int64_t count) {
  return Read(x, count, std::make_integer_sequence<int, kStreams>());
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
namespace {

HWY_EXPORT(ManyMultiplyAdds);
HWY_EXPORT(ReadAll);

// The shortest time of many tries of a millisecond or two, which what else the machine does spares
// now and then; the first ones are not counted.
template <class Work>
double best_seconds(int tries, Work&& work) {
  using Clock = std::chrono::steady_clock;
  constexpr int kUncounted = 4;
  double best = 1e30;
  for (int i = 0; i < kUncounted + tries; ++i) {
    const auto start = Clock::now();
    work(i);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (i >= kUncounted) best = std::min(best, seconds);
  }
  return best;
}

// Floats of a buffer that the last cache does not hold; a cache nobody tells of is taken to be
// small.
std::int64_t uncached_floats() {
  constexpr std::int64_t kLeast = std::int64_t{64} << 20, kMost = std::int64_t{256} << 20;
  std::int64_t cache = 0;
  for (const int level : {_SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE, _SC_LEVEL4_CACHE_SIZE})
    cache = std::max<std::int64_t>(cache, sysconf(level));
  return std::clamp(2 * cache, kLeast, kMost) / static_cast<std::int64_t>(sizeof(float));
}

}  // namespace

MachinePeaks measure_peaks(Queue& queue) {
  if (queue.device.kind != DeviceKind::cpu)
    fail(ErrorKind::device, "the peaks of ", to_string(queue.device), " are not known; of a cpu");
  Executor& executor = *static_cast<CpuQueue&>(queue).executor;
  const int threads = executor.workers();
  // Pieces far shorter than a try, so that a thread that wakes late does less in place of all
  // others waiting for it.
  const std::int64_t pieces = std::int64_t{threads} * 32;
  std::vector<float> sinks(static_cast<std::size_t>(threads));
  // The shortest time for all pieces; piece: its index, the worker, the try.
  const auto time = [&](int tries, auto&& piece) {
    return best_seconds(tries, [&](int number) {
      parallel_for(executor, pieces, [&](std::int64_t i, int worker) {
        sinks[static_cast<std::size_t>(worker)] += piece(i, worker, number);
      });
    });
  };

  MachinePeaks peaks{.threads = threads};
  constexpr std::int64_t kRepeats = 10000;
  double operations = 0;  // of one repeat
  HWY_DYNAMIC_DISPATCH(ManyMultiplyAdds)(1, operations);
  peaks.flops_per_s =
      operations * static_cast<double>(kRepeats * pieces) / time(60, [](std::int64_t, int, int) {
        double ignored;
        return HWY_DYNAMIC_DISPATCH(ManyMultiplyAdds)(kRepeats, ignored);
      });

  // A try reads the next of so many parts: when it is this part's turn again, all others have gone
  // through the cache.
  constexpr int kParts = 16;
  const std::int64_t length = uncached_floats() / (kParts * pieces) / 1024 * 1024;
  Tensor memory({kParts * pieces * length}, DType::f32);
  const auto values = memory.values<float>();
  // Written, because memory that nobody wrote may be one page of zeros over and over.
  parallel_for(executor, kParts * pieces, [&](std::int64_t i, int) {
    std::fill_n(values.begin() + i * length, length, 1.0f);
  });
  peaks.memory_bytes_per_s =
      static_cast<double>(pieces * length) * sizeof(float) /
      time(3 * kParts, [&](std::int64_t i, int, int number) {
        const std::int64_t part = number % kParts;
        return HWY_DYNAMIC_DISPATCH(ReadAll)(values.data() + (part * pieces + i) * length, length);
      });

  constexpr std::int64_t kCached = (std::int64_t{128} << 10) / 4, kReadings = 16;
  Tensor near({kCached * threads}, DType::f32);
  std::fill(near.values<float>().begin(), near.values<float>().end(), 1.0f);
  const float* cached = near.values<float>().data();
  peaks.cache_bytes_per_s =
      static_cast<double>(pieces * kReadings * kCached) * sizeof(float) /
      time(60, [&](std::int64_t, int worker, int) {
        float sum = 0;
        for (std::int64_t r = 0; r < kReadings; ++r)
          sum += HWY_DYNAMIC_DISPATCH(ReadAll)(cached + worker * kCached, kCached);
        return sum;
      });
  return peaks;
}

}  // namespace ratnet::inline v1
#endif
