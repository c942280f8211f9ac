#include "../ssim_terms.h"
#include "grid_place.h"
#include "loss_sums.h"

namespace ratnet::inline v1 {
namespace {

__device__ std::int64_t index_of_pixel(std::int64_t sample, std::int64_t z, std::int64_t y,
                                       std::int64_t x, const std::int64_t* sizes) {
  return ((sample * sizes[0] + z) * sizes[1] + y) * sizes[2] + x;
}

// The terms are the positions.
template <class T>
struct Positions {
  SsimGeometry g;
  const T* x;
  const T* y;
  double* slopes;  // [of_one of_x of_y, positions], or none

  __device__ double weight(std::int64_t) const { return 1; }

  __device__ double term(std::int64_t i, double) const {
    const GridPlace spot(i, g.channels, g.out);
    SsimMoments moments;
    for (std::int64_t a = 0; a < g.window[0]; ++a)
      for (std::int64_t b = 0; b < g.window[1]; ++b) {
        const double tap = g.tap(0, a) * g.tap(1, b);
        const std::int64_t row =
            index_of_pixel(spot.sample, spot.at[0] + a, spot.at[1] + b, spot.at[2], g.in);
        for (std::int64_t c = 0; c < g.window[2]; ++c) {
          const std::int64_t from = (row + c) * g.channels + spot.channel;
          moments.add(tap * g.tap(2, c), static_cast<double>(x[from]),
                      static_cast<double>(y[from]));
        }
      }
    const SsimValue value = ssim_value(moments, g.c1, g.c2);
    if (slopes) {
      slopes[i] = value.of_one;
      slopes[g.positions() + i] = value.of_x;
      slopes[2 * g.positions() + i] = value.of_y;
    }
    return value.loss;
  }
};

// Pixel i gathers from the windows that it is under.
template <class T>
struct Pixels {
  SsimGeometry g;
  const T* x;
  const T* y;
  const double* slopes;
  LossGradient<T> gradient;
  double scale;

  __device__ void operator()(std::int64_t i) const {
    const GridPlace spot(i, g.channels, g.in);
    double one = 0, of_x = 0, of_y = 0;
    for (std::int64_t a = 0; a < g.window[0]; ++a)
      for (std::int64_t b = 0; b < g.window[1]; ++b)
        for (std::int64_t c = 0; c < g.window[2]; ++c) {
          const std::int64_t at[3] = {spot.at[0] - a, spot.at[1] - b, spot.at[2] - c};
          bool inside = true;
          for (int d = 0; d < 3; ++d) inside = inside && at[d] >= 0 && at[d] < g.out[d];
          if (!inside) continue;
          const double tap = g.tap(0, a) * g.tap(1, b) * g.tap(2, c);
          const std::int64_t from =
              index_of_pixel(spot.sample, at[0], at[1], at[2], g.out) * g.channels + spot.channel;
          one += tap * slopes[from];
          of_x += tap * slopes[g.positions() + from];
          of_y += tap * slopes[2 * g.positions() + from];
        }
    gradient.put(
        i, (one + of_x * static_cast<double>(x[i]) + of_y * static_cast<double>(y[i])) * scale);
  }
};

std::int64_t slopes_of(const SsimLoss& op, const SsimGeometry& g) {
  return op.dprediction ? 3 * g.positions() : 0;
}

}  // namespace

OpNote plan(CudaQueue&, const SsimLoss& op) {
  const SsimGeometry g(op);
  return note_of("", static_cast<std::size_t>(slopes_of(op, g)) * sizeof(double) +
                         weighted_mean_bytes(g.positions()));
}

void run(CudaQueue& queue, const SsimLoss& op) {
  const SsimGeometry g(op);
  const std::size_t bytes = plan(queue, op).scratch_bytes;
  auto* memory = bytes ? static_cast<double*>(queue.working_memory(bytes)) : nullptr;
  const auto count = static_cast<double>(g.positions());
  for_float_type(op.prediction.dtype == DType::f64, [&]<class T>(T) {
    const T* x = op.prediction.as<T>();
    const T* y = op.target.as<T>();
    double* slopes = op.dprediction ? memory : nullptr;
    weighted_mean(queue, op.kName, g.positions(), count, Positions<T>{g, x, y, slopes},
                  result_of<T>(op), memory + slopes_of(op, g));
    if (op.dprediction)
      for_each_element(queue, op.kName, op.prediction.count(),
                       Pixels<T>{g,
                                 x,
                                 y,
                                 slopes,
                                 {op.dprediction.as<T>(), op.accumulate},
                                 count != 0 ? op.factor / count : 0});
  });
}

}  // namespace ratnet::inline v1
