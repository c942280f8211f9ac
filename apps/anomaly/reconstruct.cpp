#include "reconstruct.h"

#include <algorithm>

#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

void mirror(std::span<const float> image, std::size_t columns, std::span<float> result) {
  for (std::size_t row = 0; row < image.size(); row += columns)
    std::ranges::reverse_copy(image.subspan(row, columns), result.subspan(row).begin());
}

// What the network makes of images [N, n, n], in its batches.
Tensor run_network(Plan& plan, const Tensor& images) {
  const std::int64_t total = images.shape()[0], n = images.shape()[1];
  Tensor result(images.shape(), DType::f32);
  std::vector<std::int64_t> left;  // of the other outputs, numbers of one sample
  for (std::size_t i = 1; i < plan.graph().outputs().size(); ++i)
    left.push_back(plan.output(i, 1).count());
  for (std::int64_t first = 0; first < total; first += plan.batch()) {
    const std::int64_t batch = std::min(plan.batch(), total - first);
    const ConstView in(slice_of<float>(images, first).data(), DType::f32, {batch, n, n, 1});
    std::vector<View> out{{slice_of<float>(result, first).data(), DType::f32, in.shape}};
    std::vector<Tensor> others;
    for (std::size_t i = 0; i < left.size(); ++i)
      out.push_back(others.emplace_back(plan.output(i + 1, batch).shape, DType::f32).view());
    plan.run({&in, 1}, out);
  }
  return result;
}

std::int64_t size_of_network(const Plan& plan) {
  require(!plan.trains() && plan.graph().inputs().size() == 1,
          "reconstruct: takes a plan for inference of a network of one input");
  const View in = plan.input(0, 1);
  const std::int64_t n = in.shape.rank() == 4 ? in.shape[1] : 0;
  require(in.dtype == DType::f32 && in.shape == Shape{1, n, n, 1} &&
              plan.output(0, 1).shape == in.shape,
          "reconstruct: takes networks from f32 [1, n, n, 1] to the same sizes, got ",
          name_of(in.dtype), " ", in.shape, " to ", plan.output(0, 1).shape);
  return n;
}

}  // namespace

Reconstruction reconstruct(Plan& plan, const PreparedSubject& subject,
                           const AnomalyScoreOptions& options) {
  check(options);
  check_subject("reconstruct", subject);
  const std::int64_t n = size_of_network(plan);
  const Tensor slices = resample_slices(subject.images, n);
  std::vector<std::int64_t> judged;
  for (std::int64_t s = 0; s < subject.slices(); ++s)
    if (subject.judged[static_cast<std::size_t>(s)]) judged.push_back(s);

  // Each slice is followed by its mirror image, if that is asked for.
  const std::int64_t views = options.flip_average ? 2 : 1;
  const auto columns = static_cast<std::size_t>(n);
  Tensor inputs({static_cast<std::int64_t>(judged.size()) * views, n, n}, DType::f32);
  for (std::size_t i = 0; i < judged.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i) * views;
    const std::span<const float> slice = slice_of<float>(slices, judged[i]);
    std::ranges::copy(slice, slice_of<float>(inputs, at).begin());
    if (views == 2) mirror(slice, columns, slice_of<float>(inputs, at + 1));
  }
  const Tensor outputs = run_network(plan, inputs);

  Reconstruction result{Tensor({subject.slices(), n, n}, DType::f32), {}};
  Tensor residuals(result.images.shape(), DType::f32);
  std::vector<float> made(columns * columns), residual(columns * columns);
  const float share = 1 / static_cast<float>(views);
  for (std::size_t i = 0; i < judged.size(); ++i)
    for (std::int64_t view = 0; view < views; ++view) {
      const std::span<const float> output =
          slice_of<float>(outputs, static_cast<std::int64_t>(i) * views + view);
      if (view == 0)
        std::ranges::copy(output, made.begin());
      else
        mirror(output, columns, made);
      residual_map(options.residual, slice_of<float>(slices, judged[i]), made, n, n, residual);
      const std::span<float> image = slice_of<float>(result.images, judged[i]),
                             sum = slice_of<float>(residuals, judged[i]);
      for (std::size_t p = 0; p < made.size(); ++p) {
        image[p] += share * made[p];
        sum[p] += share * residual[p];
      }
    }
  result.raw = resample_slices(residuals, kJudgedSize);
  return result;
}

}  // namespace ratnet::inline v1
