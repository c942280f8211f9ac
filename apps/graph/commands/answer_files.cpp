#include "answer_files.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "../../../core/version.h"
#include "../../../kernels/open.h"
#include "../../../train/hdf5_row_writer.h"
#include "../../../train/score.h"
#include "../../program/inputs.h"
#include "../../program/sample_columns.h"
#include "../image_figures.h"

namespace ratnet::inline v1 {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMasks = "masks";
constexpr const char* kProbabilities = "probabilities";

// A "/" would ask HDF5 for a group.
std::string array_name(std::string output) {
  std::ranges::replace(output, '/', '_');
  return output;
}

std::vector<TsvColumn> columns_of(const TrainedGraph& trained, const Dataset& dataset) {
  std::vector<TsvColumn> columns = sample_columns(dataset.table());
  if (trained.by_label) {
    columns.push_back({"predicted", "the most likely class"});
    for (const std::string& name : trained.class_names())
      columns.push_back({"probability_" + name, "that the sample is of the class " + name});
  }
  if (trained.by_mask)
    for (int k = 1; k < trained.by_mask->classes(); ++k)
      columns.push_back({text("pixels_", k), text("how many pixels are called class ", k)});
  for (const std::string& name : trained.images) {
    columns.push_back({"mse_" + name, "mean squared difference of " + name + " from the image"});
    columns.push_back({"l1_" + name, "mean absolute difference of " + name + " from the image"});
    columns.push_back({"ssim_" + name,
                       text("structural similarity of ", name,
                            " and the image, of data with a range of ", trained.ssim.data_range)});
  }
  return columns;
}

}  // namespace

struct AnswerFiles::State {
  const TrainedGraph& trained;
  const Dataset& dataset;
  AnswerPaths paths;
  std::vector<std::string> names;  // of the outputs
  std::vector<std::string> classes;
  Shape mask_shape;
  std::vector<TsvColumn> columns;
  TsvFile table;
  std::optional<Hdf5RowWriter> arrays;
  bool probabilities;
  QueueHandle cpu;
  std::int64_t next = 0;

  State(const TrainedGraph& model, const Dataset& images, bool with_probabilities,
        const AnswerPaths& to)
      : trained(model),
        dataset(images),
        paths(to),
        names(answer_outputs(model)),
        classes(model.class_names()),
        mask_shape(images.image_shape().without_last()),
        columns(columns_of(model, images)),
        table(to.table, columns),
        probabilities(with_probabilities),
        cpu(open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}})) {
    if (trained.by_mask || !trained.others.empty()) add_arrays();
  }

  void add_arrays() {
    arrays.emplace();
    const std::int64_t n = dataset.size();
    if (trained.by_mask) arrays->add(kMasks, DType::u8, mask_shape.batch_of(n));
    if (probabilities) {
      Shape shape = mask_shape;
      shape.push_back(trained.by_mask->classes());
      arrays->add(kProbabilities, DType::f32, shape.batch_of(n));
    }
    const Graph& graph = trained.model.graph;
    const auto shapes = graph.infer(n, false);
    for (const std::string& name : trained.others) {
      Shape shape = shapes[static_cast<std::size_t>(graph.find(name))].output;
      if (trained.patches) {  // of the whole image
        const std::int64_t width = shape.back();
        shape = mask_shape.batch_of(n);
        shape.push_back(width);
      }
      arrays->add(array_name(name), DType::f32, shape);
    }
  }

  const View& output(const std::string& name, std::span<const View> outputs) const {
    return outputs[static_cast<std::size_t>(std::ranges::find(names, name) - names.begin())];
  }

  void add_class(std::vector<TsvValue>& row, const float* scores) const {
    row.push_back(classes[static_cast<std::size_t>(trained.by_label->decide(scores))]);
    std::vector<double> p(classes.size());
    trained.by_label->to_probabilities(scores, p);
    row.insert(row.end(), p.begin(), p.end());
  }

  void add_mask(std::vector<TsvValue>& row, const float* scores) {
    const ClassOutput& output = *trained.by_mask;
    const auto width = static_cast<std::size_t>(output.width);
    const auto count = static_cast<std::size_t>(output.classes());
    std::vector<std::uint8_t> mask(static_cast<std::size_t>(mask_shape.count()));
    std::vector<std::int64_t> pixels(count);
    std::vector<float> all;
    std::vector<double> p(count);
    for (std::size_t i = 0; i < mask.size(); ++i) {
      mask[i] = static_cast<std::uint8_t>(output.decide(scores + i * width));
      ++pixels[mask[i]];
      if (!probabilities) continue;
      output.to_probabilities(scores + i * width, p);
      for (const double value : p) all.push_back(static_cast<float>(value));
    }
    arrays->write(kMasks, next, {mask.data(), DType::u8, mask_shape});
    if (probabilities) {
      Shape shape = mask_shape;
      shape.push_back(output.classes());
      arrays->write(kProbabilities, next, {all.data(), DType::f32, shape});
    }
    row.insert(row.end(), pixels.begin() + 1, pixels.end());
  }
};

