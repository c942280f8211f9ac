#include <algorithm>

#include "../ssim_terms.h"
#include "loss_sums.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kMoments = 5, kSlopes = 3;  // numbers of a position

// A row of positions, and later of pixels, at a time: first across rows, then along them.
template <class T>
class Ssim {
 public:
  Ssim(const SsimLoss& op, const SsimGeometry& g, double* memory)
      : g_(g),
        x_(op.prediction.as<T>()),
        y_(op.target.as<T>()),
        gradient_{data_or_null<T>(op.dprediction), op.accumulate},
        wide_(g.in[2] * g.channels),
        narrow_(g.out[2] * g.channels),
        slopes_(memory),
        of_workers_(memory + (op.dprediction ? kSlopes * g.positions() : 0)) {}

  void run(CpuQueue& queue, const LossResult<T>& result) const {
    const double count = static_cast<double>(g_.positions());
    const double scale = count != 0 ? 1 / count : 0;
    const auto sum = [&](std::int64_t row, std::int64_t, int worker) {
      return row_of_positions(row, of_worker(worker));
    };
    result.put(sum_in_order(queue, g_.samples * g_.out[0] * g_.out[1], 1, sum) * scale);
    if (!gradient_.data) return;
    parallel_for(*queue.executor, g_.samples * g_.in[0] * g_.in[1],
                 [&](std::int64_t row, int worker) {
                   row_of_pixels(row, scale * result.factor, of_worker(worker));
                 });
  }

  // Numbers that a worker needs.
  static std::int64_t numbers_of_worker(const SsimGeometry& g) {
    return kMoments * (g.in[2] + g.out[2]) * g.channels;
  }

 private:
  double* of_worker(int worker) const { return of_workers_ + worker * numbers_of_worker(g_); }

  // The sum of 1 - SSIM over row [sample, depth, height] of positions.
  double row_of_positions(std::int64_t row, double* across) const {
    double* along = across + kMoments * wide_;
    std::fill(across, along + kMoments * narrow_, 0.0);
    const std::int64_t sample = row / (g_.out[0] * g_.out[1]), z = row / g_.out[1] % g_.out[0];
    for (std::int64_t a = 0; a < g_.window[0]; ++a)
      for (std::int64_t b = 0; b < g_.window[1]; ++b) {
        const double tap = g_.tap(0, a) * g_.tap(1, b);
        const std::int64_t at =
            ((sample * g_.in[0] + z + a) * g_.in[1] + row % g_.out[1] + b) * wide_;
        for (std::int64_t j = 0; j < wide_; ++j) {
          const auto x = static_cast<double>(x_[at + j]), y = static_cast<double>(y_[at + j]);
          across[j] += tap * x;
          across[wide_ + j] += tap * y;
          across[2 * wide_ + j] += tap * x * x;
          across[3 * wide_ + j] += tap * y * y;
          across[4 * wide_ + j] += tap * x * y;
        }
      }
    for (std::int64_t m = 0; m < kMoments; ++m)
      for (std::int64_t c = 0; c < g_.window[2]; ++c)
        for (std::int64_t j = 0; j < narrow_; ++j)
          along[m * narrow_ + j] += g_.tap(2, c) * across[m * wide_ + j + c * g_.channels];
    double* slopes = gradient_.data ? slopes_ + row * kSlopes * narrow_ : nullptr;
    double sum = 0;
    for (std::int64_t j = 0; j < narrow_; ++j) {
      const SsimMoments moments{along[j], along[narrow_ + j], along[2 * narrow_ + j],
                                along[3 * narrow_ + j], along[4 * narrow_ + j]};
      const SsimValue value = ssim_value(moments, g_.c1, g_.c2);
      sum += value.loss;
      if (!slopes) continue;
      slopes[j] = value.of_one;
      slopes[narrow_ + j] = value.of_x;
      slopes[2 * narrow_ + j] = value.of_y;
    }
    return sum;
  }

  // The gradient in row [sample, depth, height] of pixels.
  void row_of_pixels(std::int64_t row, double scale, double* across) const {
    double* along = across + kSlopes * narrow_;
    std::fill(across, along + kSlopes * wide_, 0.0);
    const std::int64_t sample = row / (g_.in[0] * g_.in[1]), z = row / g_.in[1] % g_.in[0];
    for (std::int64_t a = 0; a < g_.window[0]; ++a)
      for (std::int64_t b = 0; b < g_.window[1]; ++b) {
        const std::int64_t depth = z - a, height = row % g_.in[1] - b;
        if (depth < 0 || depth >= g_.out[0] || height < 0 || height >= g_.out[1]) continue;
        const double tap = g_.tap(0, a) * g_.tap(1, b);
        const double* slopes =
            slopes_ + ((sample * g_.out[0] + depth) * g_.out[1] + height) * kSlopes * narrow_;
        for (std::int64_t j = 0; j < kSlopes * narrow_; ++j) across[j] += tap * slopes[j];
      }
    for (std::int64_t s = 0; s < kSlopes; ++s)
      for (std::int64_t c = 0; c < g_.window[2]; ++c)
        for (std::int64_t j = 0; j < narrow_; ++j)
          along[s * wide_ + j + c * g_.channels] += g_.tap(2, c) * across[s * narrow_ + j];
    for (std::int64_t j = 0; j < wide_; ++j) {
      const std::int64_t at = row * wide_ + j;
      const double slope = along[j] + along[wide_ + j] * static_cast<double>(x_[at]) +
                           along[2 * wide_ + j] * static_cast<double>(y_[at]);
      gradient_.put(at, slope * scale);
    }
  }

  const SsimGeometry& g_;
  const T* x_;
  const T* y_;
  LossGradient<T> gradient_;
  std::int64_t wide_, narrow_;  // elements of a row of pixels and of positions
  double* slopes_;              // [rows of positions, of_one of_x of_y, narrow]
  double* of_workers_;
};

}  // namespace

OpNote plan(CpuQueue& queue, const SsimLoss& op) {
  const SsimGeometry g(op);
  const std::int64_t numbers = (op.dprediction ? kSlopes * g.positions() : 0) +
                               queue.executor->workers() * Ssim<float>::numbers_of_worker(g);
  OpNote note;
  note.scratch_bytes = static_cast<std::size_t>(numbers) * sizeof(double);
  return note;
}

void run(CpuQueue& queue, const SsimLoss& op) {
  auto* memory = static_cast<double*>(queue.working_memory(plan(queue, op).scratch_bytes));
  const SsimGeometry g(op);
  for_type(op.prediction.dtype,
           [&]<class T>(T) { Ssim<T>(op, g, memory).run(queue, result_of<T>(op)); });
}

}  // namespace ratnet::inline v1
