// What the four kinds of file look like to `ratnet inspect`: as JSON text, and as a person reads
// it.
#pragma once

#include <optional>
#include <string>

#include "../../../imaging/nifti.h"
#include "../../../imaging/orientation.h"
#include "../../../network/predictor.h"
#include "../../../train/hdf5_dataset.h"

namespace ratnet::inline v1 {

// With a plan where one is wanted.
using PlanWanted = std::optional<PredictorOptions>;
std::string model_json(const Model& model, const PlanWanted& plan);
void print_model(const Model& model, const PlanWanted& plan);

// Layer by layer, with totals.
std::string graph_json(const Graph& graph);
void print_graph(const Graph& graph);

std::string hdf5_json(const Hdf5Description& description);
void print_hdf5(const Hdf5Description& description);

std::string scan_json(const NiftiInfo& info, const SliceLayout& layout);
void print_scan(const NiftiInfo& info, const SliceLayout& layout);

}  // namespace ratnet::inline v1
