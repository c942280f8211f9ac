// RatNet's convolutions, [N, 64, 64, 1] -> [N, 8, 8, 32]: three times 3 x 3 to 32 channels, ReLU
// and 2 x 2 maxima.
//
// Blocks stay and take slice after slice; the next one arrives while this one is computed. What
// lies between the convolutions is in shared memory only. The first two pass over the slice in two
// halves: the upper 16 of the 32 lines between them, then the lower 16, so that half of that image
// (and a line more on either side) is there at a time, which leaves room for a second block on the
// processor, or for f32 numbers at all. A slice's sums have one order, whatever the grid and the
// rest of the batch.
//
// Barriers: one after each half of the first and of the second convolution. The third runs on into
// the next slice's first, which touches nothing that it reads.
#include "ratnet_convs.h"

#include "chain_images.h"
#include "chain_numbers.h"
#include "chain_tile.h"
#include "launch.h"

namespace ratnet::inline v1 {
namespace {

constexpr int kStages = 3;
constexpr int kWarps = 8, kThreads = 32 * kWarps;
constexpr int kHalves = 2;
constexpr int kHalfLines = kSide / 2 / kHalves;  // of the image after the first pooling

template <class Numbers>
constexpr int kFirstFragments = Numbers::kTapWords / 2;

template <class Numbers, class Pixel>
struct Memory {
  ChannelImage<Numbers, kHalfLines + 2, kSide / 2 + 2> first;  // half of it, and its neighbours
  ChannelImage<Numbers, kSide / 4 + 2, kSide / 4 + 2> second;
  Slice<Pixel> slices[2];
  // Up to here it begins as zeros, which the borders stay.
  Fragments first_weights[kFirstFragments<Numbers>];
  Fragments weights[2][kWeightFragments<Numbers>];
  float bias[kStages][kChannels];
};

// What compute capability 9.0 gives a block; the others need less.
static_assert(sizeof(Memory<F32Numbers, float>) <= 227 << 10);

// How many blocks a processor with 228 KiB of shared memory holds, of which each takes 1 KiB more.
template <class Numbers, class Pixel>
constexpr int kBlocks = sizeof(Memory<Numbers, Pixel>) <= (113 << 10) ? 2 : 1;

template <class Pixel>
struct Arguments {
  std::int64_t slices;
  const Pixel* x;
  const float* scale;            // or nullptr
  const float* weight[kStages];  // [3, 3, Cin, 32]
  const float* bias[kStages];    // or nullptr
  float* y;
};

// What a lane holds of a pixel's 9 taps: line t of the kernel; the lanes with t = 3 hold the zeros
// that fill up a fragment. Weights have the same order.
template <class Numbers>
__device__ std::uint32_t first_weight(const float* weight, const FragmentPlace& at) {
  float taps[kTaps] = {};
  if (at.t() < kTaps)
    for (int kx = 0; kx < kTaps; ++kx)
      taps[kx] = weight[(at.t() * kTaps + kx) * kChannels + at.output()];
  std::uint32_t words[Numbers::kTapWords];
  Numbers::words_of_taps(taps[0], taps[1], taps[2], words);
  std::uint32_t word = 0;
  unrolled<Numbers::kTapWords>([&](int i) {
    if (i == 2 * at.fragment + at.word()) word = words[i];
  });
  return word;
}

template <class Numbers, class Pixel>
__device__ void prepare(Memory<Numbers, Pixel>& memory, const Arguments<Pixel>& a) {
  const int me = static_cast<int>(threadIdx.x);
  auto* const zeros = reinterpret_cast<std::uint32_t*>(&memory);
  constexpr int kZeros = static_cast<int>(
      (sizeof memory.first + sizeof memory.second + sizeof memory.slices) / sizeof(std::uint32_t));
  for (int i = me; i < kZeros; i += kThreads) zeros[i] = 0;

  for (int i = me; i < kFragmentWords * kFirstFragments<Numbers>; i += kThreads) {
    const FragmentPlace at(i);
    at.in(memory.first_weights) = first_weight<Numbers>(a.weight[0], at);
  }
  unrolled<kStages - 1>([&](int stage) {
    for (int i = me; i < kFragmentWords * kWeightFragments<Numbers>; i += kThreads) {
      const FragmentPlace at(i);
      const int tap = at.fragment / kSteps<Numbers>, step = at.fragment % kSteps<Numbers>;
      const float* const from = a.weight[1 + stage] + tap * kChannels * kChannels + at.output();
      at.in(memory.weights[stage]) = Numbers::weight(
          [&](int channel) { return from[channel * kChannels]; }, step, at.t(), at.word());
    }
  });
  unrolled<kStages>([&](int stage) {
    if (me < kChannels) memory.bias[stage][me] = a.bias[stage] ? a.bias[stage][me] : 0.0f;
  });
}

template <class Pixel>
__device__ void fetch(Slice<Pixel>& slice, const Pixel* x) {
  constexpr int kAtOnce = 16 / sizeof(Pixel);
  for (int i = static_cast<int>(threadIdx.x) * kAtOnce; i < kSlicePixels; i += kThreads * kAtOnce)
    copy_async(slice.pixels + Slice<Pixel>::place(i / kSide, i % kSide), x + i);
  commit_copies();
}

// Fills one half of the image after the first pooling, each warp 8 columns of the slice. A
// scale's sign goes to the weights, because only then the maximum of the sums is that of the
// results.
template <class Numbers, class Pixel>
__device__ void first_convolution(Memory<Numbers, Pixel>& memory, const Slice<Pixel>& slice,
                                  float scale, int half) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int g = lane / 4, t = lane % 4;
  const LaneBias bias(memory.bias[0], lane);
  WarpWeights<Numbers> weights[kFirstFragments<Numbers>];
  for (int k = 0; k < kFirstFragments<Numbers>; ++k)
    weights[k] = warp_weights<Numbers>(memory.first_weights[k], lane);
  if (scale < 0)
    for (auto& fragment : weights)
      for (auto& group : fragment.of)
        for (auto& word : group) word = Numbers::negated(word);
  // The lanes that hold zeros read them from the border.
  const Pixel* const taps =
      slice.pixels + Slice<Pixel>::place(t < kTaps ? t - 1 : -1, 8 * warp + g - 1);
  const int pitch = t < kTaps ? Slice<Pixel>::kPitch : 0;

