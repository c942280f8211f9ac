#include "mri_artefacts.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace ratnet::inline v1 {
namespace {

void check_size(const char* who, std::span<const float> scan, const Size3& size) {
  const Size3 sound = three_axes(who, size);
  require(static_cast<std::int64_t>(scan.size()) == sound[0] * sound[1] * sound[2], who, ": ",
          scan.size(), " values are no scan of ", size[0], " x ", size[1], " x ", size[2]);
}

// change(in, out) for every line along `axis`: n values each.
template <class Change>
void for_lines(std::span<float> scan, const Size3& size, std::size_t axis, Change&& change) {
  const std::int64_t n = size[axis];
  std::int64_t step = 1;
  for (std::size_t after = axis + 1; after < 3; ++after) step *= size[after];
  const std::int64_t lines = static_cast<std::int64_t>(scan.size()) / n;
  std::vector<double> in(static_cast<std::size_t>(n)), out(static_cast<std::size_t>(n));
  for (std::int64_t line = 0; line < lines; ++line) {
    float* values = scan.data() + line / step * step * n + line % step;
    for (std::int64_t i = 0; i < n; ++i) in[static_cast<std::size_t>(i)] = values[i * step];
    change(std::span<const double>(in), std::span<double>(out));
    for (std::int64_t i = 0; i < n; ++i)
      values[i * step] = static_cast<float>(out[static_cast<std::size_t>(i)]);
  }
}

// visit(i, j, k) for the orders of every cosine; axes of one voxel have none.
template <class Visit>
void for_orders(const Size3& size, int order, Visit&& visit) {
  const auto most = [&](std::size_t axis, int left) { return size[axis] > 1 ? left : 0; };
  for (int i = 0; i <= most(0, order); ++i)
    for (int j = 0; j <= most(1, order - i); ++j)
      for (int k = 0; k <= most(2, order - i - j); ++k)
        if (i + j + k > 0) visit(i, j, k);
}

// Cosines of every order along an axis, [order + 1, n], each of mean square 1.
std::vector<double> cosines(std::int64_t n, int order) {
  std::vector<double> table;
  for (int i = 0; i <= order; ++i)
    for (std::int64_t x = 0; x < n; ++x)
      table.push_back(i == 0 ? 1
                             : std::numbers::sqrt2 *
                                   std::cos(std::numbers::pi * i * (static_cast<double>(x) + 0.5) /
                                            static_cast<double>(n)));
  return table;
}

}  // namespace

std::int64_t bias_field_terms(const Size3& size, int order) {
  require(order >= 1 && order <= 8, "bias field: order must be 1 to 8, got ", order);
  std::int64_t terms = 0;
  for_orders(size, order, [&](int, int, int) { ++terms; });
  return terms;
}

void multiply_bias_field(std::span<float> scan, const Size3& size, int order,
                         std::span<const double> coefficients) {
  check_size("bias field", scan, size);
  require(static_cast<std::int64_t>(coefficients.size()) == bias_field_terms(size, order),
          "bias field: ", coefficients.size(), " coefficients, expected ",
          bias_field_terms(size, order));
  const std::vector<double> deep = cosines(size[0], order), high = cosines(size[1], order),
                            wide = cosines(size[2], order);
  const auto in = [](const std::vector<double>& table, int i, std::int64_t n, std::int64_t x) {
    return table[static_cast<std::size_t>(i * n + x)];
  };
  // The terms of one line, added up by their order along W.
  std::vector<double> line(static_cast<std::size_t>(order) + 1);
  std::size_t voxel = 0;
  for (std::int64_t d = 0; d < size[0]; ++d)
    for (std::int64_t h = 0; h < size[1]; ++h) {
      std::ranges::fill(line, 0.0);
      std::size_t term = 0;
      for_orders(size, order, [&](int i, int j, int k) {
        line[static_cast<std::size_t>(k)] +=
            coefficients[term++] * in(deep, i, size[0], d) * in(high, j, size[1], h);
      });
      for (std::int64_t w = 0; w < size[2]; ++w, ++voxel) {
        double log_field = 0;
        for (int k = 0; k <= order; ++k)
          log_field += line[static_cast<std::size_t>(k)] * in(wide, k, size[2], w);
        scan[voxel] = static_cast<float>(scan[voxel] * std::exp(log_field));
      }
    }
}

void change_gamma(std::span<float> scan, double gamma) {
  require(gamma > 0 && std::isfinite(gamma), "gamma must be above 0, got ", gamma);
  if (scan.empty()) return;
  const auto [least, largest] = std::ranges::minmax(scan);
  const double low = least, range = static_cast<double>(largest) - low;
  if (!(range > 0)) return;
  for (float& value : scan)
    value = static_cast<float>(low + range * std::pow((value - low) / range, gamma));
}

