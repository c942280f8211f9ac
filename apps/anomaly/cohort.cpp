#include "cohort.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <type_traits>
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

// Subject, session, run and volume.
using ScanKey = std::tuple<std::string, std::string, std::string, std::int32_t>;

ScanKey key_of(const SampleTable& table, std::size_t row) {
  const auto at = [row](const auto& column) {
    return column.empty() ? std::decay_t<decltype(column[0])>() : column[row];
  };
  return {table.subjects[row], at(table.sessions), at(table.runs), at(table.volumes)};
}

// Adds to the names of scans of one subject in what they differ.
void name_apart(std::vector<CohortScan>& scans, const SampleTable& table) {
  std::map<std::string, std::vector<std::size_t>> of_subject;
  for (std::size_t i = 0; i < scans.size(); ++i) of_subject[scans[i].subject].push_back(i);
  for (const auto& each : of_subject) {
    const std::vector<std::size_t>& own = each.second;
    const auto add = [&](const char* what, const auto& column) {
      if (column.empty()) return;
      const auto value = [&](std::size_t i) {
        return column[static_cast<std::size_t>(scans[i].rows.front())];
      };
      if (std::ranges::all_of(own, [&](std::size_t i) { return value(i) == value(own[0]); }))
        return;
      for (const std::size_t i : own) scans[i].name += text(what, value(i));
    };
    add("_ses-", table.sessions);
    add("_run-", table.runs);
    add("_vol-", table.volumes);
  }
}

}  // namespace

std::vector<CohortScan> scans_of(const Dataset& dataset) {
  const SampleTable& table = dataset.table();
  if (dataset.size() == 0) fail(ErrorKind::input, dataset.name(), ": holds no slices");
  if (table.subjects.empty())
    fail(ErrorKind::input, dataset.name(),
         ": does not say whose slices these are; add 'subject' [N], a name or number for each");
  if (table.slices.empty())
    fail(ErrorKind::input, dataset.name(),
         ": does not say in which order the slices lie; add 'slice' [N], integers that rise from "
         "the bottom of the head to its top");
  std::vector<CohortScan> scans;
  std::map<ScanKey, std::size_t> numbers;
  for (std::size_t row = 0; row < table.subjects.size(); ++row) {
    const auto [at, added] = numbers.try_emplace(key_of(table, row), scans.size());
    if (added) scans.push_back({table.subjects[row], table.subjects[row], {}});
    scans[at->second].rows.push_back(static_cast<std::int64_t>(row));
  }
  name_apart(scans, table);
  for (CohortScan& scan : scans) {
    if (static_cast<std::int64_t>(scan.rows.size()) > kMostSlices)
      fail(ErrorKind::input, dataset.name(), ": '", scan.name, "' has ", scan.rows.size(),
           " slices, at most ", kMostSlices, " are one stack");
    const auto number = [&](std::int64_t row) {
      return table.slices[static_cast<std::size_t>(row)];
    };
    std::ranges::sort(scan.rows, {}, number);
    const auto twice = std::ranges::adjacent_find(scan.rows, {}, number);
    if (twice != scan.rows.end())
      fail(ErrorKind::input, dataset.name(), ": '", scan.name, "' has slice ", number(*twice),
           " twice; 'session', 'run' and 'volume' [N] tell the scans of a subject apart");
  }
  return scans;
}

SubjectCohort::SubjectCohort(std::unique_ptr<Dataset> images, std::unique_ptr<Dataset> masks)
    : images_(std::move(images)), masks_(std::move(masks)), scans_(scans_of(*images_)) {
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

Tensor SubjectCohort::read(std::size_t scan) {
  require(scan < scans_.size(), dataset().name(), ": has no scan ", scan);
  return read_rows(*images_, scans_[scan].rows);
}

PreparedSubject SubjectCohort::prepare(std::size_t scan, const PreparationOptions& options) {
  const Tensor images = read(scan);
  const auto& [name, subject, rows] = scans_[scan];
  Tensor masks;
  if (masks_) masks = as_masks(read_rows(*masks_, rows));
  std::vector<std::uint8_t> labels;
  const std::vector<std::uint8_t>& all = dataset().table().labels;
  if (!all.empty())
    for (const std::int64_t row : rows) labels.push_back(all[static_cast<std::size_t>(row)]);
  const std::vector<std::string> kinds = lesion_kinds(dataset(), rows);
  return prepare_subject({.name = name,
                          .subject = subject,
                          .images = images,
                          .masks = masks ? masks.view() : View{},
                          .labels = labels,
                          .lesion_kinds = kinds},
                         options);
}

}  // namespace ratnet::inline v1
