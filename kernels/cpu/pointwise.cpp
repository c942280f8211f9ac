#include "../pointwise.h"

#include <algorithm>
#include <cmath>

#include "../../core/random.h"
#include "cpu_queue.h"
#include "pointwise_pieces.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pointwise.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void add(const Add& op, std::int64_t first, std::int64_t last) {
  const T* a = op.a.as<T>();
  const T* b = op.b.as<T>();
  T* y = op.y.as<T>();
  const T slope = static_cast<T>(op.slope);
  const Activation activation = op.activation;
  for_vectors<T>(first, last, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto sum = hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i));
    hn::StoreU(activated(d, sum, activation, slope), d, y + i);
  });
}

void AddPiece(const Add& op, std::int64_t first, std::int64_t last) {
  op.a.dtype == DType::f64 ? add<double>(op, first, last) : add<float>(op, first, last);
}

template <class T>
void multiply(const Multiply& op, std::int64_t first, std::int64_t last) {
  const T* a = op.a.as<T>();
  const T* b = op.b.as<T>();
  T* y = op.y.as<T>();
  for_vectors<T>(first, last, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  });
}

void MultiplyPiece(const Multiply& op, std::int64_t first, std::int64_t last) {
  op.a.dtype == DType::f64 ? multiply<double>(op, first, last) : multiply<float>(op, first, last);
}

constexpr std::int64_t kBlocks = 64;

// The top 24 bits of the numbers that philox gives for counters first .. first + kBlocks - 1.
void random_bits(const Dropout& op, std::int64_t first, std::int32_t* bits) {
  const auto seed = static_cast<std::uint64_t>(op.key.as<std::int64_t>()[0]);
  const auto step = static_cast<std::uint32_t>(op.key.as<std::int64_t>()[1]);
#if HWY_TARGET == HWY_SCALAR
  for (std::int64_t i = 0; i < kBlocks; ++i) {
    const auto block = philox({static_cast<std::uint32_t>(first + i), step, op.stream, 0}, seed);
    for (std::size_t j = 0; j < 4; ++j) bits[4 * i + j] = static_cast<std::int32_t>(block[j] >> 8);
  }
#else
  // One counter in each 64-bit lane, so that a product needs no shuffling. Only the low halves
  // count: the multiplication reads no more, and the upper ones are shifted out at the end.
  const hn::ScalableTag<std::uint64_t> d;
  const hn::Repartition<std::uint32_t, decltype(d)> halves;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto a = hn::Set(halves, 0xD2511F53u), b = hn::Set(halves, 0xCD9E8D57u);
  for (std::int64_t i = 0; i < kBlocks; i += lanes) {
    auto c0 = hn::Add(hn::Iota(d, 0), hn::Set(d, static_cast<std::uint64_t>(first + i)));
    auto c1 = hn::Set(d, step), c2 = hn::Set(d, op.stream), c3 = hn::Zero(d);
    auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const auto p = hn::MulEven(hn::BitCast(halves, c0), a);
      const auto q = hn::MulEven(hn::BitCast(halves, c2), b);
      c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(q), c1), hn::Set(d, k0));
      c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p), c3), hn::Set(d, k1));
      c1 = q;
      c3 = p;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    const auto low = hn::Set(d, 0xFFFFFFu), high = hn::ShiftLeft<32>(low);
    const auto pair = [&](auto even, auto odd) HWY_ATTR {
      return hn::Or(hn::And(hn::ShiftRight<8>(even), low), hn::And(hn::ShiftLeft<24>(odd), high));
    };
    hn::StoreInterleaved2(pair(c0, c1), pair(c2, c3), d,
                          reinterpret_cast<std::uint64_t*>(bits + 4 * i));
  }
#endif
}

template <class T>
void drop(const Dropout& op, std::int64_t first, std::int64_t last) {
  const T* x = op.x.as<T>();
  T* y = op.y.as<T>();
  const T keep = static_cast<T>(op.keep);
  // unit_float(number) < keep, for its top 24 bits as an integer.
  const T limit = static_cast<T>(std::ceil(op.keep * 0x1p24));
  alignas(64) std::int32_t bits[4 * kBlocks];
  for (std::int64_t start = first; start < last; start += 4 * kBlocks) {  // a piece begins at 4 i
    random_bits(op, start / 4, bits);
    for_vectors<T>(0, std::min(4 * kBlocks, last - start), [&](auto d, std::int64_t i) HWY_ATTR {
      const auto kept = hn::Lt(load_as(d, bits + i), hn::Set(d, limit));
      const auto v = hn::Div(hn::LoadU(d, x + start + i), hn::Set(d, keep));
      hn::StoreU(hn::IfThenElseZero(kept, v), d, y + start + i);
    });
  }
}

