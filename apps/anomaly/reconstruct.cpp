#include "reconstruct.h"

#include <algorithm>
#include <numeric>

#include "../../network/sliding_window.h"
#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

void mirror(std::span<const float> image, std::size_t columns, std::span<float> result) {
  for (std::size_t row = 0; row < image.size(); row += columns)
    std::ranges::reverse_copy(image.subspan(row, columns), result.subspan(row).begin());
}

// The first output; what a network gives beside it is passed over.
void run_network(Plan& plan, const ConstView& in, const View& out) {
  std::vector<View> outputs{out};
  std::vector<Tensor> others;
  for (std::size_t i = 1; i < plan.graph().outputs().size(); ++i)
    outputs.push_back(others.emplace_back(plan.output(i, in.shape[0]).shape, DType::f32).view());
  plan.run({&in, 1}, outputs);
}

// What it makes of slices [S, n, n], in its batches.
Tensor run_on_slices(Plan& plan, const Tensor& slices) {
  const std::int64_t total = slices.shape()[0], n = slices.shape()[1];
  Tensor result(slices.shape(), DType::f32);
  for (std::int64_t first = 0; first < total; first += plan.batch()) {
    const Shape shape{std::min(plan.batch(), total - first), n, n, 1};
    run_network(plan, {slice_of<float>(slices, first).data(), DType::f32, shape},
                {slice_of<float>(result, first).data(), DType::f32, shape});
  }
  return result;
}

// What it makes of a volume [D, n, n], patch by patch.
Tensor run_on_volume(Plan& plan, const Tensor& slices) {
  const Shape input = plan.input(0, 1).shape;
  const auto patch = input.sizes().subspan(1, 3);
  const SlidingWindow window{.patch = {patch.begin(), patch.end()}, .batch = plan.batch()};
  const Shape& shape = slices.shape();
  const ConstView volume(slices.data(), DType::f32, {shape[0], shape[1], shape[2], 1});
  const Tensor made = slide(
      window, volume, 1, [&](const ConstView& in, const View& out) { run_network(plan, in, out); });
  Tensor result(shape, DType::f32);
  std::ranges::copy(made.values<float>(), result.values<float>().begin());
  return result;
}

// Of the slices that the network sees, or of the volumes.
std::int64_t size_of_network(const Plan& plan) {
  require(!plan.trains() && plan.graph().inputs().size() == 1,
          "reconstruct: takes a plan for inference of a network of one input");
  const View in = plan.input(0, 1);
  const bool volume = in.shape.rank() == 5;
  const std::int64_t n = in.shape.rank() == 4 ? in.shape[1] : 0;
  require(in.dtype == DType::f32 && in.shape.back() == 1 &&
              (volume || in.shape == Shape{1, n, n, 1}) && plan.output(0, 1).shape == in.shape,
          "reconstruct: takes networks from f32 [1, n, n, 1] or [1, D, H, W, 1] to the same sizes, "
          "got ",
          name_of(in.dtype), " ", in.shape, " to ", plan.output(0, 1).shape);
  return volume ? kJudgedSize : n;
}

// The slices that a network is shown: those judged, or all of the volume from the first to the
// last.
std::vector<std::int64_t> shown_slices(const PreparedSubject& subject, bool volume) {
  std::vector<std::int64_t> judged;
  for (std::int64_t s = 0; s < subject.slices(); ++s)
    if (subject.judged[static_cast<std::size_t>(s)]) judged.push_back(s);
  if (!volume || judged.empty()) return judged;
  std::vector<std::int64_t> all(static_cast<std::size_t>(judged.back() - judged.front() + 1));
  std::iota(all.begin(), all.end(), judged.front());
  return all;
}

}  // namespace

Reconstruction reconstruct(Plan& plan, const PreparedSubject& subject,
                           const AnomalyScoreOptions& options) {
  check(options);
  check_subject("reconstruct", subject);
  const std::int64_t n = size_of_network(plan);
  const Tensor slices = resample_slices(subject.images, n);
  const bool volume = plan.input(0, 1).shape.rank() == 5;
  const std::vector<std::int64_t> shown = shown_slices(subject, volume);
  const auto columns = static_cast<std::size_t>(n);
  Reconstruction result{Tensor({subject.slices(), n, n}, DType::f32), {}};
  Tensor residuals(result.images.shape(), DType::f32);
  Tensor inputs({static_cast<std::int64_t>(shown.size()), n, n}, DType::f32);
  std::vector<float> made(columns * columns), residual(columns * columns);
  const int views = options.flip_average ? 2 : 1;
  const float share = 1 / static_cast<float>(views);
  for (int view = 0; view < views && !shown.empty(); ++view) {
    // As it is, then its mirror image.
    const auto turned = [&](std::span<const float> from, std::span<float> to) {
      if (view == 0)
        std::ranges::copy(from, to.begin());
      else
        mirror(from, columns, to);
    };
    for (std::size_t i = 0; i < shown.size(); ++i)
      turned(slice_of<float>(slices, shown[i]),
             slice_of<float>(inputs, static_cast<std::int64_t>(i)));
    const Tensor outputs = volume ? run_on_volume(plan, inputs) : run_on_slices(plan, inputs);
    for (std::size_t i = 0; i < shown.size(); ++i) {
      if (!subject.judged[static_cast<std::size_t>(shown[i])]) continue;
      turned(slice_of<float>(outputs, static_cast<std::int64_t>(i)), made);
      residual_map(options.residual, slice_of<float>(slices, shown[i]), made, n, n, residual);
      const std::span<float> image = slice_of<float>(result.images, shown[i]),
                             sum = slice_of<float>(residuals, shown[i]);
      for (std::size_t p = 0; p < made.size(); ++p) {
        image[p] += share * made[p];
        sum[p] += share * residual[p];
      }
    }
  }
  result.raw = resample_slices(residuals, kJudgedSize);
  return result;
}

}  // namespace ratnet::inline v1