  // One line of the image is zeros: above its first, or below its last.
  const int zeros = half == 0 ? 0 : kHalfLines + 1;
  using Pair = typename Numbers::Pair;
  auto* const border =
      reinterpret_cast<Pair*>(memory.first.bytes + zeros * memory.first.kLineBytes);
  for (int i = static_cast<int>(threadIdx.x);
       i < memory.first.kLineBytes / static_cast<int>(sizeof(Pair)); i += kThreads)
    border[i] = Pair{};

  for (int i = 0; i <= kHalfLines; ++i) {
    const int line = half == 0 ? 1 + i : i;                 // of the image in memory
    const int y = 2 * (half * kHalfLines + line - 1);       // of the slice
    typename Numbers::Factor words[2][Numbers::kTapWords];  // of pixel g on lines y and y + 1
    for (int lower = 0; lower < 2; ++lower) {
      const Pixel* const from = taps + (y + lower) * pitch;
      std::uint32_t packed[Numbers::kTapWords];
      Numbers::words_of_taps(static_cast<float>(from[0]), static_cast<float>(from[1]),
                             static_cast<float>(from[2]), packed);
      for (int k = 0; k < Numbers::kTapWords; ++k) words[lower][k] = Numbers::factor(packed[k]);
    }
    TileSum sum = {};
    for (int k = 0; k < kFirstFragments<Numbers>; ++k) {
      const typename Numbers::Factor a[4] = {words[0][2 * k], words[1][2 * k], words[0][2 * k + 1],
                                             words[1][2 * k + 1]};
      for (int group = 0; group < kGroups; ++group)
        Numbers::multiply(sum[group], a, weights[k].of[group]);
    }
    float out[2][2];
    pool(sum, fabsf(scale), bias, lane, out);
    for (int k = 0; k < 2; ++k)
      memory.first.store(line, 1 + 4 * warp + g / 2, pooled_output(lane, k),
                         Numbers::packed(out[k][0], out[k][1]));
  }
}

// A half's 32 x 16 outputs, each warp 8 x 8 of them.
template <class Numbers, class Pixel>
__device__ void second_convolution(Memory<Numbers, Pixel>& memory, int half) {
  constexpr int kTiles = 4;
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int column = 8 * (warp % 4), line = 2 * kTiles * (warp / 4);
  TileSum sums[kTiles] = {};
  convolve<Numbers>(memory.first, memory.weights[0], line, column, lane, sums);
  const LaneBias bias(memory.bias[1], lane);
  for (int tile = 0; tile < kTiles; ++tile) {
    float out[2][2];
    pool(sums[tile], 1, bias, lane, out);
    for (int k = 0; k < 2; ++k)
      memory.second.store(1 + (half * kHalfLines + line) / 2 + tile, 1 + column / 2 + lane / 8,
                          pooled_output(lane, k), Numbers::packed(out[k][0], out[k][1]));
  }
}

// The 16 x 16 outputs, each warp 8 columns of 4 lines. y: of this slice.
template <class Numbers, class Pixel>
__device__ void third_convolution(const Memory<Numbers, Pixel>& memory, float* y) {
  constexpr int kTiles = 2;
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int column = 8 * (warp % 2), line = 2 * kTiles * (warp / 2);
  TileSum sums[kTiles] = {};
  convolve<Numbers>(memory.second, memory.weights[1], line, column, lane, sums);
  const LaneBias bias(memory.bias[2], lane);
  for (int tile = 0; tile < kTiles; ++tile) {
    float out[2][2];
    pool(sums[tile], 1, bias, lane, out);
    for (int k = 0; k < 2; ++k) {
      const int pixel = (line / 2 + tile) * (kSide / 8) + column / 2 + lane / 8;
      *reinterpret_cast<F32Numbers::Pair*>(y + pixel * kChannels + pooled_output(lane, k)) =
          F32Numbers::packed(out[k][0], out[k][1]);
    }
  }
}

template <class Numbers, class Pixel>
__global__ void __launch_bounds__(kThreads, kBlocks<Numbers, Pixel>)
    ratnet_convs(Arguments<Pixel> a) {
  using Block = Memory<Numbers, Pixel>;
  auto& memory = dynamic_shared<Block>();
  prepare(memory, a);
  __syncthreads();  // the zeros come before the first slice
  fetch(memory.slices[0], a.x + std::int64_t{blockIdx.x} * kSlicePixels);
  wait_copies<0>();
  __syncthreads();

  int turn = 0;
  for (std::int64_t n = blockIdx.x; n < a.slices; n += gridDim.x) {
    const Slice<Pixel>& slice = memory.slices[turn];
    turn ^= 1;
    if (n + gridDim.x < a.slices) fetch(memory.slices[turn], a.x + (n + gridDim.x) * kSlicePixels);
    const float scale = a.scale ? a.scale[n] : 1.0f;
    for (int half = 0; half < kHalves; ++half) {
      first_convolution(memory, slice, scale, half);
      __syncthreads();
      second_convolution(memory, half);
      // With the last half, the next slice has arrived for everybody.
      if (half == kHalves - 1) wait_copies<0>();
      __syncthreads();
    }
    third_convolution(memory, a.y + n * (kSlicePixels / 64 * kChannels));
  }
}

// function(numbers, pixel) with the types that the chain asks for.
template <class Function>
auto for_types(const ConvChain& op, Function&& function) {
  const auto with = [&](auto numbers) {
    return op.x.dtype == DType::u8 ? function(numbers, std::uint8_t{}) : function(numbers, float{});
  };
  return op.precision == Precision::bf16 ? with(Bf16Numbers{}) : with(F32Numbers{});
}

}  // namespace

