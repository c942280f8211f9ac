#include "conv_im2col.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

namespace ratnet::inline v1 {
namespace {

template <class T>
using Matrix = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
template <class T>
using ConstMatrix =
    Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
// Some columns of a larger matrix.
template <class T>
using Columns = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, 0,
                           Eigen::OuterStride<>>;
template <class T>
using ConstColumns =
    Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, 0,
               Eigen::OuterStride<>>;

// A convolution with three spatial dimensions (leading ones are 1).
struct Problem {
  Window window;
  Shape x;  // [N, D, H, W, Cin]
  Shape y;  // [N, D, H, W, Cout], before pooling
  std::int64_t groups;

  Problem(const Window& narrow, const Shape& input, std::int64_t out, std::int64_t group_count)
      : window(widened(narrow)),
        x(widened(input)),
        y(widened(narrow.output(input, out, "conv"))),
        groups(group_count) {}

  std::int64_t in() const { return x[4] / groups; }  // of a group
  std::int64_t group_out() const { return y[4] / groups; }
  std::int64_t out() const { return y[4]; }
  std::int64_t depth() const { return window.taps() * in(); }
  std::int64_t positions() const { return y[1] * y[2] * y[3]; }
  std::int64_t sample() const { return x[1] * x[2] * x[3] * x[4]; }
  // Positions whose patches fill about a megabyte of floats: what is copied at once.
  std::int64_t block() const {
    return std::clamp<std::int64_t>((std::int64_t{1} << 18) / depth(), 1, positions());
  }