AnswerPaths answer_paths(const std::string& folder, const std::string& input) {
  const std::string base = (fs::path(folder) / stem_of(input)).string();
  return {base + "_desc-predicted_samples.tsv", base + "_desc-predicted_samples.json",
          base + kPredictedEnding};
}

void check_array_names(const TrainedGraph& trained, bool probabilities) {
  std::map<std::string, std::string> taken;  // by the array's name, what it holds
  if (trained.by_mask) taken[kMasks] = "the masks";
  if (probabilities) taken[kProbabilities] = "the probabilities of the masks";
  for (const std::string& name : trained.others) {
    const auto [before, is_new] = taken.try_emplace(array_name(name), "the output '" + name + "'");
    if (!is_new)
      fail(ErrorKind::input, trained.name, ": the array '", before->first, "' would hold both ",
           before->second, " and the output '", name,
           "'; give the output another name in the graph's file and train again");
  }
}

std::vector<std::string> answer_outputs(const TrainedGraph& trained) {
  std::vector<std::string> names = trained.others;
  for (const auto& classes : {trained.by_label, trained.by_mask})
    if (classes) names.push_back(classes->output);
  return names;
}

AnswerFiles::AnswerFiles(const TrainedGraph& trained, const Dataset& dataset, bool probabilities,
                         const AnswerPaths& paths)
    : state_(std::make_unique<State>(trained, dataset, probabilities, paths)) {}

AnswerFiles::~AnswerFiles() = default;

bool AnswerFiles::has_arrays() const { return state_->arrays.has_value(); }

void AnswerFiles::add(const Batch& batch, std::span<const View> outputs) {
  State& s = *state_;
  for (std::int64_t n = 0; n < batch.count; ++n, ++s.next) {
    std::vector<TsvValue> row = sample_values(s.dataset.table(), static_cast<std::size_t>(s.next));
    const auto made = [&](const std::string& name) {
      return sample_of(s.output(name, outputs), n);
    };
    if (s.trained.by_label) s.add_class(row, made(s.trained.by_label->output).as<float>());
    if (s.trained.by_mask) s.add_mask(row, made(s.trained.by_mask->output).as<float>());
    for (const std::string& name : s.trained.images) {
      const ImageFigures figures =
          image_figures(*s.cpu, made(name), sample_of(batch.images, n), s.trained.ssim,
                        s.trained.by_slices(s.dataset.image_shape()));
      row.insert(row.end(), {figures.mse, figures.l1, figures.ssim});
    }
    for (const std::string& name : s.trained.others)
      s.arrays->write(array_name(name), s.next, made(name));
    s.table.row(row);
  }
}

void AnswerFiles::commit() {
  State& s = *state_;
  const Model& model = s.trained.model;
  const auto hash = model.provenance.find("data_hash");
  const std::pair<std::string, TsvValue> facts[] = {
      {"Sources", fs::path(s.dataset.name()).filename().string()},
      {"GeneratedBy", "ratnet " + version()},
      {"Model", fs::path(s.trained.name).filename().string()},
      {"ModelTrainingData", hash == model.provenance.end() ? "" : hash->second},
      {"PixelsMultipliedBy", s.trained.scale}};
  if (s.arrays) s.arrays->commit(s.paths.arrays);
  write_file(s.paths.sidecar, tsv_sidecar(s.columns, facts));
  s.table.commit();
}

}  // namespace ratnet::inline v1
