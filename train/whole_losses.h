// The losses of what a network of patches says of whole images.
#pragma once

#include "../network/plan.h"
#include "loader.h"
#include "objective.h"

namespace ratnet::inline v1 {

// On a CPU, where the outputs of WholeImages are. Of the slices of a volume, where the patches are
// pieces of these, the losses are those of one batch of slices.
class WholeLosses {
 public:
  // graph: the outputs that the objective reads, of patches; image: the shape of the images.
  WholeLosses(const QueueHandle& cpu, const Graph& graph, const Objective& objective,
              const Shape& image);
  WholeLosses(const WholeLosses&) = delete;
  WholeLosses& operator=(const WholeLosses&) = delete;

  // Memory of the outputs, of one image each, in the order of the graph: f32 [..., K] of the shape
  // that WholeImages writes.
  std::vector<View> outputs() const;

  // Of what stands in the outputs. batch: one image with what it is compared with.
  double of(const Batch& batch);

  std::size_t bytes() const { return plan_.memory().total(); }
  static std::size_t bytes_of(const QueueHandle& cpu, const Graph& graph, const Shape& image);

 private:
  Plan plan_;
  PlannedLosses losses_;
  Buffer sum_;
  Shape image_;
  bool slices_;
};

}  // namespace ratnet::inline v1
