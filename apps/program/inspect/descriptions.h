// What the three kinds of file look like to `ratnet inspect`: as JSON text, and as a person reads
// it.
#pragma once

#include <cstdint>
#include <string>

#include "../../../imaging/nifti.h"
#include "../../../imaging/orientation.h"
#include "../../../network/model.h"
#include "../../../train/hdf5_dataset.h"

namespace ratnet::inline v1 {

// With plan_batch above 0 also the plan for batches of that size.
std::string model_json(const Model& model, std::int64_t plan_batch);
void print_model(const Model& model, std::int64_t plan_batch);

std::string hdf5_json(const Hdf5Description& description);
void print_hdf5(const Hdf5Description& description);

std::string scan_json(const NiftiInfo& info, const SliceLayout& layout);
void print_scan(const NiftiInfo& info, const SliceLayout& layout);

}  // namespace ratnet::inline v1
