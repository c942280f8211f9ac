#include "dataset.h"

#include <cstring>
#include <type_traits>
#include <utility>

namespace ratnet::inline v1 {

std::string_view name_of(Split split) {
  switch (split) {
    case Split::train: return "train";
    case Split::validation: return "validation";
    case Split::test: return "test";
  }
  return "";
}

void check_table(const SampleTable& table, std::int64_t n) {
  const auto check = [n](const std::string& name, std::size_t size) {
    require(size == 0 || static_cast<std::int64_t>(size) == n, "column '", name, "' has ", size,
            " entries for ", n, " images");
  };
  check("labels", table.labels.size());
  check("subject", table.subjects.size());
  check("session", table.sessions.size());
  check("run", table.runs.size());
  check("volume", table.volumes.size());
  check("slice", table.slices.size());
  check("split", table.splits.size());
  for (const auto& [name, values] : table.columns) check(name, values.size());
}

SampleTable select_rows(const SampleTable& table, std::span<const std::int64_t> indices) {
  const auto pick = [&](const auto& column) {
    std::decay_t<decltype(column)> picked;
    if (column.empty()) return picked;
    picked.reserve(indices.size());
    for (const std::int64_t i : indices) {
      require(i >= 0 && static_cast<std::size_t>(i) < column.size(), "there is no row ", i, " in ",
              column.size());
      picked.push_back(column[static_cast<std::size_t>(i)]);
    }
    return picked;
  };
  SampleTable rows{.labels = pick(table.labels),
                   .subjects = pick(table.subjects),
                   .sessions = pick(table.sessions),
                   .runs = pick(table.runs),
                   .volumes = pick(table.volumes),
                   .slices = pick(table.slices),
                   .splits = pick(table.splits)};
  for (const auto& [name, values] : table.columns) rows.columns[name] = pick(values);
  return rows;
}

const DatasetAttributes& Dataset::attributes() const {
  static const DatasetAttributes none;
  return none;
}

const std::vector<std::string>& Dataset::notes() const {
  static const std::vector<std::string> none;
  return none;
}

void check_read(const Dataset& dataset, std::int64_t first, const View& to) {
  const Shape image = dataset.image_shape();
  require(
      to.shape.rank() > 0 && to.dtype == dataset.dtype() && to.shape == image.batch_of(to.shape[0]),
      dataset.name(), ": images of ", name_of(dataset.dtype()), " ", to_string(image),
      " cannot be read into ", name_of(to.dtype), " ", to_string(to.shape));
  require(first >= 0 && to.shape[0] <= dataset.size() && first <= dataset.size() - to.shape[0],
          dataset.name(), ": images ", first, " to ", first + to.shape[0] - 1, " of ",
          dataset.size(), " were asked for");
}

TensorDataset::TensorDataset(Tensor images, SampleTable table, DatasetAttributes attributes,
                             std::string name)
    : images_(std::move(images)),
      table_(std::move(table)),
      attributes_(std::move(attributes)),
      name_(std::move(name)) {
  const Shape& shape = images_.shape();
  require(shape.rank() >= 3 && shape.rank() <= 5, name_, ": images must be [N, H, W], ",
          "[N, H, W, C] or [N, D, H, W, C], not ", to_string(shape));
  const DType type = images_.dtype();
  require(type == DType::u8 || type == DType::u16 || type == DType::i16 || type == DType::f32,
          name_, ": images must be u8, u16, i16 or f32, not ", ratnet::name_of(type));
  check_table(table_, size());
  const std::size_t bytes = static_cast<std::size_t>(image_shape().count()) * size_of(type);
  const std::size_t pixel = size_of(type) * static_cast<std::size_t>(image_shape().back());
  const auto* at = static_cast<const std::byte*>(images_.data());
  for (std::int64_t i = 0; i < size(); ++i, at += bytes)
    hashes_.push_back(hash_image({at, bytes}, pixel));
}

Shape TensorDataset::image_shape() const {
  Shape image(images_.shape().sizes().subspan(1));
  if (image.rank() == 2) image.push_back(1);
  return image;
}

ConstView TensorDataset::resident() const {
  return images_.view().reshaped(image_shape().batch_of(size()));
}

void TensorDataset::read(std::int64_t first, View to) {
  check_read(*this, first, to);
  const std::size_t bytes = static_cast<std::size_t>(image_shape().count()) * size_of(dtype());
  if (to.bytes() > 0)
    std::memcpy(
        to.data,
        static_cast<const std::byte*>(images_.data()) + static_cast<std::size_t>(first) * bytes,
        to.bytes());
}

}  // namespace ratnet::inline v1
