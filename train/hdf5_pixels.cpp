#include "hdf5_pixels.h"

#include <hdf5.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <unistd.h>

#include "../core/error.h"
#include "hdf5_handle.h"
#include "hdf5_read.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::uint64_t kLargestSide = 4096;
constexpr std::uint64_t kMostChannels = 16;
constexpr std::uint64_t kMostValues = std::uint64_t{1} << 24;  // of one image

DType delivered_type(const Hdf5DatasetInfo& info, std::vector<std::string>& notes) {
  const auto other = [&](DType type) {
    notes.push_back(text("pixels are stored as ", info.type_name, " and read as ", name_of(type)));
    return type;
  };
  if (info.kind == Hdf5DatasetInfo::Kind::floating)
    return info.type_bytes == 4 ? DType::f32 : other(DType::f32);
  if (info.type_bytes == 1) return info.is_signed ? other(DType::i16) : DType::u8;
  if (info.type_bytes == 2) return info.is_signed ? DType::i16 : DType::u16;
  return other(DType::f32);
}

// What a file may claim: gzip packs a thousand to one at best, and every image takes a byte.
void check_claims(const Hdf5DatasetInfo& info, std::uint64_t file_bytes) {
  const auto file = static_cast<double>(file_bytes);
  double bytes = static_cast<double>(info.type_bytes);
  for (const std::uint64_t size : info.shape) bytes *= static_cast<double>(size);
  if (info.rows() == 0) fail(ErrorKind::input, to_string(info), " holds no images");
  if (static_cast<double>(info.rows()) > 1e6 + file || bytes > 0x1p26 + 2000 * file)
    fail(ErrorKind::input, to_string(info), " claims more data than a file of ", file_bytes,
         " bytes can hold");
}

// The pixels' range, finiteness and hashes, block by block.
class PixelSurvey {
 public:
  explicit PixelSurvey(const Hdf5ImageLayout& layout) : layout_(layout) {
    if (layout.channels == 3) grey_hashes_.emplace();
  }

  void add(const std::byte* images, std::int64_t n) {
    switch (layout_.dtype) {
      case DType::u8: return add_images<std::uint8_t>(images, n);
      case DType::u16: return add_images<std::uint16_t>(images, n);
      case DType::i16: return add_images<std::int16_t>(images, n);
      default: return add_images<float>(images, n);
    }
  }

  // All three channels are equal everywhere.
  bool grey() const { return grey_hashes_.has_value(); }
  std::vector<ImageHash> take_hashes() { return std::move(grey() ? *grey_hashes_ : hashes_); }
  double minimum() const { return minimum_; }
  double maximum() const { return maximum_; }

 private:
  template <class T>
  void add_images(const std::byte* images, std::int64_t n) {
    const auto pixels = static_cast<std::size_t>(layout_.pixels());
    const auto channels = static_cast<std::size_t>(layout_.channels);
    const std::size_t count = pixels * channels;
    std::vector<T> channel(grey() ? pixels : 0);
    for (std::int64_t i = 0; i < n; ++i, images += count * sizeof(T)) {
      const auto* image = reinterpret_cast<const T*>(images);
      T low = image[0], high = image[0];
      bool finite = true;
      for (std::size_t k = 0; k < count; ++k) {
        const T value = image[k];  // not std::min, whose references GCC 12 does not vectorise
        low = value < low ? value : low;
        high = value > high ? value : high;
        if constexpr (std::is_floating_point_v<T>) finite &= std::isfinite(value);
      }
      if (!finite)
        fail(ErrorKind::input, "image ", hashes_.size(), " holds pixels that are not finite; ",
             "replace them and write the file again");
      minimum_ = std::min(minimum_, static_cast<double>(low));
      maximum_ = std::max(maximum_, static_cast<double>(high));
      hashes_.push_back(hash_image({images, count * sizeof(T)}, channels * sizeof(T)));
      if (!grey()) continue;
      bool equal = true;
      for (std::size_t k = 0; k < pixels; ++k) {
        channel[k] = image[3 * k];
        equal &= image[3 * k] == image[3 * k + 1] && image[3 * k] == image[3 * k + 2];
      }
      if (equal)
        grey_hashes_->push_back(hash_image(std::as_bytes(std::span(channel)), sizeof(T)));
      else
        grey_hashes_.reset();
    }
  }

  const Hdf5ImageLayout& layout_;
  std::vector<ImageHash> hashes_;
  std::optional<std::vector<ImageHash>> grey_hashes_;  // as long as all images are grey
  double minimum_ = std::numeric_limits<double>::infinity();
  double maximum_ = -std::numeric_limits<double>::infinity();
};

