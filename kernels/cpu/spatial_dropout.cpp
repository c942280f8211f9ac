#include "../spatial_dropout.h"

#include <algorithm>
#include <array>

#include "../random_block.h"
#include "cpu_queue.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kMostChannels = 256;  // drawn at a time

// What becomes of the channels first .. first + n - 1, counted over all samples.
void draw(const SpatialDropout& op, std::int64_t first, std::int64_t n, bool* kept) {
  std::array<std::uint32_t, 4> numbers{};
  for (std::int64_t i = first; i < first + n; ++i) {
    if (i == first || i % 4 == 0)
      numbers = random_block(op.key.as<std::int64_t>(), op.stream, i / 4);
    kept[i - first] =
        static_cast<double>(unit_float(numbers[static_cast<std::size_t>(i % 4)])) < op.keep;
  }
}

template <class T>
void drop(CpuQueue& queue, const SpatialDropout& op) {
  if (op.x.count() == 0) return;
  const T* x = op.x.as<T>();
  T* y = op.y.as<T>();
  const T keep = static_cast<T>(op.keep);
  const std::int64_t samples = op.x.shape[0], channels = op.x.shape.back();
  const std::int64_t positions = op.x.count() / samples / channels;
  const std::int64_t width = std::min(channels, kMostChannels), height = kPiece / width;
  const std::int64_t across = (channels + width - 1) / width;
  const std::int64_t down = (positions + height - 1) / height;
  parallel_for(*queue.executor, samples * across * down, [&](std::int64_t piece, int) {
    const std::int64_t sample = piece / (across * down);
    const std::int64_t channel = piece % across * width, n = std::min(width, channels - channel);
    const std::int64_t top = piece / across % down * height;
    bool kept[kMostChannels];
    draw(op, sample * channels + channel, n, kept);
    for (std::int64_t p = top; p < std::min(positions, top + height); ++p) {
      const std::int64_t at = (sample * positions + p) * channels + channel;
      for (std::int64_t c = 0; c < n; ++c) y[at + c] = kept[c] ? x[at + c] / keep : T{0};
    }
  });
}

}  // namespace

void run(CpuQueue& queue, const SpatialDropout& op) {
  op.x.dtype == DType::f64 ? drop<double>(queue, op) : drop<float>(queue, op);
}

}  // namespace ratnet::inline v1