  // function(column, offset in the sample) for every tap of a position; offset is -1 in the border,
  // else that of the first channel.
  template <class Function>
  void for_taps(std::int64_t position, Function&& function) const {
    const std::int64_t at[3] = {position / (y[2] * y[3]), position / y[3] % y[2], position % y[3]};
    std::int64_t column = 0;
    for (std::int64_t z = 0; z < window.kernel[0]; ++z)
      for (std::int64_t r = 0; r < window.kernel[1]; ++r)
        for (std::int64_t q = 0; q < window.kernel[2]; ++q, column += in()) {
          const std::int64_t tap[3] = {z, r, q};
          std::int64_t offset = 0;
          for (int d = 0; d < 3 && offset >= 0; ++d) {
            const auto i = static_cast<std::size_t>(d);
            const std::int64_t p =
                at[i] * window.stride[i] - window.pad_before[i] + tap[i] * window.dilation[i];
            offset = p < 0 || p >= x[d + 1] ? -1 : offset * x[d + 1] + p;
          }
          function(column, offset < 0 ? offset : offset * x[4]);
        }
  }
};

// The patches of one group.
template <class T>
void im2col(const Problem& p, const T* sample, std::int64_t group, std::int64_t first,
            std::int64_t count, T* patches) {
  sample += group * p.in();
  for (std::int64_t i = 0; i < count; ++i) {
    T* const row = patches + i * p.depth();
    p.for_taps(first + i, [&](std::int64_t column, std::int64_t offset) {
      if (offset < 0)
        std::fill_n(row + column, p.in(), T(0));
      else
        std::copy_n(sample + offset, p.in(), row + column);
    });
  }
}

template <class T>
void add_col2im(const Problem& p, const T* patches, std::int64_t group, std::int64_t first,
                std::int64_t count, T* sample) {
  sample += group * p.in();
  for (std::int64_t i = 0; i < count; ++i) {
    const T* const row = patches + i * p.depth();
    p.for_taps(first + i, [&](std::int64_t column, std::int64_t offset) {
      if (offset < 0) return;
      for (std::int64_t c = 0; c < p.in(); ++c) sample[offset + c] += row[column + c];
    });
  }
}

template <class T>
T activated(T value, Activation activation, double slope) {
  if (activation == Activation::none || !(value < 0)) return value;  // NaN stays
  return activation == Activation::relu ? T(0) : value * static_cast<T>(slope);
}

// Addition, activation and pooling of one sample: full [positions, out] -> y. added: as y, or
// nullptr.
template <class T>
void finish(const Conv& op, const Problem& p, const T* full, const T* added, T* y,
            std::uint8_t* argmax) {
  const Window pool = op.pool.rank ? widened(op.pool) : Window{};
  const std::int64_t D = p.y[1] / pool.kernel[0];
  const std::int64_t H = p.y[2] / pool.kernel[1];
  const std::int64_t W = p.y[3] / pool.kernel[2];
  for (std::int64_t d = 0; d < D; ++d)
    for (std::int64_t h = 0; h < H; ++h)
      for (std::int64_t w = 0; w < W; ++w)
        for (std::int64_t c = 0; c < p.out(); ++c) {
          T best = -std::numeric_limits<T>::infinity();
          std::uint8_t where = 0;
          int tap = 0;
          for (std::int64_t z = 0; z < pool.kernel[0]; ++z)
            for (std::int64_t r = 0; r < pool.kernel[1]; ++r)
              for (std::int64_t q = 0; q < pool.kernel[2]; ++q, ++tap) {
                const T value =
                    full[(((d * pool.kernel[0] + z) * p.y[2] + h * pool.kernel[1] + r) * p.y[3] +
                          w * pool.kernel[2] + q) *
                             p.out() +
                         c];
                // A NaN wins, so that it is seen at the end.
                if (value > best || std::isnan(value) || tap == 0) {
                  best = value;
                  where = static_cast<std::uint8_t>(tap);
                }
              }
          const std::int64_t at = ((d * H + h) * W + w) * p.out() + c;
          y[at] = activated(added ? best + added[at] : best, op.activation, op.slope);
          if (argmax) argmax[at] = where;
        }
}

// [depth, group_out] of weight [depth, out].
template <class T>
ConstColumns<T> weight_of(const Problem& p, const T* weight, std::int64_t group) {
  return {weight + group * p.group_out(), p.depth(), p.group_out(), Eigen::OuterStride<>(p.out())};
}

template <class Op>
const char* takes_everything(const Op&) {
  return nullptr;
}

// --- forward ---

Problem problem_of(const Conv& op) {
  return {op.window, op.x.shape, op.weight.shape.back(), op.groups};
}

std::int64_t worker_elements(const Problem& p) {
  return p.block() * p.depth() + p.positions() * p.out();
}

std::size_t scratch_bytes(const CpuQueue& queue, const Conv& op) {
  return static_cast<std::size_t>(worker_elements(problem_of(op)) * queue.executor->workers()) *
         size_of(op.x.dtype);
}

template <class T>
void forward(CpuQueue& queue, const Conv& op, void* memory) {
  const Problem p = problem_of(op);
  T* const scratch = static_cast<T*>(memory);
  const std::int64_t out_sample = op.y.shape.with_first(1).count();
  parallel_for(*queue.executor, p.x[0], [&](std::int64_t n, int worker) {
    T* const patches = scratch + worker * worker_elements(p);
    T* const full = patches + p.block() * p.depth();
    for (std::int64_t first = 0; first < p.positions(); first += p.block()) {
      const std::int64_t count = std::min(p.block(), p.positions() - first);
      T* const rows = full + first * p.out();
      for (std::int64_t group = 0; group < p.groups; ++group) {
        im2col(p, op.x.as<T>() + n * p.sample(), group, first, count, patches);
        Columns<T>(rows + group * p.group_out(), count, p.group_out(),
                   Eigen::OuterStride<>(p.out()))
            .noalias() =
            ConstMatrix<T>(patches, count, p.depth()) * weight_of(p, op.weight.as<T>(), group);
      }
      if (op.bias)
        Matrix<T>(rows, count, p.out()).rowwise() +=
            ConstMatrix<T>(op.bias.as<T>(), 1, p.out()).row(0);
    }
    finish(op, p, full, op.added ? op.added.as<T>() + n * out_sample : nullptr,
           op.y.as<T>() + n * out_sample,
           op.argmax ? op.argmax.as<std::uint8_t>() + n * out_sample : nullptr);
  });
}

void run_forward(CpuQueue& queue, const Conv& op, const Lent& lent) {
  for_type(op.x.dtype, [&](auto type) { forward<decltype(type)>(queue, op, lent.scratch); });
}

// --- backward data ---

Problem problem_of(const ConvBackwardData& op) {
  return {op.window, op.dx.shape, op.dy.shape.back(), op.groups};
}

std::size_t scratch_bytes(const CpuQueue& queue, const ConvBackwardData& op) {
  const Problem p = problem_of(op);
  return static_cast<std::size_t>(p.block() * p.depth() * queue.executor->workers()) *
         size_of(op.dy.dtype);
}

template <class T>
void backward_data(CpuQueue& queue, const ConvBackwardData& op, void* memory) {
  const Problem p = problem_of(op);
  T* const scratch = static_cast<T*>(memory);
  parallel_for(*queue.executor, p.x[0], [&](std::int64_t n, int worker) {
    T* const patches = scratch + worker * p.block() * p.depth();
    T* const dx = op.dx.as<T>() + n * p.sample();
    std::fill_n(dx, p.sample(), T(0));
    for (std::int64_t first = 0; first < p.positions(); first += p.block()) {
      const std::int64_t count = std::min(p.block(), p.positions() - first);
      const T* dy = op.dy.as<T>() + (n * p.positions() + first) * p.out();
      for (std::int64_t group = 0; group < p.groups; ++group) {
        Matrix<T>(patches, count, p.depth()).noalias() =
            ConstColumns<T>(dy + group * p.group_out(), count, p.group_out(),
                            Eigen::OuterStride<>(p.out())) *
            weight_of(p, op.weight.as<T>(), group).transpose();
        add_col2im(p, patches, group, first, count, dx);
      }
    }
  });
}

void run_backward_data(CpuQueue& queue, const ConvBackwardData& op, const Lent& lent) {
  for_type(op.dy.dtype, [&](auto type) { backward_data<decltype(type)>(queue, op, lent.scratch); });
}

// --- backward weights: one thread, samples in order ---

Problem problem_of(const ConvBackwardWeights& op) {
  return {op.window, op.x.shape, op.dy.shape.back(), op.groups};
}

std::size_t scratch_bytes(const CpuQueue&, const ConvBackwardWeights& op) {
  const Problem p = problem_of(op);
  return static_cast<std::size_t>(p.block() * p.depth()) * size_of(op.x.dtype);
}

template <class T>
void backward_weights(const ConvBackwardWeights& op, void* memory) {
  const Problem p = problem_of(op);
  T* const patches = static_cast<T*>(memory);
  Matrix<T>(op.dweight.as<T>(), p.depth(), p.out()).setZero();
  T* const dbias = data_or_null<T>(op.dbias);
  if (dbias) std::fill_n(dbias, p.out(), T(0));
  for (std::int64_t n = 0; n < p.x[0]; ++n)
    for (std::int64_t first = 0; first < p.positions(); first += p.block()) {
      const std::int64_t count = std::min(p.block(), p.positions() - first);
      const ConstMatrix<T> dy(op.dy.as<T>() + (n * p.positions() + first) * p.out(), count,
                              p.out());
      for (std::int64_t group = 0; group < p.groups; ++group) {
        im2col(p, op.x.as<T>() + n * p.sample(), group, first, count, patches);
        Columns<T>(op.dweight.as<T>() + group * p.group_out(), p.depth(), p.group_out(),
                   Eigen::OuterStride<>(p.out()))
            .noalias() += ConstMatrix<T>(patches, count, p.depth()).transpose() *
                          dy.middleCols(group * p.group_out(), p.group_out());
      }
      if (dbias) Matrix<T>(dbias, 1, p.out()) += dy.colwise().sum();
    }
}

void run_backward_weights(CpuQueue&, const ConvBackwardWeights& op, const Lent& lent) {
  for_type(op.x.dtype, [&](auto type) { backward_weights<decltype(type)>(op, lent.scratch); });
}

}  // namespace

const Algorithm<Conv> kConvIm2col = {"conv_im2col", takes_everything<Conv>, scratch_bytes,
                                     run_forward};
const Algorithm<ConvBackwardData> kConvIm2colBackwardData = {
    "conv_im2col", takes_everything<ConvBackwardData>, scratch_bytes, run_backward_data};
const Algorithm<ConvBackwardWeights> kConvIm2colBackwardWeights = {
    "conv_im2col", takes_everything<ConvBackwardWeights>, scratch_bytes, run_backward_weights};

}  // namespace ratnet::inline v1
