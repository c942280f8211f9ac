#include "score.h"

#include "loader.h"

namespace ratnet::inline v1 {

std::vector<float> score(Plan& plan, Dataset& dataset, const std::vector<std::int64_t>& indices,
                         const ScoreOptions& options,
                         const std::function<void(std::int64_t done)>& progress) {
  const std::int64_t classes = plan.output(0, 1).count();
  std::vector<float> outputs;
  if (indices.empty()) return outputs;
  outputs.resize(indices.size() * static_cast<std::size_t>(classes));
  LoaderOptions loading{.batch = plan.batch(),
                        .shuffle = false,
                        .scales = options.scales,
                        .threads = options.threads};
  Loader loader(dataset, indices, loading);
  std::int64_t done = 0;
  for (std::int64_t i = 0; i < loader.batches_per_epoch(); ++i) {
    const Batch& batch = loader.next();
    const ConstView in[] = {batch.images};
    const View out[] = {
        {outputs.data() + done * classes, DType::f32, plan.output(0, batch.count).shape}};
    plan.run(in, out);
    done += batch.count;
    if (progress) progress(done);
  }
  return outputs;
}

}  // namespace ratnet::inline v1
