// Max pooling with an activation applied to its result.
#pragma once

#include "../../core/activation.h"
#include "../pool.h"

namespace ratnet::inline v1 {

void max_pool_activated(CudaQueue& queue, const MaxPool& op, Activation activation, double slope);

}  // namespace ratnet::inline v1
