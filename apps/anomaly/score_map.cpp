#include "score_map.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "../../imaging/median.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kPixels = kJudgedSize * kJudgedSize;

// The map of one slice before its neighbours come in.
void refine(std::span<const float> raw, std::span<const std::uint8_t> brain,
            const AnomalyScoreOptions& options, std::span<float> map) {
  std::vector<float> inside(raw.begin(), raw.end());
  for (std::size_t i = 0; i < inside.size(); ++i)
    if (!brain[i]) inside[i] = 0;
  median_filter(inside, kJudgedSize, kJudgedSize, options.median, map);
  const std::vector<std::uint8_t> inner = inner_brain(brain, options.edge);
  for (std::size_t i = 0; i < map.size(); ++i)
    if (!inner[i]) map[i] = 0;
}

Tensor smooth_over_slices(const Tensor& maps, std::span<const std::uint8_t> judged) {
  Tensor smooth(maps.shape(), DType::f32);
  const auto slices = static_cast<std::int64_t>(judged.size());
  for (std::int64_t s = 0; s < slices; ++s) {
    if (!judged[static_cast<std::size_t>(s)]) continue;
    const auto weight = [&](std::int64_t n) {
      if (n < 0 || n >= slices || !judged[static_cast<std::size_t>(n)]) return 0.0f;
      return n == s ? 0.5f : 0.25f;
    };
    const float total = weight(s - 1) + weight(s) + weight(s + 1);
    const std::span<float> to = slice_of<float>(smooth, s);
    for (std::int64_t n = s - 1; n <= s + 1; ++n) {
      if (weight(n) == 0) continue;
      const float share = weight(n) / total;
      const std::span<const float> from = slice_of<float>(maps, n);
      for (std::size_t i = 0; i < to.size(); ++i) to[i] += share * from[i];
    }
  }
  return smooth;
}

}  // namespace

void check(const AnomalyScoreOptions& options) {
  require(options.median >= 1 && options.median <= 255 && options.median % 2 == 1,
          "score: median must be odd, 1 to 255 pixels, got ", options.median);
  require(options.edge >= 0 && options.edge <= kJudgedSize / 2, "score: edge must be 0 to ",
          kJudgedSize / 2, " pixels, got ", options.edge);
  require(options.brightest >= 1 && options.brightest <= kPixels, "score: brightest must be 1 to ",
          kPixels, " pixels, got ", options.brightest);
}

std::vector<std::uint8_t> inner_brain(std::span<const std::uint8_t> brain, std::int64_t edge) {
  constexpr std::int64_t n = kJudgedSize;
  require(static_cast<std::int64_t>(brain.size()) == kPixels && edge >= 0,
          "inner brain: a mask of ", brain.size(), " pixels and an edge of ", edge);
  // How far up or down the nearest pixel is that is not brain; more than `edge` all count alike.
  std::vector<std::int64_t> away(brain.size());
  for (std::int64_t x = 0; x < n; ++x) {
    for (std::int64_t y = 0, run = 0; y < n; ++y) {
      const auto i = static_cast<std::size_t>(y * n + x);
      away[i] = run = brain[i] ? std::min(run + 1, edge + 1) : 0;
    }
    for (std::int64_t y = n - 1, run = 0; y >= 0; --y) {
      const auto i = static_cast<std::size_t>(y * n + x);
      run = brain[i] ? std::min(run + 1, edge + 1) : 0;
      away[i] = std::min(away[i], run);
    }
  }
  std::vector<std::uint8_t> inner(brain.size());
  for (std::int64_t y = 0; y < n; ++y)
    for (std::int64_t x = 0; x < n; ++x) {
      bool far = true;
      for (std::int64_t dx = -edge; dx <= edge && far; ++dx) {
        const bool there = x + dx >= 0 && x + dx < n;
        const std::int64_t dy = there ? away[static_cast<std::size_t>(y * n + x + dx)] : 0;
        far = dx * dx + dy * dy > edge * edge;
      }
      inner[static_cast<std::size_t>(y * n + x)] = far;
    }
  return inner;
}

double mean_of_brightest(std::span<const float> map, std::int64_t brightest) {
  require(!map.empty() && brightest >= 1, "mean of the ", brightest, " brightest of ", map.size(),
          " pixels");
  std::vector<float> top(std::min(map.size(), static_cast<std::size_t>(brightest)));
  std::ranges::partial_sort_copy(map, top, std::greater{});
  double sum = 0;
  for (const float value : top) sum += value;
  return sum / static_cast<double>(top.size());
}

SubjectScores score_subject(const PreparedSubject& subject, const Tensor& raw,
                            const AnomalyScoreOptions& options) {
  check(options);
  check_subject("score", subject);
  require(raw.shape() == subject.images.shape() && raw.dtype() == DType::f32,
          "score: the raw maps of '", subject.name, "' are ", name_of(raw.dtype()), " ",
          raw.shape(), ", expected f32 ", subject.images.shape());
  SubjectScores scores{
      Tensor(raw.shape(), DType::f32),
      std::vector<double>(subject.judged.size(), std::numeric_limits<double>::quiet_NaN())};
  for (std::int64_t s = 0; s < subject.slices(); ++s)
    if (subject.judged[static_cast<std::size_t>(s)])
      refine(slice_of<float>(raw, s), slice_of<std::uint8_t>(subject.brain, s), options,
             slice_of<float>(scores.maps, s));
  if (options.smooth_slices) scores.maps = smooth_over_slices(scores.maps, subject.judged);
  for (std::int64_t s = 0; s < subject.slices(); ++s)
    if (subject.judged[static_cast<std::size_t>(s)])
      scores.slice_scores[static_cast<std::size_t>(s)] =
          mean_of_brightest(slice_of<float>(std::as_const(scores.maps), s), options.brightest);
  return scores;
}

}  // namespace ratnet::inline v1
