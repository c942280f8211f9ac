// The convolutions that a network asks a device for, written down in place of being run.
#pragma once

#include <variant>
#include <vector>

#include "../../kernels/conv.h"
#include "../../network/plan.h"

namespace ratnet::testing {

using AnyConvolution = std::variant<Conv, ConvBackwardData, ConvBackwardWeights>;

// Of a training step of that graph on batches of that size, input gradients included.
std::vector<AnyConvolution> recorded_convolutions(const Graph& graph, std::int64_t batch,
                                                  Precision precision);

}  // namespace ratnet::testing