void DropoutPiece(const Dropout& op, std::int64_t first, std::int64_t last) {
  op.y.dtype == DType::f64 ? drop<double>(op, first, last) : drop<float>(op, first, last);
}

// Multiplied, then added, never fused: every instruction set gives the same bits.
template <class T, class X>
void convert(const Convert& op, std::int64_t first, std::int64_t last) {
  using Wider = std::conditional_t<(sizeof(X) > sizeof(T)), X, T>;
  const X* x = op.x.as<X>();
  T* y = op.y.as<T>();
  const T scale = static_cast<T>(op.scale);
  const T offset = static_cast<T>(op.offset);
  for_vectors<Wider>(first, last, [&](auto wider, std::int64_t i) HWY_ATTR {
    const hn::Rebind<T, decltype(wider)> d;
    const auto v = hn::Mul(load_as(d, x + i), hn::Set(d, scale));
    hn::StoreU(hn::Add(v, hn::Set(d, offset)), d, y + i);
  });
}

template <class T>
void convert_to(const Convert& op, std::int64_t first, std::int64_t last) {
  switch (op.x.dtype) {
    case DType::u8: return convert<T, std::uint8_t>(op, first, last);
    case DType::u16: return convert<T, std::uint16_t>(op, first, last);
    case DType::i16: return convert<T, std::int16_t>(op, first, last);
    case DType::f32: return convert<T, float>(op, first, last);
    default: return convert<T, double>(op, first, last);
  }
}

void ConvertPiece(const Convert& op, std::int64_t first, std::int64_t last) {
  op.y.dtype == DType::f64 ? convert_to<double>(op, first, last)
                           : convert_to<float>(op, first, last);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
namespace {
HWY_EXPORT(AddPiece);
HWY_EXPORT(ConvertPiece);
HWY_EXPORT(DropoutPiece);
HWY_EXPORT(MultiplyPiece);
}  // namespace

void run_piece(const Add& op, std::int64_t first, std::int64_t last) {
  HWY_DYNAMIC_DISPATCH(AddPiece)(op, first, last);
}

void run_piece(const Multiply& op, std::int64_t first, std::int64_t last) {
  HWY_DYNAMIC_DISPATCH(MultiplyPiece)(op, first, last);
}

void run(CpuQueue& queue, const Add& op) {
  for_pieces(queue, op.y.count(),
             [&](std::int64_t first, std::int64_t last) { run_piece(op, first, last); });
}

void run(CpuQueue& queue, const Multiply& op) {
  for_pieces(queue, op.y.count(),
             [&](std::int64_t first, std::int64_t last) { run_piece(op, first, last); });
}

void run(CpuQueue& queue, const Convert& op) {
  if (!op.scales)
    return for_pieces(queue, op.y.count(), [&](std::int64_t first, std::int64_t last) {
      HWY_DYNAMIC_DISPATCH(ConvertPiece)(op, first, last);
    });
  const std::int64_t samples = op.x.shape[0], size = samples ? op.x.count() / samples : 0;
  parallel_for(*queue.executor, samples, [&](std::int64_t sample, int) {
    Convert scaled = op;
    scaled.scale *= static_cast<double>(op.scales.as<float>()[sample]);
    HWY_DYNAMIC_DISPATCH(ConvertPiece)(scaled, sample * size, (sample + 1) * size);
  });
}

void run(CpuQueue&, const SetNumbers& op) {
  if (op.y.dtype == DType::f64)
    std::copy_n(op.reals.begin(), op.y.count(), op.y.as<double>());
  else
    std::copy_n(op.integers.begin(), op.y.count(), op.y.as<std::int64_t>());
}

void run(CpuQueue& queue, const Dropout& op) {
  for_pieces(queue, op.y.count(), [&](std::int64_t first, std::int64_t last) {
    HWY_DYNAMIC_DISPATCH(DropoutPiece)(op, first, last);
  });
}

}  // namespace ratnet::inline v1
#endif
