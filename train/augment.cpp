#include "augment.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "../core/image_grid.h"

namespace ratnet::inline v1 {
namespace {

// Where an axis is sampled: value[low] * (1 - weight) + value[low + 1] * weight.
struct Tap {
  std::int64_t low;
  float weight;
};

Tap tap_at(double position) {
  const double low = std::floor(position);
  return {static_cast<std::int64_t>(low), static_cast<float>(position - low)};
}

double draw_shift(const Augmentation& options, Random& random) {
  if (options.subpixel) return random.uniform(-options.shift, options.shift);
  const auto most = static_cast<std::int64_t>(std::floor(options.shift));
  return static_cast<double>(random.integer(2 * most + 1) - most);
}

// out[i] = in[i - shift] along an axis of n rows of `row` floats, with zeros from outside.
void shift_rows(const float* in, float* out, std::int64_t n, std::int64_t row, double shift) {
  const Tap first = tap_at(-shift);
  std::fill(out, out + n * row, 0.0f);
  // Adds the row `offset` further on, times `weight`, wherever there is one.
  const auto add = [&](std::int64_t offset, float weight) {
    const std::int64_t begin = std::max<std::int64_t>(0, -offset) * row;
    const std::int64_t end = std::min(n, n - offset) * row;
    for (std::int64_t k = begin; k < end; ++k) out[k] += weight * in[k + offset * row];
  };
  add(first.low, 1 - first.weight);
  if (first.weight > 0) add(first.low + 1, first.weight);
}

struct Movement {
  double down, right;
  bool flip;
};

Movement draw_movement(const Augmentation& options, Random& random) {
  const double down = draw_shift(options, random);
  const double right = draw_shift(options, random);
  return {down, right, options.flip_left_right && random.chance(0.5)};
}

}  // namespace

void check_augmentation(const Augmentation& options) {
  require(std::isfinite(options.shift) && options.shift >= 0 && options.shift <= 4096,
          "augmentation: shift must be 0 to 4096 pixels, got ", options.shift);
  require(std::isfinite(options.gain) && options.gain >= 0 && options.gain < 1,
          "augmentation: gain must be 0 or more and below 1, got ", options.gain);
  require(std::isfinite(options.noise) && options.noise >= 0,
          "augmentation: noise must be 0 or more, got ", options.noise);
}

void augment(const Augmentation& options, ConstView from, View to, Random& random) {
  const ImageGrid grid = image_grid("augment", from);
  require(from.shape == to.shape && from.data != to.data,
          "augment takes two different images of equal size, got ", to_string(from.shape), " and ",
          to_string(to.shape));
  const std::int64_t h = grid.size[1], w = grid.size[2], c = grid.channels;
  const auto [down, right, flip] = draw_movement(options, random);
  const auto gain = static_cast<float>(random.uniform(1 - options.gain, 1 + options.gain));

  // Down into `to`, then right into a row that is written back, mirrored or not.
  auto* target = to.as<float>();
  std::vector<float> row(static_cast<std::size_t>(w * c));
  for (std::int64_t d = 0; d < grid.size[0]; ++d) {
    float* slice = target + d * h * w * c;
    shift_rows(from.as<float>() + d * h * w * c, slice, h, w * c, down);
    for (std::int64_t y = 0; y < h; ++y) {
      float* line = slice + y * w * c;
      shift_rows(line, row.data(), w, c, right);
      for (std::int64_t x = 0; x < w; ++x)
        for (std::int64_t channel = 0; channel < c; ++channel)
          line[x * c + channel] =
              gain * row[static_cast<std::size_t>((flip ? w - 1 - x : x) * c + channel)];
    }
  }
  if (options.noise > 0) {
    const std::int64_t count = from.count();
    for (std::int64_t i = 0; i < count; ++i)
      target[i] += static_cast<float>(random.normal(0, options.noise));
  }
}

void augment_mask(const Augmentation& options, ConstView from, View to, Random& random) {
  const int rank = from.shape.rank();
  require(from.shape == to.shape && (rank == 3 || rank == 4) && from.shape.back() == 1 &&
              from.data != to.data,
          "augment_mask takes two different masks [H, W, 1] or [D, H, W, 1], got ",
          to_string(from.shape), " and ", to_string(to.shape));
  require(!options.subpixel, "masks move by whole pixels, not by fractions of one");
  const std::int64_t d = rank == 4 ? from.shape[0] : 1;
  const std::int64_t h = from.shape[rank - 3], w = from.shape[rank - 2];
  const Movement m = draw_movement(options, random);
  const auto down = static_cast<std::int64_t>(m.down), right = static_cast<std::int64_t>(m.right);
  const auto* source = from.as<std::uint8_t>();
  auto* target = to.as<std::uint8_t>();
  for (std::int64_t z = 0; z < d; ++z, source += h * w, target += h * w)
    for (std::int64_t y = 0; y < h; ++y)
      for (std::int64_t x = 0; x < w; ++x) {
        const std::int64_t sy = y - down, sx = (m.flip ? w - 1 - x : x) - right;
        const bool inside = sy >= 0 && sy < h && sx >= 0 && sx < w;
        target[y * w + x] = inside ? source[sy * w + sx] : std::uint8_t{0};
      }
}

}  // namespace ratnet::inline v1