void blur_gaussian(std::span<float> scan, const Size3& size, double sigma) {
  check_size("blur", scan, size);
  require(sigma >= 0 && sigma <= 64, "blur: sigma must be 0 to 64 voxels, got ", sigma);
  if (sigma == 0) return;
  const auto reach = static_cast<std::int64_t>(std::ceil(4 * sigma));
  std::vector<double> weights;
  double sum = 0;
  for (std::int64_t i = -reach; i <= reach; ++i) {
    const double x = static_cast<double>(i) / sigma;
    weights.push_back(std::exp(-x * x / 2));
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const std::int64_t n = size[axis];
    if (n == 1) continue;
    for_lines(scan, size, axis, [&](std::span<const double> in, std::span<double> out) {
      for (std::int64_t x = 0; x < n; ++x) {
        double value = 0;
        for (std::int64_t i = -reach; i <= reach; ++i)
          value += weights[static_cast<std::size_t>(i + reach)] *
                   in[static_cast<std::size_t>(std::clamp<std::int64_t>(x + i, 0, n - 1))];
        out[static_cast<std::size_t>(x)] = value;
      }
    });
  }
}

void lower_resolution(std::span<float> scan, const Size3& size, std::size_t axis, double factor) {
  check_size("lower resolution", scan, size);
  require(axis < 3, "lower resolution: axis must be 0 to 2, got ", axis);
  require(factor >= 1 && factor <= 64, "lower resolution: factor must be 1 to 64, got ", factor);
  const std::int64_t n = size[axis];
  const auto fine = static_cast<double>(n);
  const double coarse = std::max(1.0, std::round(fine / factor));
  const double length = fine / coarse;  // of a coarse voxel
  const auto count = static_cast<std::int64_t>(coarse);
  if (count == n) return;
  std::vector<double> means(static_cast<std::size_t>(count));
  for_lines(scan, size, axis, [&](std::span<const double> in, std::span<double> out) {
    for (std::int64_t i = 0; i < count; ++i) {
      const double low = static_cast<double>(i) * length, high = low + length;
      double sum = 0;
      for (auto x = static_cast<std::int64_t>(low); x < n && static_cast<double>(x) < high; ++x)
        sum += in[static_cast<std::size_t>(x)] *
               (std::min(high, static_cast<double>(x + 1)) - std::max(low, static_cast<double>(x)));
      means[static_cast<std::size_t>(i)] = sum / length;
    }
    for (std::int64_t x = 0; x < n; ++x) {
      const double place =
          std::clamp((static_cast<double>(x) + 0.5) / length - 0.5, 0.0, coarse - 1);
      const auto low = static_cast<std::size_t>(place);
      const double share = place - static_cast<double>(low);
      out[static_cast<std::size_t>(x)] =
          (1 - share) * means[low] +
          share * means[std::min(low + 1, static_cast<std::size_t>(count - 1))];
    }
  });
}

void add_ghosts(std::span<float> scan, const Size3& size, std::size_t axis, int period,
                double phase) {
  check_size("ghosts", scan, size);
  require(axis < 3, "ghosts: axis must be 0 to 2, got ", axis);
  require(period >= 2 && period <= 16, "ghosts: period must be 2 to 16 lines, got ", period);
  require(std::isfinite(phase), "ghosts: phase must be finite, got ", phase);
  const std::int64_t n = size[axis];
  if (n == 1 || phase == 0) return;
  // The modulation is periodic, so its spectrum is that of one period.
  const auto copies = static_cast<std::size_t>(period);
  std::vector<std::complex<double>> weights(copies);
  for (int m = 0; m < period; ++m)
    for (int k = 0; k < period; ++k) {
      const double turn = 2 * std::numbers::pi * k / period;
      weights[static_cast<std::size_t>(m)] +=
          std::polar(1.0 / period, phase * std::cos(turn) - turn * m);
    }
  for_lines(scan, size, axis, [&](std::span<const double> in, std::span<double> out) {
    for (std::int64_t x = 0; x < n; ++x) {
      std::complex<double> sum = 0;
      for (std::size_t m = 0; m < copies; ++m) {
        // Copy m comes from x - m n / period, counted in voxels of 1 / period.
        const std::int64_t from = x * period - static_cast<std::int64_t>(m) * n;
        const std::int64_t round = n * period;
        const std::int64_t place = (from % round + round) % round;
        const std::int64_t low = place / period;
        const double share = static_cast<double>(place % period) / period;
        const double value = (1 - share) * in[static_cast<std::size_t>(low)] +
                             share * in[static_cast<std::size_t>((low + 1) % n)];
        sum += weights[m] * value;
      }
      out[static_cast<std::size_t>(x)] = std::abs(sum);
    }
  });
}

void add_gaussian_noise(std::span<float> scan, double deviation, Random& random) {
  require(deviation >= 0, "noise: the deviation must be 0 or more, got ", deviation);
  for (float& value : scan) value = static_cast<float>(value + random.normal(0, deviation));
}

void add_rician_noise(std::span<float> scan, double deviation, Random& random) {
  require(deviation >= 0, "noise: the deviation must be 0 or more, got ", deviation);
  for (float& value : scan) {
    const double real = value + random.normal(0, deviation);
    value = static_cast<float>(std::hypot(real, random.normal(0, deviation)));
  }
}

}  // namespace ratnet::inline v1
