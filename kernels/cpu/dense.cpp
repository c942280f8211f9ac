// Dense layers on the CPU. In f32 they are made of the register tiles of tiles.h, with samples in
// place of pixels; in f64 Eigen multiplies.
#include "../dense.h"

#include <Eigen/Core>
#include <algorithm>

#include "algorithms.h"
#include "tiles.h"

namespace ratnet::inline v1 {
namespace {

using DMatrix = Eigen::Map<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
using ConstDMatrix =
    Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

ConstDMatrix matrix(const ConstView& view) {
  return {view.as<double>(), view.shape[0], view.shape[1]};
}
DMatrix matrix(const View& view) { return {view.as<double>(), view.shape[0], view.shape[1]}; }

// Samples of one item of work, and terms of a sum that are added before moving on to the next
// panel: their weights stay in the second-level cache.
constexpr std::int64_t kSamples = 48;
constexpr std::int64_t kTerms = 512;

// Up to so many samples are taken one by one, kPanels panels at a time.
constexpr std::int64_t kFewSamples = 2;
constexpr std::int64_t kPanels = 4;

// A product x [n, terms] * weight [terms, columns], the weights packed into panels, so that they
// are read from end to end: [panel][terms][panel_width()], zeros past the last column.
struct Product {
  std::int64_t n, terms, columns;

