#include "../normalise.h"

#include <algorithm>
#include <cmath>

#include "../norm_geometry.h"
#include "cpu_queue.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/normalise.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "elements-inl.h"

#ifndef RATNET_KERNELS_CPU_NORMALISE_ONCE
#define RATNET_KERNELS_CPU_NORMALISE_ONCE
namespace ratnet::inline v1 {
namespace {

// What each channel is computed with, repeated so often that a row of `width` numbers is long
// enough for whole vectors: y = (x - centre) * factor + shift, and for the way back
// dx = factor * dz - first - (x - centre) * inv * second.
template <class T>
struct Constants {
  T *centre, *factor, *shift, *inv, *first, *second;
};
constexpr std::int64_t kConstants = 6;

std::int64_t repeats(std::int64_t channels) { return (63 + channels) / channels; }

template <class T>
struct Slice {
  const T* x;
  const T* dy;
  T* y;
  std::int64_t channels, rows;
  Constants<T> constants;
  Activation activation;
  T slope;
};

}  // namespace
}  // namespace ratnet::inline v1
#endif

HWY_BEFORE_NAMESPACE();
namespace ratnet::inline v1 {
namespace HWY_NAMESPACE {
namespace {

// sums[lane] = sum over the rows of term(row), in double; a few vectors are added in T before.
template <class D, class Term>
HWY_INLINE void sum_rows(D d, std::int64_t rows, double* sums, const Term& term) {
  constexpr std::int64_t kFew = 64;
  hn::TFromD<D> lanes[hn::MaxLanes(d)];
  for (std::size_t l = 0; l < hn::Lanes(d); ++l) sums[l] = 0;
  for (std::int64_t start = 0; start < rows; start += kFew) {
    auto sum = hn::Zero(d);
    for (std::int64_t row = start; row < std::min(rows, start + kFew); ++row)
      sum = hn::Add(sum, term(row));
    hn::StoreU(sum, d, lanes);
    for (std::size_t l = 0; l < hn::Lanes(d); ++l) sums[l] += static_cast<double>(lanes[l]);
  }
}

// means[channel] and the sums of squared differences from them.
template <class T>
void moments(const T* x, std::int64_t rows, std::int64_t channels, double* means, double* squares) {
  for_vectors<T>(0, channels, [&](auto d, std::int64_t c) HWY_ATTR {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    sum_rows(d, rows, means + c,
             [&](std::int64_t row) HWY_ATTR { return hn::LoadU(d, x + row * channels + c); });
    T rounded[hn::MaxLanes(d)];
    for (std::int64_t l = 0; l < lanes; ++l)
      rounded[l] = static_cast<T>(means[c + l] /= static_cast<double>(rows));
    const auto centre = hn::LoadU(d, rounded);
    sum_rows(d, rows, squares + c, [&](std::int64_t row) HWY_ATTR {
      const auto difference = hn::Sub(hn::LoadU(d, x + row * channels + c), centre);
      return hn::Mul(difference, difference);
    });
    // They were taken from the rounded mean.
    for (std::int64_t l = 0; l < lanes; ++l) {
      const double off = means[c + l] - static_cast<double>(rounded[l]);
      squares[c + l] = std::max(0.0, squares[c + l] - off * off * static_cast<double>(rows));
    }
  });
}

// The gradient before the activation of element i, whose constants are those of column j.
template <class T, class D>
HWY_INLINE hn::Vec<D> gradient(D d, const Slice<T>& s, std::int64_t i, std::int64_t j) {
  const auto dy = hn::LoadU(d, s.dy + i);
  if (s.activation == Activation::none) return dy;
  const Constants<T>& k = s.constants;
  const auto z = hn::Add(hn::Mul(hn::Sub(hn::LoadU(d, s.x + i), hn::LoadU(d, k.centre + j)),
                                 hn::LoadU(d, k.factor + j)),
                         hn::LoadU(d, k.shift + j));
  const auto off = hn::Le(z, hn::Zero(d));
  return s.activation == Activation::relu
             ? hn::IfThenZeroElse(off, dy)
             : hn::IfThenElse(off, hn::Mul(dy, hn::Set(d, s.slope)), dy);
}

// body(d, element, column) for all elements of a slice.
template <class T, class Body>
HWY_INLINE void for_elements(const Slice<T>& s, const Body& body) {
  const std::int64_t width = s.channels * repeats(s.channels), n = s.rows * s.channels;
  for (std::int64_t start = 0; start < n; start += width)
    for_vectors<T>(0, std::min(width, n - start),
                   [&](auto d, std::int64_t j) HWY_ATTR { body(d, start + j, j); });
}

template <class T>
void apply(const Slice<T>& s) {
  const Constants<T>& k = s.constants;
  for_elements(s, [&](auto d, std::int64_t i, std::int64_t j) HWY_ATTR {
    const auto z = hn::Add(hn::Mul(hn::Sub(hn::LoadU(d, s.x + i), hn::LoadU(d, k.centre + j)),
                                   hn::LoadU(d, k.factor + j)),
                           hn::LoadU(d, k.shift + j));
    hn::StoreU(activated(d, z, s.activation, s.slope), d, s.y + i);
  });
}

// Sums of the gradient, and of the gradient times the normalised x.
template <class T>
void gradient_sums(const Slice<T>& s, double* plain, double* times_x) {
  const Constants<T>& k = s.constants;
  for_vectors<T>(0, s.channels, [&](auto d, std::int64_t c) HWY_ATTR {
    sum_rows(d, s.rows, plain + c,
             [&](std::int64_t row) HWY_ATTR { return gradient(d, s, row * s.channels + c, c); });
    const auto centre = hn::LoadU(d, k.centre + c), inv = hn::LoadU(d, k.inv + c);
    sum_rows(d, s.rows, times_x + c, [&](std::int64_t row) HWY_ATTR {
      const std::int64_t i = row * s.channels + c;
      const auto x = hn::Mul(hn::Sub(hn::LoadU(d, s.x + i), centre), inv);
      return hn::Mul(gradient(d, s, i, c), x);
    });
  });
}

template <class T>
void apply_backward(const Slice<T>& s) {
  const Constants<T>& k = s.constants;
  for_elements(s, [&](auto d, std::int64_t i, std::int64_t j) HWY_ATTR {
    const auto x = hn::Mul(hn::Sub(hn::LoadU(d, s.x + i), hn::LoadU(d, k.centre + j)),
                           hn::LoadU(d, k.inv + j));
    const auto lost = hn::Add(hn::LoadU(d, k.first + j), hn::Mul(x, hn::LoadU(d, k.second + j)));
    hn::StoreU(hn::Sub(hn::Mul(gradient(d, s, i, j), hn::LoadU(d, k.factor + j)), lost), d,
               s.y + i);
  });
}

void MomentsF32(const float* x, std::int64_t rows, std::int64_t channels, double* means,
                double* squares) {
  moments(x, rows, channels, means, squares);
}
void MomentsF64(const double* x, std::int64_t rows, std::int64_t channels, double* means,
                double* squares) {
  moments(x, rows, channels, means, squares);
}
void ApplyF32(const Slice<float>& s) { apply(s); }
void ApplyF64(const Slice<double>& s) { apply(s); }
void GradientSumsF32(const Slice<float>& s, double* plain, double* times_x) {
  gradient_sums(s, plain, times_x);
}
void GradientSumsF64(const Slice<double>& s, double* plain, double* times_x) {
  gradient_sums(s, plain, times_x);
}
void ApplyBackwardF32(const Slice<float>& s) { apply_backward(s); }
void ApplyBackwardF64(const Slice<double>& s) { apply_backward(s); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ratnet::inline v1
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ratnet::inline v1 {
namespace {
HWY_EXPORT(MomentsF32);
HWY_EXPORT(MomentsF64);
HWY_EXPORT(ApplyF32);
HWY_EXPORT(ApplyF64);
HWY_EXPORT(GradientSumsF32);
HWY_EXPORT(GradientSumsF64);
HWY_EXPORT(ApplyBackwardF32);
HWY_EXPORT(ApplyBackwardF64);

// The vector code for one type.
template <class T>
struct Code;
template <>
struct Code<float> {
  static void moments(const float* x, std::int64_t rows, std::int64_t channels, double* means,
                      double* squares) {
    HWY_DYNAMIC_DISPATCH(MomentsF32)(x, rows, channels, means, squares);
  }
  static void apply(const Slice<float>& s) { HWY_DYNAMIC_DISPATCH(ApplyF32)(s); }
  static void gradient_sums(const Slice<float>& s, double* plain, double* times_x) {
    HWY_DYNAMIC_DISPATCH(GradientSumsF32)(s, plain, times_x);
  }
  static void apply_backward(const Slice<float>& s) { HWY_DYNAMIC_DISPATCH(ApplyBackwardF32)(s); }
};
template <>
struct Code<double> {
  static void moments(const double* x, std::int64_t rows, std::int64_t channels, double* means,
                      double* squares) {
    HWY_DYNAMIC_DISPATCH(MomentsF64)(x, rows, channels, means, squares);
  }
  static void apply(const Slice<double>& s) { HWY_DYNAMIC_DISPATCH(ApplyF64)(s); }
  static void gradient_sums(const Slice<double>& s, double* plain, double* times_x) {
    HWY_DYNAMIC_DISPATCH(GradientSumsF64)(s, plain, times_x);
  }
  static void apply_backward(const Slice<double>& s) { HWY_DYNAMIC_DISPATCH(ApplyBackwardF64)(s); }
};

// Working memory: two sums for every channel of every chunk, then the constants of every channel of
// every outer part.
template <class T>
class Work {
 public:
  Work(CpuQueue& queue, const NormGeometry& geometry)
      : g_(geometry), memory_(queue.working_memory(bytes(geometry))) {}

  static std::size_t bytes(const NormGeometry& g) {
    return sums_bytes(g) + static_cast<std::size_t>(g.outer * row(g) * kConstants) * sizeof(T);
  }

  // Of that outer part and chunk, [channels] each.
  double* sums(std::int64_t outer, std::int64_t chunk, int which) const {
    return static_cast<double*>(memory_) +
           ((outer * g_.chunks() + chunk) * 2 + which) * g_.channels;
  }

  Constants<T> constants(std::int64_t outer) const {
    T* start = reinterpret_cast<T*>(static_cast<char*>(memory_) + sums_bytes(g_)) +
               outer * row(g_) * kConstants;
    const std::int64_t r = row(g_);
    return {start, start + r, start + 2 * r, start + 3 * r, start + 4 * r, start + 5 * r};
  }

  // Copies the first `channels` of each of them behind one another.
  void repeat(std::int64_t outer) const {
    T* start = constants(outer).centre;
    for (std::int64_t k = 0; k < kConstants; ++k)
      for (std::int64_t i = g_.channels; i < row(g_); ++i)
        start[k * row(g_) + i] = start[k * row(g_) + i - g_.channels];
  }

 private:
  static std::int64_t row(const NormGeometry& g) { return g.channels * repeats(g.channels); }
  static std::size_t sums_bytes(const NormGeometry& g) {
    return static_cast<std::size_t>(g.outer * g.most_chunks() * g.channels * 2) * sizeof(double);
  }

  NormGeometry g_;
  void* memory_;
};

// function(outer part, chunk, first element, rows)
template <class Function>
void for_chunks(CpuQueue& queue, const NormGeometry& g, Function&& function) {
  parallel_for(*queue.executor, g.outer * g.chunks(), [&](std::int64_t i, int) {
    const std::int64_t outer = i / g.chunks(), chunk = i % g.chunks();
    const std::int64_t row = chunk * g.chunk_rows();
    function(outer, chunk, (outer * g.rows + row) * g.channels,
             std::min(g.chunk_rows(), g.rows - row));
  });
}

// Of numbers of which parts come one after the other (Chan, Golub and LeVeque, 1979).
struct Moments {
  double count = 0, mean = 0, squares = 0;
  void add(double n, double other_mean, double other_squares) {
    if (n == 0) return;
    const double difference = other_mean - mean, both = count + n;
    mean += difference * n / both;
    squares += other_squares + difference * difference * count * n / both;
    count = both;
  }
};

template <class T>
void normalise(CpuQueue& queue, const Normalise& op) {
  const NormGeometry g(op.x.shape, op.over);
  const Work<T> work(queue, g);
  const T* const x = op.x.as<T>();
  const T* const scale = data_or_null<T>(op.scale);
  const T* const shift = data_or_null<T>(op.shift);
  for_chunks(queue, g, [&](std::int64_t o, std::int64_t chunk, std::int64_t at, std::int64_t rows) {
    Code<T>::moments(x + at, rows, g.channels, work.sums(o, chunk, 0), work.sums(o, chunk, 1));
  });
  parallel_for(*queue.executor, g.outer, [&](std::int64_t o, int) {
    const Constants<T> k = work.constants(o);
    for (std::int64_t group = 0; group < g.groups; ++group) {
      Moments all;
      for (std::int64_t c = group * g.width(); c < (group + 1) * g.width(); ++c)
        for (std::int64_t chunk = 0; chunk < g.chunks(); ++chunk)
          all.add(static_cast<double>(std::min(g.chunk_rows(), g.rows - chunk * g.chunk_rows())),
                  work.sums(o, chunk, 0)[c], work.sums(o, chunk, 1)[c]);
      const double variance = all.count > 0 ? all.squares / all.count : 0;
      const double inv = 1 / std::sqrt(variance + op.epsilon);
      if (op.mean) {
        op.mean.as<T>()[o * g.groups + group] = static_cast<T>(all.mean);
        op.inv_deviation.as<T>()[o * g.groups + group] = static_cast<T>(inv);
      }
      if (op.running_mean) {
        const double unbiased = all.count > 1 ? all.squares / (all.count - 1) : variance;
        T& mean = op.running_mean.as<T>()[group];
        T& running = op.running_variance.as<T>()[group];
        mean = static_cast<T>((1 - op.momentum) * mean + op.momentum * all.mean);
        running = static_cast<T>((1 - op.momentum) * running + op.momentum * unbiased);
      }
      for (std::int64_t c = group * g.width(); c < (group + 1) * g.width(); ++c) {
        k.centre[c] = static_cast<T>(all.mean);
        k.factor[c] = static_cast<T>(inv) * (scale ? scale[c] : T{1});
        k.shift[c] = shift ? shift[c] : T{0};
        k.inv[c] = k.first[c] = k.second[c] = 0;
      }
    }
    work.repeat(o);
  });
  for_chunks(queue, g, [&](std::int64_t o, std::int64_t, std::int64_t at, std::int64_t rows) {
    Code<T>::apply({x + at, nullptr, op.y.as<T>() + at, g.channels, rows, work.constants(o),
                    op.activation, static_cast<T>(op.slope)});
  });
}

template <class T>
void backward(CpuQueue& queue, const NormaliseBackward& op) {
  const NormGeometry g(op.x.shape, op.over);
  const Work<T> work(queue, g);
  const T* const mean = op.mean.as<T>();
  const T* const inv = op.inv_deviation.as<T>();
  const T* const scale = data_or_null<T>(op.scale);
  const T* const shift = data_or_null<T>(op.shift);
  const auto slice = [&](std::int64_t o, std::int64_t at, std::int64_t rows, T* to) {
    return Slice<T>{
        op.x.as<T>() + at, op.dy.as<T>() + at,      to, g.channels, rows, work.constants(o),
        op.activation,     static_cast<T>(op.slope)};
  };
  for (std::int64_t o = 0; o < g.outer; ++o) {
    const Constants<T> k = work.constants(o);
    for (std::int64_t c = 0; c < g.channels; ++c) {
      const std::int64_t at = o * g.groups + c / g.width();
      k.centre[c] = mean[at];
      k.inv[c] = inv[at];
      k.factor[c] = inv[at] * (scale ? scale[c] : T{1});
      k.shift[c] = shift ? shift[c] : T{0};
      k.first[c] = k.second[c] = 0;
    }
  }
  for_chunks(queue, g, [&](std::int64_t o, std::int64_t chunk, std::int64_t at, std::int64_t rows) {
    Code<T>::gradient_sums(slice(o, at, rows, nullptr), work.sums(o, chunk, 0),
                           work.sums(o, chunk, 1));
  });
  // Into the first chunk's.
  parallel_for(*queue.executor, g.outer, [&](std::int64_t o, int) {
    double* const plain = work.sums(o, 0, 0);
    double* const times_x = work.sums(o, 0, 1);
    for (std::int64_t chunk = 1; chunk < g.chunks(); ++chunk)
      for (std::int64_t c = 0; c < g.channels; ++c) {
        plain[c] += work.sums(o, chunk, 0)[c];
        times_x[c] += work.sums(o, chunk, 1)[c];
      }
    const Constants<T> k = work.constants(o);
    for (std::int64_t group = 0; group < g.groups; ++group) {
      double first = 0, second = 0;
      for (std::int64_t c = group * g.width(); c < (group + 1) * g.width(); ++c) {
        const double s = scale ? static_cast<double>(scale[c]) : 1;
        first += s * plain[c];
        second += s * times_x[c];
      }
      const double share =
          static_cast<double>(inv[o * g.groups + group]) / static_cast<double>(g.count());
      for (std::int64_t c = group * g.width(); c < (group + 1) * g.width(); ++c) {
        k.first[c] = static_cast<T>(first * share);
        k.second[c] = static_cast<T>(second * share);
      }
    }
    work.repeat(o);
  });
  for (const auto& [to, which] : {std::pair{op.dshift, 0}, std::pair{op.dscale, 1}}) {
    if (!to) continue;
    for (std::int64_t c = 0; c < g.channels; ++c) {
      double sum = 0;
      for (std::int64_t o = 0; o < g.outer; ++o) sum += work.sums(o, 0, which)[c];
      to.template as<T>()[c] = static_cast<T>(sum);
    }
  }
  if (!op.dx) return;
  for_chunks(queue, g, [&](std::int64_t o, std::int64_t, std::int64_t at, std::int64_t rows) {
    Code<T>::apply_backward(slice(o, at, rows, op.dx.as<T>() + at));
  });
}

// As one outer part whose statistics are known.
NormGeometry geometry_of(const NormaliseBy& op) { return {op.x.shape, {}}; }

template <class T>
void normalise_by(CpuQueue& queue, const NormaliseBy& op) {
  const NormGeometry g = geometry_of(op);
  const Work<T> work(queue, g);
  const T* const scale = data_or_null<T>(op.scale);
  const T* const shift = data_or_null<T>(op.shift);
  const T* const mean = data_or_null<T>(op.mean);
  const Constants<T> k = work.constants(0);
  for (std::int64_t c = 0; c < g.channels; ++c) {
    const double inv = 1 / std::sqrt(static_cast<double>(op.variance.as<T>()[c]) + op.epsilon);
    k.centre[c] = mean ? mean[c] : T{0};
    k.factor[c] = static_cast<T>(inv) * (scale ? scale[c] : T{1});
    k.shift[c] = shift ? shift[c] : T{0};
    k.inv[c] = k.first[c] = k.second[c] = 0;
  }
  work.repeat(0);
  for_chunks(queue, g, [&](std::int64_t, std::int64_t, std::int64_t at, std::int64_t rows) {
    Code<T>::apply({op.x.as<T>() + at, nullptr, op.y.as<T>() + at, g.channels, rows, k,
                    op.activation, static_cast<T>(op.slope)});
  });
}

template <class T>
void fold(CpuQueue& queue, const FoldNorm& op) {
  const std::int64_t channels = op.mean.count(), run = op.run_length();
  const T* const scale = op.scale.as<T>();
  const auto factor = [&](std::int64_t c) {
    return static_cast<double>(scale[c]) /
           std::sqrt(static_cast<double>(op.variance.as<T>()[c]) + op.epsilon);
  };
  for (std::int64_t c = 0; c < channels; ++c) {
    const double bias = op.bias ? static_cast<double>(op.bias.as<T>()[c]) : 0;
    op.folded_bias.as<T>()[c] =
        static_cast<T>((bias - static_cast<double>(op.mean.as<T>()[c])) * factor(c) +
                       static_cast<double>(op.shift.as<T>()[c]));
  }
  const T* const weight = op.weight.as<T>();
  T* const folded = op.folded_weight.as<T>();
  for_pieces(queue, op.weight.count(), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      folded[i] = static_cast<T>(static_cast<double>(weight[i]) * factor(i / run % channels));
  });
}

OpNote note_of(const NormGeometry& g, DType dtype) {
  OpNote note;
  note.scratch_bytes = dtype == DType::f64 ? Work<double>::bytes(g) : Work<float>::bytes(g);
  return note;
}

}  // namespace

void run(CpuQueue& queue, const Normalise& op) {
  op.x.dtype == DType::f64 ? normalise<double>(queue, op) : normalise<float>(queue, op);
}
void run(CpuQueue& queue, const NormaliseBackward& op) {
  op.x.dtype == DType::f64 ? backward<double>(queue, op) : backward<float>(queue, op);
}
void run(CpuQueue& queue, const NormaliseBy& op) {
  op.x.dtype == DType::f64 ? normalise_by<double>(queue, op) : normalise_by<float>(queue, op);
}

void run(CpuQueue& queue, const FoldNorm& op) {
  op.weight.dtype == DType::f64 ? fold<double>(queue, op) : fold<float>(queue, op);
}

OpNote plan(CpuQueue&, const Normalise& op) { return note_of({op.x.shape, op.over}, op.x.dtype); }
OpNote plan(CpuQueue&, const NormaliseBackward& op) {
  return note_of({op.x.shape, op.over}, op.x.dtype);
}
OpNote plan(CpuQueue&, const NormaliseBy& op) { return note_of(geometry_of(op), op.x.dtype); }

}  // namespace ratnet::inline v1
#endif