std::size_t ratnet_convs_shared_bytes(const ConvChain& op) {
  return for_types(op, []<class Numbers, class Pixel>(Numbers, Pixel) {
    return sizeof(Memory<Numbers, Pixel>);
  });
}

void run_ratnet_convs(CudaQueue& queue, const ConvChain& op) {
  const std::int64_t slices = op.x.shape[0];
  if (slices == 0) return;
  for_types(op, [&]<class Numbers, class Pixel>(Numbers, Pixel) {
    Arguments<Pixel> a = {};
    a.slices = slices;
    a.x = op.x.as<Pixel>();
    a.scale = data_or_null<float>(op.scale);
    a.y = op.y.as<float>();
    for (int i = 0; i < kStages; ++i) {
      a.weight[i] = op.stages[i].weight.as<float>();
      a.bias[i] = data_or_null<float>(op.stages[i].bias);
    }
    const auto blocks = std::min<std::int64_t>(slices, queue.processors * kBlocks<Numbers, Pixel>);
    // Otherwise a device may keep so much as cache that only one block fits.
    const auto kernel = ratnet_convs<Numbers, Pixel>;
    queue.use_device();
    check_cuda(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                    cudaFuncAttributePreferredSharedMemoryCarveout,
                                    cudaSharedmemCarveoutMaxShared),
               op.kName, ": preferring shared memory to cache");
    launch(queue, op.kName, dim3(static_cast<unsigned>(blocks)), dim3(kThreads),
           sizeof(Memory<Numbers, Pixel>), kernel, a);
  });
}

}  // namespace ratnet::inline v1
