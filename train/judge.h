// How well a network does on samples that it was not trained on.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "../network/plan.h"
#include "loader.h"
#include "objective.h"
#include "segmentation.h"
#include "target_buffers.h"
#include "whole_images.h"
#include "whole_losses.h"

namespace ratnet::inline v1 {

// NaN or empty where the objective says nothing about it.
struct Judgement {
  std::int64_t samples = 0;
  // Mean over the samples, without class weights, label smoothing and positive weight; losses that
  // warm up count whole. Of masks, and of images whose sums do not come apart into samples: mean
  // over the batches that it was judged in; of a network of patches mean over the images, each as
  // a whole.
  double loss = 0;
  // Of a classification: of the labelled samples; with more than two classes the AUROC is the mean
  // of each class against the others.
  double accuracy = 0;
  double auroc = 0;
  std::vector<float> scores;  // [samples, classes]: the output as it is
  // Of a segmentation: by class over all samples, pixels without a label left out.
  std::vector<Overlap> overlap;
  double dice = 0;  // mean over the classes but 0 that are there
};

// Throws Error: input where a label or a pixel of a mask, of these samples, has no place in the
// output that a loss compares with it, or where there are no labels or masks; usage for class
// weights of another number.
void check_samples(const Graph& graph, const Objective& objective, Dataset& dataset, Dataset* masks,
                   const std::vector<std::int64_t>& indices);

// Those that the losses can be computed of: without unlabelled ones where a loss reads labels.
std::vector<std::int64_t> usable_samples(std::vector<std::int64_t> indices,
                                         const Objective& objective, const Dataset& dataset);

// Told of every batch that was judged; outputs: those of the judged graph, [B, ...] in host memory.
// Of a network of patches, batches are of one whole image.
using JudgedBatch = std::function<void(const Batch& batch, std::span<const ConstView> outputs)>;

// Told how many samples have been judged, 0 at first, and of how many; false interrupts.
using JudgingProgress = std::function<bool(std::int64_t done, std::int64_t of)>;
struct JudgingInterrupted {};

// Judges the parameters as they are at the time.
class Judge {
 public:
  // graph: the outputs that the objective reads. options: scales, masks, the change, threads and
  // memory count, and whether it takes patches: then it slides over whole images as `window` says.
  // The dataset has to stay.
  Judge(const Graph& graph, std::shared_ptr<Parameters> parameters, const Objective& objective,
        Dataset& dataset, const LoaderOptions& options, Precision precision = Precision::f32,
        const WindowOptions& window = {});

  // Throws JudgingInterrupted where `progress` says so.
  Judgement run(const std::vector<std::int64_t>& indices, const JudgedBatch& judged = {},
                const JudgingProgress& progress = {});
  // On the device, beside the parameters; on a CPU what sliding over images takes too.
  std::size_t bytes() const;
  // Of host memory, for these samples on their way: Loader::bytes().
  std::size_t loader_bytes(const std::vector<std::int64_t>& indices) const;
  // What the plans of such a judge would take of them; takes none.
  static std::size_t plan_bytes(const Graph& graph, std::shared_ptr<Parameters> parameters,
                                const Objective& objective, const Dataset& dataset,
                                const LoaderOptions& options);

 private:
  // The sum of the losses up to this batch.
  double judge_batch(const Batch& batch, double share, const std::vector<bool>& wanted,
                     std::vector<ConstView>& outputs);
  // The losses of this image.
  double judge_whole(const Batch& batch, std::vector<ConstView>& outputs);

  Objective objective_;
  Dataset& dataset_;
  LoaderOptions options_;
  Plan plan_;
  // Where the graph takes patches ...
  std::optional<WholeImages> whole_images_;
  std::optional<WholeLosses> whole_losses_;
  // ... and where it takes images as they are.
  std::optional<PlannedLosses> losses_;
  std::optional<TargetBuffers> targets_;
  Buffer loss_sum_;
  std::vector<std::vector<float>> values_;  // outputs in host memory
};

}  // namespace ratnet::inline v1