  std::int64_t panels() const { return (columns + panel_width() - 1) / panel_width(); }
  std::int64_t padded() const { return panels() * panel_width(); }
  bool whole() const { return columns == padded(); }
  std::size_t packed_bytes() const {
    return static_cast<std::size_t>(terms * padded()) * sizeof(float);
  }
  // Bias and y in whole panels.
  std::size_t scratch_bytes() const {
    return static_cast<std::size_t>((1 + n) * padded()) * sizeof(float);
  }
};

// Calls value(k, c) for every entry of the packed weights.
template <class Value>
void pack(CpuQueue& queue, const Product& p, float* packed, const Value& value) {
  const std::int64_t width = panel_width();
  parallel_for(*queue.executor, p.panels(), [&](std::int64_t panel, int) {
    float* const to = packed + panel * p.terms * width;
    // Column by column, as a transposed matrix is read best.
    for (std::int64_t c = 0; c < width; ++c) {
      const std::int64_t column = panel * width + c;
      for (std::int64_t k = 0; k < p.terms; ++k)
        to[k * width + c] = column < p.columns ? value(k, column) : 0.0f;
    }
  });
}

// From whole panels to y, unless y is that.
void copy_columns(const Product& p, const float* padded_y, float* y) {
  if (p.whole()) return;
  for (std::int64_t i = 0; i < p.n; ++i)
    std::copy_n(padded_y + i * p.padded(), p.columns, y + i * p.columns);
}

// y = bias + x weight; y [n, columns], all in f32.
void multiply(CpuQueue& queue, const Product& p, const float* x, const float* weight,
              const float* bias, float* y, void* scratch) {
  float* const start = static_cast<float*>(scratch);
  float* const padded_y = start + p.padded();
  std::fill_n(start, p.padded(), 0.0f);
  if (bias) std::copy_n(bias, p.columns, start);
  float* const out = p.whole() ? y : padded_y;
  const std::ptrdiff_t zero = 0;
  const std::int64_t blocks = (p.n + kSamples - 1) / kSamples;
  const std::int64_t panel_floats = p.terms * panel_width();

  // So few samples leave registers of a tile empty: panels fill them.
  if (p.n <= kFewSamples) {
    const std::int64_t groups = (p.panels() + kPanels - 1) / kPanels;
    parallel_for(*queue.executor, p.n * groups, [&](std::int64_t item, int) {
      const std::int64_t first = item % groups * kPanels;
      const std::int64_t sample = item / groups;
      forward_row({.x = x + sample * p.terms,
                   .terms = p.terms,
                   .panels = std::min(kPanels, p.panels() - first),
                   .weight = weight + first * panel_floats,
                   .bias = start + first * panel_width(),
                   .out = out + sample * p.padded() + first * panel_width()});
    });
    return copy_columns(p, out, y);
  }
  // The panels of a block take its samples in turn, unless threads would wait for one another.
  const std::int64_t workers = queue.executor->workers();
  const std::int64_t parts = workers > 1 && blocks < 4 * workers ? p.panels() : 1;
  parallel_for(*queue.executor, blocks * parts, [&](std::int64_t item, int) {
    const std::int64_t block = item / parts, part = item % parts;
    const std::int64_t first = p.n * block / blocks;
    const std::int64_t last_panel = p.panels() * (part + 1) / parts;
    for (std::int64_t k = 0; k < p.terms; k += kTerms)
      for (std::int64_t panel = p.panels() * part / parts; panel < last_panel; ++panel)
        forward_tiles({.x = x + first * p.terms + k,
                       .x_stride = p.terms,
                       .pixels = p.n * (block + 1) / blocks - first,
                       .run_offsets = &zero,
                       .runs = 1,
                       .run_length = std::min(kTerms, p.terms - k),
                       .weight = weight + panel * panel_floats + k * panel_width(),
                       .bias = start + panel * panel_width(),
                       .continued = k > 0,
                       .out = out + first * p.padded() + panel * panel_width(),
                       .out_stride = p.padded()});
  });
  copy_columns(p, out, y);
}

template <class Op>
const char* declines_f64(const Op& op) {
  return (op.weight.dtype == DType::f32) ? nullptr : "works in f32 only";
}
template <class Op>
const char* declines_f32(const Op& op) {
  DType dtype;
  if constexpr (requires { op.x; })
    dtype = op.x.dtype;
  else
    dtype = op.dy.dtype;
  return dtype == DType::f64 ? nullptr : "works in f64 only";
}
template <class Op>
std::size_t no_scratch(const CpuQueue&, const Op&) {
  return 0;
}

// --- forward ---

void activate(CpuQueue& queue, const Dense& op) {
  if (op.activation == Activation::none) return;
  run(queue, Activate{.x = op.y, .y = op.y, .activation = op.activation, .slope = op.slope});
}

Product product_of(const Dense& op) { return {op.x.shape[0], op.x.shape[1], op.weight.shape[1]}; }

std::size_t tiles_scratch(const CpuQueue&, const Dense& op) {
  return product_of(op).scratch_bytes();
}

std::size_t packed_bytes(const Dense& op) { return product_of(op).packed_bytes(); }

void prepare(CpuQueue& queue, const Dense& op, float* packed) {
  const Product p = product_of(op);
  const float* const weight = op.weight.as<float>();
  const std::int64_t width = panel_width();
  // Row by row, as they lie: by columns every number would be in another page.
  constexpr std::int64_t kRowsAtOnce = 64;
  parallel_for(*queue.executor, (p.terms + kRowsAtOnce - 1) / kRowsAtOnce,
               [&](std::int64_t block, int) {
                 const std::int64_t first = block * kRowsAtOnce;
                 for (std::int64_t k = first; k < std::min(first + kRowsAtOnce, p.terms); ++k)
                   for (std::int64_t c = 0; c < p.padded(); c += width) {
                     float* const to = packed + c * p.terms + k * width;
                     const std::int64_t n = std::min(width, p.columns - c);
                     std::copy_n(weight + k * p.columns + c, n, to);
                     std::fill(to + n, to + width, 0.0f);
                   }
               });
}

void tiles_forward(CpuQueue& queue, const Dense& op, const Lent& lent) {
  multiply(queue, product_of(op), op.x.as<float>(), lent.weights,
           op.bias ? op.bias.as<float>() : nullptr, op.y.as<float>(), lent.scratch);
  activate(queue, op);
}

void eigen_forward(CpuQueue& queue, const Dense& op, const Lent&) {
  DMatrix y = matrix(op.y);
  // Row by row: a product of matrices would sum in another order than that of a single row.
  for (Eigen::Index i = 0; i < y.rows(); ++i)
    y.row(i).noalias() = matrix(op.x).row(i) * matrix(op.weight);
  if (op.bias) y.rowwise() += ConstDMatrix(op.bias.as<double>(), 1, op.bias.shape[0]).row(0);
  activate(queue, op);
}

const Algorithm<Dense> kForward[] = {
    {"dense_tiles", declines_f64<Dense>, tiles_scratch, tiles_forward, packed_bytes, prepare},
    {"dense_eigen", declines_f32<Dense>, no_scratch<Dense>, eigen_forward}};

// --- backward data: the same product with the weights turned ---

Product product_of(const DenseBackwardData& op) {
  return {op.dy.shape[0], op.weight.shape[1], op.weight.shape[0]};
}

std::size_t tiles_scratch(const CpuQueue&, const DenseBackwardData& op) {
  return product_of(op).scratch_bytes();
}

std::size_t packed_bytes(const DenseBackwardData& op) { return product_of(op).packed_bytes(); }

void prepare(CpuQueue& queue, const DenseBackwardData& op, float* turned) {
  const Product p = product_of(op);
  const float* weight = op.weight.as<float>();
  pack(queue, p, turned, [&](std::int64_t k, std::int64_t c) { return weight[c * p.terms + k]; });
}

void tiles_backward_data(CpuQueue& queue, const DenseBackwardData& op, const Lent& lent) {
  multiply(queue, product_of(op), op.dy.as<float>(), lent.weights, nullptr, op.dx.as<float>(),
           lent.scratch);
}

void eigen_backward_data(CpuQueue&, const DenseBackwardData& op, const Lent&) {
  matrix(op.dx).noalias() = matrix(op.dy) * matrix(op.weight).transpose();
}

const Algorithm<DenseBackwardData> kBackwardData[] = {
    {"dense_tiles", declines_f64<DenseBackwardData>, tiles_scratch, tiles_backward_data,
     packed_bytes, prepare},
    {"dense_eigen", declines_f32<DenseBackwardData>, no_scratch<DenseBackwardData>,
     eigen_backward_data}};

// --- backward weights ---

const char* declines_f64(const DenseBackwardWeights& op) {
  return op.x.dtype == DType::f32 ? nullptr : "works in f32 only";
}

constexpr std::int64_t kRows = 96;  // of the gradient, in one item of work

struct WeightGradient {
  std::int64_t n, in, out;
  std::int64_t panels() const { return (out + panel_width() - 1) / panel_width(); }
  std::int64_t padded() const { return panels() * panel_width(); }
  bool whole() const { return out == padded(); }
};

WeightGradient gradient_of(const DenseBackwardWeights& op) {
  return {op.x.shape[0], op.x.shape[1], op.dy.shape[1]};
}

// Offsets of the rows, then, where panels are not whole, dy and dweight in panels.
std::size_t tiles_scratch(const CpuQueue&, const DenseBackwardWeights& op) {
  const WeightGradient g = gradient_of(op);
  return static_cast<std::size_t>(g.in) * sizeof(std::ptrdiff_t) +
         (g.whole() ? 0 : static_cast<std::size_t>((g.n + g.in) * g.padded()) * sizeof(float));
}

void tiles_backward_weights(CpuQueue& queue, const DenseBackwardWeights& op, const Lent& lent) {
  const WeightGradient g = gradient_of(op);
  auto* offsets = static_cast<std::ptrdiff_t*>(lent.scratch);
  for (std::int64_t k = 0; k < g.in; ++k) offsets[k] = k;
  const float* dy = op.dy.as<float>();
  float* dweight = op.dweight.as<float>();
  if (!g.whole()) {
    float* panelled = reinterpret_cast<float*>(offsets + g.in);
    for (std::int64_t i = 0; i < g.n; ++i) {
      std::copy_n(dy + i * g.out, g.out, panelled + i * g.padded());
      std::fill_n(panelled + i * g.padded() + g.out, g.padded() - g.out, 0.0f);
    }
    dy = panelled;
    dweight = panelled + g.n * g.padded();
  }
  parallel_for(*queue.executor, (g.in + kRows - 1) / kRows, [&](std::int64_t block, int) {
    const std::int64_t first = block * kRows;
    const std::int64_t rows = std::min(kRows, g.in - first);
    std::fill_n(dweight + first * g.padded(), rows * g.padded(), 0.0f);
    for (std::int64_t panel = 0; panel < g.padded(); panel += panel_width())
      outer_tiles({.x = op.x.as<float>(),
                   .x_stride = g.in,
                   .pixels = g.n,
                   .lines = 1,
                   .x_line_stride = 0,
                   .dy_line_stride = 0,
                   .row_offsets = offsets + first,
                   .rows = rows,
                   .dy = dy + panel,
                   .dy_stride = g.padded(),
                   .out = dweight + first * g.padded() + panel,
                   .out_stride = g.padded()});
    if (g.whole()) return;
    for (std::int64_t k = first; k < first + rows; ++k)
      std::copy_n(dweight + k * g.padded(), g.out, op.dweight.as<float>() + k * g.out);
  });
  if (!op.dbias) return;
  float* const dbias = op.dbias.as<float>();
  std::fill_n(dbias, g.out, 0.0f);
  add_column_sums(op.dy.as<float>(), g.out, g.n, g.out, dbias);
}

void eigen_backward_weights(CpuQueue&, const DenseBackwardWeights& op, const Lent&) {
  matrix(op.dweight).noalias() = matrix(op.x).transpose() * matrix(op.dy);
  if (op.dbias)
    DMatrix(op.dbias.as<double>(), 1, op.dbias.shape[0]) = matrix(op.dy).colwise().sum();
}

const Algorithm<DenseBackwardWeights> kBackwardWeights[] = {
    {"dense_tiles", declines_f64, tiles_scratch, tiles_backward_weights},
    {"dense_eigen", declines_f32<DenseBackwardWeights>, no_scratch<DenseBackwardWeights>,
     eigen_backward_weights}};

}  // namespace

void run(CpuQueue& queue, const Dense& op) { run_chosen<Dense>(queue, op, kForward); }
void run(CpuQueue& queue, const DenseBackwardData& op) {
  run_chosen<DenseBackwardData>(queue, op, kBackwardData);
}
void run(CpuQueue& queue, const DenseBackwardWeights& op) {
  run_chosen<DenseBackwardWeights>(queue, op, kBackwardWeights);
}

OpNote plan(CpuQueue& queue, const Dense& op) { return describe<Dense>(kForward, queue, op); }
OpNote plan(CpuQueue& queue, const DenseBackwardData& op) {
  return describe<DenseBackwardData>(kBackwardData, queue, op);
}
OpNote plan(CpuQueue& queue, const DenseBackwardWeights& op) {
  return describe<DenseBackwardWeights>(kBackwardWeights, queue, op);
}

}  // namespace ratnet::inline v1
