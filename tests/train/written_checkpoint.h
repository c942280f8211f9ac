// A checkpoint of tensors on the host, written as a training writes its own.
#pragma once

#include "../../train/checkpoint.h"

namespace ratnet::testing {

inline void write_checkpoint(const Checkpoint& c, const std::string& path) {
  TrainedValues values;
  for (const Weights::Entry& entry : c.weights.entries())
    values.weights.push_back({entry.name, entry.value.view()});
  for (const Tensor& tensor : c.optimiser) values.optimiser.push_back({"", tensor.view()});
  if (c.average) values.average = {"", c.average->view()};
  save_checkpoint(c.position, values, path);
}

}  // namespace ratnet::testing
