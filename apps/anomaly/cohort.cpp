#include "cohort.h"

#include <algorithm>
#include <map>
#include <utility>

#include "../../train/resampled_dataset.h"

namespace ratnet::inline v1 {
namespace {

// Images `rows` of a dataset to [n, H, W] as floats, each at its place in `rows`.
Tensor read_rows(Dataset& dataset, const std::vector<std::int64_t>& rows) {
  const Shape shape = dataset.image_shape();
  const auto count = static_cast<std::int64_t>(rows.size());
  Tensor images({count, shape[0], shape[1]}, DType::f32);
  std::vector<std::pair<std::int64_t, std::size_t>> order;
  for (std::size_t s = 0; s < rows.size(); ++s) order.emplace_back(rows[s], s);
  std::ranges::sort(order);
  // Between another subject's slices nothing is worth reading ahead.
  const bool contiguous = order.back().first - order.front().first + 1 == count;
  ImageReader reader = contiguous ? ImageReader(dataset, std::min<std::int64_t>(count, 64))
                                  : ImageReader(dataset, 1);
  const auto pixels = static_cast<std::size_t>(shape[0] * shape[1]);
  for (const auto& [row, s] : order)
    reader.read(row, images.values<float>().subspan(s * pixels, pixels));
  return images;
}

Tensor as_masks(const Tensor& values) {
  Tensor masks(values.shape(), DType::u8);
  const std::span<const float> from = values.values<float>();
  std::ranges::transform(from, masks.values<std::uint8_t>().begin(),
                         [](float value) { return static_cast<std::uint8_t>(value); });
  return masks;
}

// By name, where the file names its kinds; empty where it tells none.
std::vector<std::string> lesion_kinds(const Dataset& dataset,
                                      const std::vector<std::int64_t>& rows) {
  const auto column = dataset.table().columns.find(kLesionKindColumn);
  if (column == dataset.table().columns.end()) return {};
  const auto names = dataset.attributes().value_names.find(kLesionKindColumn);
  std::vector<std::string> kinds;
  for (const std::int64_t row : rows) {
    const std::uint8_t kind = column->second[static_cast<std::size_t>(row)];
    kinds.push_back(kind == 0                                         ? ""
                    : names == dataset.attributes().value_names.end() ? std::to_string(kind)
                                                                      : names->second.at(kind));
  }
  return kinds;
}

}  // namespace

std::vector<CohortSubject> subjects_of(const Dataset& dataset) {
  const SampleTable& table = dataset.table();
  if (dataset.size() == 0) fail(ErrorKind::input, dataset.name(), ": holds no slices");
  if (table.subjects.empty())
    fail(ErrorKind::input, dataset.name(),
         ": does not say whose slices these are; add 'subject' [N], a name or number for each");
  if (table.slices.empty())
    fail(ErrorKind::input, dataset.name(),
         ": does not say in which order the slices lie; add 'slice' [N], integers that rise from "
         "the bottom of the head to its top");
  std::vector<CohortSubject> subjects;
  std::map<std::string, std::size_t> numbers;
  for (std::size_t row = 0; row < table.subjects.size(); ++row) {
    const auto [at, added] = numbers.try_emplace(table.subjects[row], subjects.size());
    if (added) subjects.push_back({table.subjects[row], {}});
    subjects[at->second].rows.push_back(static_cast<std::int64_t>(row));
  }
  for (CohortSubject& subject : subjects) {
    if (static_cast<std::int64_t>(subject.rows.size()) > kMostSlices)
      fail(ErrorKind::input, dataset.name(), ": subject '", subject.name, "' has ",
           subject.rows.size(), " slices, at most ", kMostSlices, " are one stack");
    const auto number = [&](std::int64_t row) {
      return table.slices[static_cast<std::size_t>(row)];
    };
    std::ranges::sort(subject.rows, {}, number);
    const auto twice = std::ranges::adjacent_find(subject.rows, {}, number);
    if (twice != subject.rows.end())
      fail(ErrorKind::input, dataset.name(), ": subject '", subject.name, "' has slice ",
           number(*twice),
           " twice; a subject is one stack here, so keep one session, run and "
           "volume of each");
  }
  return subjects;
}

SubjectCohort::SubjectCohort(std::unique_ptr<Dataset> images, std::unique_ptr<Dataset> masks)
    : images_(std::move(images)), masks_(std::move(masks)), subjects_(subjects_of(*images_)) {
  const Shape shape = images_->image_shape();
  if (shape[2] != 1)
    fail(ErrorKind::input, images_->name(), ": has images of ", shape[2],
         " channels, expected grey ones");
  if (masks_)
    require(masks_->dtype() == DType::u8 && masks_->size() == images_->size() &&
                masks_->image_shape() == shape,
            images_->name(), ": has masks of ", name_of(masks_->dtype()), ", ", masks_->size(),
            " x ", masks_->image_shape(), ", expected u8, ", images_->size(), " x ", shape);
}

SliceGrid SubjectCohort::grid() const {
  const Shape shape = images_->image_shape();
  return {shape[0], shape[1], 1, 1};
}

PreparedSubject SubjectCohort::prepare(std::size_t subject, const PreparationOptions& options) {
  require(subject < subjects_.size(), dataset().name(), ": has no subject ", subject);
  const auto& [name, rows] = subjects_[subject];
  const Tensor images = read_rows(*images_, rows);
  Tensor masks;
  if (masks_) masks = as_masks(read_rows(*masks_, rows));
  std::vector<std::uint8_t> labels;
  const std::vector<std::uint8_t>& all = dataset().table().labels;
  if (!all.empty())
    for (const std::int64_t row : rows) labels.push_back(all[static_cast<std::size_t>(row)]);
  const std::vector<std::string> kinds = lesion_kinds(dataset(), rows);
  return prepare_subject({.name = name,
                          .images = images,
                          .masks = masks ? masks.view() : View{},
                          .labels = labels,
                          .lesion_kinds = kinds},
                         options);
}

}  // namespace ratnet::inline v1
