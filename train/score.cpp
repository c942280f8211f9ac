#include "score.h"

#include <algorithm>

namespace ratnet::inline v1 {

std::int64_t images_at_once(const Shape& image, std::int64_t most) {
  return std::clamp<std::int64_t>((std::int64_t{1} << 20) / image.count(), 1, most);
}

ConstView sample_of(const ConstView& batch, std::int64_t n) {
  const Shape shape(batch.shape.sizes().subspan(1));
  const std::size_t bytes = static_cast<std::size_t>(shape.count()) * size_of(batch.dtype);
  return {static_cast<const std::byte*>(batch.data) + static_cast<std::size_t>(n) * bytes,
          batch.dtype, shape};
}

void run_over(Plan& plan, Dataset& dataset, const std::vector<std::int64_t>& indices,
              const ScoreOptions& options,
              const std::function<void(const Batch& batch, std::span<const View> outputs)>& visit) {
  if (indices.empty()) return;
  WholeImages* const whole = options.whole;
  const std::int64_t most = whole ? 1 : plan.batch();
  const std::size_t count = plan.graph().outputs().size();
  const auto shape_of = [&](std::size_t i, std::int64_t n) {
    return whole ? whole->output_shape(i).batch_of(n) : plan.output(i, n).shape;
  };
  std::vector<std::vector<float>> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i].resize(static_cast<std::size_t>(shape_of(i, most).count()));
  LoaderOptions loading{
      .batch = most, .shuffle = false, .scales = options.scales, .threads = options.threads};
  if (whole) loading.ahead = 1;  // they may be large
  Loader loader(dataset, indices, loading);
  for (std::int64_t b = 0; b < loader.batches_per_epoch(); ++b) {
    const Batch& batch = loader.next();
    std::vector<View> outputs;
    for (std::size_t i = 0; i < count; ++i)
      outputs.emplace_back(values[i].data(), DType::f32, shape_of(i, batch.count));
    if (whole) {
      std::vector<View> of_one;
      for (const View& output : outputs)
        of_one.push_back(output.reshaped(Shape(output.shape.sizes().subspan(1))));
      whole->run(sample_of(batch.images, 0), of_one);
    } else {
      const ConstView in[] = {batch.images};
      plan.run(in, outputs);
    }
    visit(batch, outputs);
  }
}

std::vector<float> score(Plan& plan, Dataset& dataset, const std::vector<std::int64_t>& indices,
                         const ScoreOptions& options,
                         const std::function<void(std::int64_t done)>& progress) {
  std::vector<float> outputs;
  outputs.reserve(indices.size() * static_cast<std::size_t>(plan.output(0, 1).count()));
  std::int64_t done = 0;
  run_over(plan, dataset, indices, options, [&](const Batch& batch, std::span<const View> values) {
    const auto* first = values[0].as<float>();
    outputs.insert(outputs.end(), first, first + values[0].count());
    done += batch.count;
    if (progress) progress(done);
  });
  return outputs;
}

}  // namespace ratnet::inline v1