// Appends to a file; false when there is no room, which is no error: pixels are then read again.
bool keep(int descriptor, const void* data, std::size_t size) {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

Hdf5ImageLayout find_hdf5_layout(const Hdf5Schema& schema, std::uint64_t file_bytes,
                                 std::vector<std::string>& notes) {
  Hdf5ImageLayout layout;
  const Hdf5DatasetInfo& first = *schema.parts.front()[Hdf5Role::images];
  for (const Hdf5Part& part : schema.parts) {
    const Hdf5DatasetInfo& info = *part[Hdf5Role::images];
    if (!info.refused.empty())
      fail(ErrorKind::input, "'", printable(info.path), "' ", info.refused);
    if (!std::equal(info.shape.begin() + 1, info.shape.end(), first.shape.begin() + 1,
                    first.shape.end()) ||
        info.type_name != first.type_name)
      fail(ErrorKind::input, to_string(first), " and ", to_string(info),
           " hold images of different sizes or types");
    check_claims(info, file_bytes);
    layout.parts.push_back({info.path, static_cast<std::int64_t>(info.rows())});
    if (!info.chunk.empty())
      layout.chunk =
          std::max(layout.chunk, static_cast<std::int64_t>(std::min(info.chunk[0], info.rows())));
  }
  const std::size_t axis = schema.volumes ? 2 : 1;  // of the height
  std::uint64_t d = 1, h = first.shape[axis], w = first.shape[axis + 1], c = 1;
  if (schema.volumes) {
    d = first.shape[1];
    layout.depth = static_cast<std::int64_t>(d);
    layout.channel_axis = first.rank() == 5;
    if (layout.channel_axis) c = first.shape[4];
  } else if (first.rank() == 4) {
    const auto few = [](std::uint64_t n) { return n == 1 || n == 3; };
    layout.channel_axis = true;
    layout.channels_first = few(first.shape[1]) && !few(first.shape[3]);
    c = first.shape[layout.channels_first ? 1 : 3];
    if (layout.channels_first) {
      h = first.shape[2];
      w = first.shape[3];
      notes.push_back(text(to_string(first), " is taken as channels first: [N, C, H, W]"));
    }
  }
  if (d < 1 || h < 2 || w < 2 || d > kLargestSide || h > kLargestSide || w > kLargestSide ||
      c < 1 || c > kMostChannels)
    fail(ErrorKind::input, to_string(first), " cannot be [N, H, W], [N, H, W, C] or ",
         "[N, D, H, W, C] with sides of 2 to ", kLargestSide, " and at most ", kMostChannels,
         " channels");
  layout.height = static_cast<std::int64_t>(h);
  layout.width = static_cast<std::int64_t>(w);
  layout.channels = static_cast<std::int64_t>(c);
  if (d * h * w * c > kMostValues)
    fail(ErrorKind::input, to_string(first), " holds images of more than 2^24 values");
  layout.dtype = delivered_type(first, notes);
  return layout;
}

void survey_hdf5_pixels(std::int64_t file, const Hdf5PixelStore& store, Hdf5Contents& contents) {
  Hdf5ImageLayout& layout = contents.layout;
  Hdf5Description& description = contents.description;
  for (const Hdf5ImageLayout::Part& part : layout.parts) {
    const Hdf5Id dataset(H5Dopen2(file, part.path.c_str(), H5P_DEFAULT));
    if (dataset && H5Dget_storage_size(dataset.get()) == 0)
      fail(ErrorKind::input, "'", printable(part.path), "' was declared but never written");
  }
  Hdf5ImageReader reader(file, layout, nullptr);
  const std::int64_t n = layout.count();
  const std::size_t image_bytes =
      static_cast<std::size_t>(layout.pixels() * layout.channels) * size_of(layout.dtype);
  // Enough for any pixel type's alignment.
  const AlignedMemory block =
      allocate_aligned(static_cast<std::size_t>(reader.block()) * image_bytes);
  PixelSurvey survey(layout);
  // Three channels may turn out to be one, which is known only at the end.
  bool keeps = store.descriptor >= 0 && layout.channels != 3 &&
               static_cast<std::size_t>(n) <= store.limit / image_bytes;
  for (std::int64_t first = 0; first < n; first += reader.block()) {
    const std::int64_t here = std::min(reader.block(), n - first);
    reader.read(first, here, block.get());
    survey.add(static_cast<const std::byte*>(block.get()), here);
    keeps =
        keeps && keep(store.descriptor, block.get(), static_cast<std::size_t>(here) * image_bytes);
  }
  contents.pixels_kept = keeps;
  if (!keeps)
    description.notes.insert(description.notes.end(), reader.notes().begin(), reader.notes().end());
  layout.grey = survey.grey();
  contents.hashes = survey.take_hashes();
  description.minimum = survey.minimum();
  description.maximum = survey.maximum();
  description.constant_images =
      std::count_if(contents.hashes.begin(), contents.hashes.end(),
                    [](const ImageHash& hash) { return hash.constant(); });
  if (layout.grey)
    description.notes.push_back("all three channels are equal: read as one grey channel");
  if (layout.dtype == DType::f32 && description.minimum >= 0 && description.maximum <= 1)
    description.notes.push_back(text("pixels are floats from ", description.minimum, " to ",
                                     description.maximum,
                                     ": taken as they are, not as parts of 255"));
  if (description.minimum < 0)
    description.notes.push_back(
        text("pixels go down to ", description.minimum, ": zero is still taken as no signal"));
}

}  // namespace ratnet::inline v1
