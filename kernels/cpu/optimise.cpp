#include "../optimise.h"

#include <algorithm>
#include <cmath>

#include "sum_in_order.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/optimise.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"

// Products are never fused with sums here: these loops wait for memory anyway, and so every
// instruction set gives the same bits.
HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void sgd(const Sgd& op, std::int64_t first, std::int64_t last) {
  T* weight = op.weight.as<T>();
  const T* gradient = op.gradient.as<T>();
  T* velocity = op.momentum != 0 ? op.velocity.as<T>() : nullptr;
  const T rate = static_cast<T>(*op.rate.as<double>());
  const T momentum = static_cast<T>(op.momentum);
  const T decay = static_cast<T>(op.weight_decay);
  for_vectors<T>(first, last, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto w = hn::LoadU(d, weight + i);
    const auto g = hn::Add(hn::LoadU(d, gradient + i), hn::Mul(hn::Set(d, decay), w));
    auto change = g;
    if (velocity) {
      const auto mu = hn::Set(d, momentum);
      const auto v = hn::Add(hn::Mul(mu, hn::LoadU(d, velocity + i)), g);
      hn::StoreU(v, d, velocity + i);
      change = op.nesterov ? hn::Add(g, hn::Mul(mu, v)) : v;
    }
    hn::StoreU(hn::Sub(w, hn::Mul(hn::Set(d, rate), change)), d, weight + i);
  });
}

void SgdPiece(const Sgd& op, std::int64_t first, std::int64_t last) {
  op.weight.dtype == DType::f64 ? sgd<double>(op, first, last) : sgd<float>(op, first, last);
}

template <class T>
void adam(const Adam& op, std::int64_t first, std::int64_t last) {
  T* weight = op.weight.as<T>();
  const T* gradient = op.gradient.as<T>();
  T* first_moment = op.first_moment.as<T>();
  T* second_moment = op.second_moment.as<T>();
  const double* rates = op.rates.as<double>();
  const T rate = static_cast<T>(rates[0]);
  const T unbias = static_cast<T>(rates[1]);
  const T shrink = static_cast<T>(rates[2]);
  const T decay = static_cast<T>(op.weight_decay);
  const T keep1 = static_cast<T>(op.beta1);
  const T take1 = static_cast<T>(1 - op.beta1);
  const T keep2 = static_cast<T>(op.beta2);
  const T take2 = static_cast<T>(1 - op.beta2);
  const T epsilon = static_cast<T>(op.epsilon);
  for_vectors<T>(first, last, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto w = hn::LoadU(d, weight + i);
    const auto g = hn::Add(hn::LoadU(d, gradient + i), hn::Mul(hn::Set(d, decay), w));
    const auto m = hn::Add(hn::Mul(hn::Set(d, keep1), hn::LoadU(d, first_moment + i)),
                           hn::Mul(hn::Set(d, take1), g));
    const auto v = hn::Add(hn::Mul(hn::Set(d, keep2), hn::LoadU(d, second_moment + i)),
                           hn::Mul(hn::Mul(hn::Set(d, take2), g), g));
    const auto spread = hn::Sqrt(hn::Mul(v, hn::Set(d, unbias)));
    const auto change = hn::Div(hn::Mul(hn::Set(d, rate), m), hn::Add(spread, hn::Set(d, epsilon)));
    hn::StoreU(m, d, first_moment + i);
    hn::StoreU(v, d, second_moment + i);
    hn::StoreU(hn::Sub(hn::Mul(w, hn::Set(d, shrink)), change), d, weight + i);
  });
}

void AdamPiece(const Adam& op, std::int64_t first, std::int64_t last) {
  op.weight.dtype == DType::f64 ? adam<double>(op, first, last) : adam<float>(op, first, last);
}

// The sum of squares in eight interleaved sums, whatever the vectors' width. Left to the
// compiler, which makes vectors of them.
template <class T>
double squares(const T* x, std::int64_t n) {
  double sums[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int lane = 0; lane < 8; ++lane) {
      const double value = x[i + lane];
      sums[lane] += value * value;
    }
  for (; i < n; ++i) sums[i % 8] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

double SquaresPiece(const View& x, std::int64_t first, std::int64_t last) {
  return x.dtype == DType::f64 ? squares(x.as<double>() + first, last - first)
                               : squares(x.as<float>() + first, last - first);
}

template <class T>
void scale(T* x, double factor, std::int64_t first, std::int64_t last) {
  for_vectors<T>(first, last, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(hn::Mul(hn::LoadU(d, x + i), hn::Set(d, static_cast<T>(factor))), d, x + i);
  });
}

void ScalePiece(const View& x, double factor, std::int64_t first, std::int64_t last) {
  x.dtype == DType::f64 ? scale(x.as<double>(), factor, first, last)
                        : scale(x.as<float>(), factor, first, last);
}

template <class T>
void blend(const Blend& op, std::int64_t first, std::int64_t last) {
  const T* x = op.x.as<T>();
  T* y = op.y.as<T>();
  const T factor = static_cast<T>(*op.factor.as<double>());
  for_vectors<T>(first, last, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto old = hn::LoadU(d, y + i);
    const auto change = hn::Mul(hn::Set(d, factor), hn::Sub(hn::LoadU(d, x + i), old));
    hn::StoreU(hn::Add(old, change), d, y + i);
  });
}

void BlendPiece(const Blend& op, std::int64_t first, std::int64_t last) {
  op.y.dtype == DType::f64 ? blend<double>(op, first, last) : blend<float>(op, first, last);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
namespace {
HWY_EXPORT(SgdPiece);
HWY_EXPORT(AdamPiece);
HWY_EXPORT(SquaresPiece);
HWY_EXPORT(ScalePiece);
HWY_EXPORT(BlendPiece);
}  // namespace

void run(CpuQueue& queue, const Sgd& op) {
  for_pieces(queue, op.weight.count(), [&](std::int64_t first, std::int64_t last) {
    HWY_DYNAMIC_DISPATCH(SgdPiece)(op, first, last);
  });
}

void run(CpuQueue& queue, const Adam& op) {
  for_pieces(queue, op.weight.count(), [&](std::int64_t first, std::int64_t last) {
    HWY_DYNAMIC_DISPATCH(AdamPiece)(op, first, last);
  });
}

void run(CpuQueue& queue, const Blend& op) {
  for_pieces(queue, op.y.count(), [&](std::int64_t first, std::int64_t last) {
    HWY_DYNAMIC_DISPATCH(BlendPiece)(op, first, last);
  });
}

void run(CpuQueue& queue, const ClipNorm& op) {
  const std::int64_t n = op.gradient.count();
  const double total =
      sum_in_order(queue, n, kPiece, [&](std::int64_t first, std::int64_t last, int) {
        return HWY_DYNAMIC_DISPATCH(SquaresPiece)(op.gradient, first, last);
      });
  const double norm = std::sqrt(total);
  if (op.norm.dtype == DType::f64) {
    *op.norm.as<double>() = norm;
  } else {
    *op.norm.as<float>() = static_cast<float>(norm);
  }
  if (op.limit > 0 && norm > op.limit) {
    const double factor = op.limit / (norm + 1e-6);
    for_pieces(queue, n, [&](std::int64_t first, std::int64_t last) {
      HWY_DYNAMIC_DISPATCH(ScalePiece)(op.gradient, factor, first, last);
    });
  }
}

}  // namespace ratnet::inline v1
#endif
