#include "resampled_dataset.h"

#include <algorithm>

#include "../imaging/resample.h"

namespace ratnet::inline v1 {
namespace {

// Copies n stored numbers of any pixel type to floats.
void to_floats(const ConstView& from, std::span<float> to) {
  const auto copy = [&](const auto* values) { std::copy_n(values, to.size(), to.begin()); };
  switch (from.dtype) {
    case DType::u8: return copy(from.as<std::uint8_t>());
    case DType::u16: return copy(from.as<std::uint16_t>());
    case DType::i16: return copy(from.as<std::int16_t>());
    case DType::f32: return copy(from.as<float>());
    default: fail(ErrorKind::internal, "images of ", name_of(from.dtype), " are not read");
  }
}

void require_slices(const Dataset& dataset) {
  if (dataset.image_shape().rank() != 3)
    fail(ErrorKind::input, dataset.name(), ": has volumes of ", to_string(dataset.image_shape()),
         ", expected slices");
}

class Resampled final : public Dataset {
 public:
  Resampled(std::unique_ptr<Dataset> source, std::int64_t rows, std::int64_t columns)
      : source_(std::move(source)),
        resampler_({source_->image_shape()[0], source_->image_shape()[1], 1, 1}, rows, columns),
        shape_({rows, columns, source_->image_shape()[2]}) {
    notes_ = source_->notes();
    const Shape from = source_->image_shape();
    notes_.push_back(text("images of ", from[0], " x ", from[1], " are resampled to ", rows, " x ",
                          columns, ", aspect kept, padded with zeros"));
  }

  std::int64_t size() const override { return source_->size(); }
  Shape image_shape() const override { return shape_; }
  DType dtype() const override { return DType::f32; }
  const SampleTable& table() const override { return source_->table(); }
  std::int64_t chunk() const override { return source_->chunk(); }
  std::string name() const override { return source_->name(); }
  const DatasetAttributes& attributes() const override { return source_->attributes(); }
  std::span<const ImageHash> hashes() const override { return source_->hashes(); }
  const std::vector<std::string>& notes() const override { return notes_; }

  void read(std::int64_t first, View to) override {
    check_read(*this, first, to);
    const Shape from = source_->image_shape();
    const std::int64_t n = to.shape[0];
    const std::int64_t channels = from[2];
    const auto pixels = static_cast<std::size_t>(from[0] * from[1]);
    const auto out_pixels = static_cast<std::size_t>(shape_[0] * shape_[1]);
    Tensor stored({n, from[0], from[1], channels}, source_->dtype());
    source_->read(first, stored);
    std::vector<float> all(static_cast<std::size_t>(stored.count()));
    to_floats(stored.view(), all);
    std::vector<float> plane(pixels), result(out_pixels), scratch(resampler_.scratch_size());
    float* out = to.as<float>();
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t c = 0; c < channels; ++c) {
        const auto step = static_cast<std::size_t>(channels);
        const std::size_t in = static_cast<std::size_t>(i) * pixels * step;
        for (std::size_t p = 0; p < pixels; ++p)
          plane[p] = all[in + p * step + static_cast<std::size_t>(c)];
        resampler_.run(plane, result, scratch);
        const std::size_t at = static_cast<std::size_t>(i) * out_pixels * step;
        for (std::size_t p = 0; p < out_pixels; ++p)
          out[at + p * step + static_cast<std::size_t>(c)] = result[p];
      }
  }

 private:
  std::unique_ptr<Dataset> source_;
  SliceResampler resampler_;
  Shape shape_;
  std::vector<std::string> notes_;
};

}  // namespace

std::unique_ptr<Dataset> resampled(std::unique_ptr<Dataset> source, std::int64_t rows,
                                   std::int64_t columns) {
  const Shape shape = source->image_shape();
  require_slices(*source);
  if (shape[0] == rows && shape[1] == columns) return source;
  try {
    return std::make_unique<Resampled>(std::move(source), rows, columns);
  } catch (const Error& error) {
    throw Error(ErrorKind::input, error.what());
  }
}

ImageReader::ImageReader(Dataset& dataset)
    : ImageReader(dataset, std::clamp<std::int64_t>(dataset.chunk(), 64, 1024)) {}

ImageReader::ImageReader(Dataset& dataset, std::int64_t ahead) : dataset_(dataset) {
  const Shape shape = dataset.image_shape();
  require_slices(dataset);
  if (shape[2] != 1)
    fail(ErrorKind::input, dataset.name(), ": has images of ", shape[2],
         " channels, expected grey ones");
  require(ahead >= 1, dataset.name(), ": cannot read ", ahead, " images ahead");
  block_ =
      Tensor({std::min(ahead, std::max<std::int64_t>(1, dataset.size())), shape[0], shape[1], 1},
             dataset.dtype());
}

void ImageReader::read(std::int64_t index, std::span<float> image) {
  if (index < first_ || index >= first_ + count_) {
    const std::int64_t block = block_.shape()[0];
    first_ = index / block * block;
    count_ = std::min(block, dataset_.size() - first_);
    require(count_ > 0 && index >= 0, dataset_.name(), ": has no image ", index);
    dataset_.read(first_, block_.view().first(count_));
  }
  const std::size_t bytes = block_.bytes() / static_cast<std::size_t>(block_.shape()[0]);
  const ConstView one(
      static_cast<const char*>(block_.data()) + static_cast<std::size_t>(index - first_) * bytes,
      block_.dtype(), block_.shape().with_first(1));
  require(static_cast<std::int64_t>(image.size()) == one.count(), "an image of ", one.count(),
          " pixels does not fit ", image.size());
  to_floats(one, image);
}

}  // namespace ratnet::inline v1
