#include "hdf5_dataset.h"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hdf5_contents.h"
#include "hdf5_guard.h"
#include "hdf5_handle.h"
#include "hdf5_read.h"
#include "hdf5_survey.h"

namespace ratnet::inline v1 {
namespace {

// Which file it was, so that the one opened later is known to be the one that was surveyed.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t bytes = 0;
  timespec changed{};

  bool operator==(const FileIdentity& other) const {
    return device == other.device && inode == other.inode && bytes == other.bytes &&
           changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
  }
};

FileIdentity identify(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0)
    fail(ErrorKind::file_system, path, ": cannot be read: ", std::strerror(errno));
  if (!S_ISREG(status.st_mode)) fail(ErrorKind::input, path, ": is not a file");
  if (access(path.c_str(), R_OK) != 0)
    fail(ErrorKind::file_system, path, ": cannot be read: ", std::strerror(errno));
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

// A child may take 10 seconds, and 4 more for every MiB of the file: twenty times what unpacking
// takes.
Hdf5Contents survey_guarded(const std::string& path, const FileIdentity& identity,
                            const Hdf5PixelStore& store = {},
                            Hdf5Pixels pixels = Hdf5Pixels::images) {
  const auto bytes = static_cast<std::uint64_t>(identity.bytes);
  const double seconds = 4.0 * static_cast<double>(bytes) / 0x1p20;
  const GuardLimits limits{.cpu_seconds = 10 + seconds, .wall_seconds = 60 + 2 * seconds};
  try {
    return contents_from_bytes(run_guarded(
        limits, hdf5_mutex(), [&] { return to_bytes(survey_hdf5(path, bytes, store, pixels)); }));
  } catch (const Error& error) {
    throw error.with_context(path);
  }
}

// Memory with a file descriptor, which a child process can fill.
class SharedMemory {
 public:
  SharedMemory() : descriptor_(memfd_create("ratnet-images", MFD_CLOEXEC)) {}
  ~SharedMemory() {
    if (data_ != nullptr) munmap(data_, bytes_);
    if (descriptor_ >= 0) close(descriptor_);
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  int descriptor() const { return descriptor_; }
  const std::byte* data() const { return static_cast<const std::byte*>(data_); }

  // Makes the content readable here; false unless it has this size. Nobody may write any more.
  bool map(std::size_t bytes) {
    struct stat status {};
    if (bytes == 0 || fstat(descriptor_, &status) != 0 ||
        static_cast<std::size_t>(status.st_size) != bytes)
      return false;
    void* memory = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor_, 0);
    if (memory == MAP_FAILED) return false;
    data_ = memory;
    bytes_ = bytes;
    return true;
  }

 private:
  int descriptor_;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// All that is known without the pixels.
class Hdf5Slices : public Dataset {
 public:
  Hdf5Slices(std::string path, Hdf5Contents contents)
      : path_(std::move(path)), contents_(std::move(contents)) {}

  std::int64_t size() const override { return contents_.description.size; }
  Shape image_shape() const override { return contents_.description.image_shape; }
  DType dtype() const override { return contents_.layout.dtype; }
  const SampleTable& table() const override { return contents_.table; }
  std::int64_t chunk() const override { return contents_.layout.chunk; }
  std::string name() const override { return path_; }
  const DatasetAttributes& attributes() const override { return contents_.description.attributes; }
  std::span<const ImageHash> hashes() const override { return contents_.hashes; }
  const std::vector<std::string>& notes() const override { return contents_.description.notes; }

 protected:
  const Hdf5ImageLayout& layout() const { return contents_.layout; }

 private:
  std::string path_;
  Hdf5Contents contents_;
};

// The pixels are in memory: the file itself is never opened outside the child.
class KeptSlices final : public Hdf5Slices {
 public:
  KeptSlices(std::string path, Hdf5Contents contents, std::unique_ptr<SharedMemory> pixels)
      : Hdf5Slices(std::move(path), std::move(contents)), pixels_(std::move(pixels)) {}

  ConstView resident() const override {
    return {pixels_->data(), dtype(), image_shape().batch_of(size())};
  }
  void read(std::int64_t first, View to) override {
    check_read(*this, first, to);
    const std::size_t image_bytes = resident().first(1).bytes();
    if (to.bytes() > 0)
      std::memcpy(to.data, pixels_->data() + static_cast<std::size_t>(first) * image_bytes,
                  to.bytes());
  }

 private:
  std::unique_ptr<SharedMemory> pixels_;
};

// The pixels are read from the file.
class StreamedSlices final : public Hdf5Slices {
 public:
  StreamedSlices(const std::string& path, Hdf5Contents contents)
      : Hdf5Slices(path, std::move(contents)) {
    try {
      const std::lock_guard lock(hdf5_mutex());
      const Hdf5Silence silence;
      file_ = open_hdf5_file(path);
      reader_.emplace(file_.get(), layout(), &hdf5_mutex());
    } catch (const Error& error) {
      release();
      throw error.with_context(path);
    }
  }
  ~StreamedSlices() override { release(); }

  void read(std::int64_t first, View to) override {
    check_read(*this, first, to);
    try {
      reader_->read(first, to.shape[0], to.data);
    } catch (const Error& error) {
      throw error.with_context(name());
    }
  }

 private:
  void release() {
    const std::lock_guard lock(hdf5_mutex());
    const Hdf5Silence silence;
    reader_.reset();
    file_ = Hdf5Id();
  }

  Hdf5Id file_;
  std::optional<Hdf5ImageReader> reader_;
};

// What a survey found, as a dataset.
std::unique_ptr<Dataset> dataset_of(const std::string& path, const FileIdentity& identity,
                                    Hdf5Contents contents, std::unique_ptr<SharedMemory> pixels) {
  const Shape image = contents.description.image_shape;
  const std::size_t bytes = static_cast<std::size_t>(contents.description.size * image.count()) *
                            size_of(contents.layout.dtype);
  if (contents.pixels_kept && pixels->map(bytes))
    return std::make_unique<KeptSlices>(path, std::move(contents), std::move(pixels));
  auto dataset = std::make_unique<StreamedSlices>(path, std::move(contents));
  if (!(identify(path) == identity))
    fail(ErrorKind::input, path, ": has changed while it was read");
  return dataset;
}

}  // namespace

std::unique_ptr<Dataset> open_hdf5_slices(const std::string& path, const Hdf5Options& options) {
  const FileIdentity identity = identify(path);
  auto pixels = std::make_unique<SharedMemory>();
  Hdf5Contents contents =
      survey_guarded(path, identity, {pixels->descriptor(), options.keep_bytes});
  if (!contents.description.is_slices)
    fail(ErrorKind::input, path, ": ", contents.description.problem);
  if (options.labels_required && contents.table.labels.empty())
    fail(ErrorKind::input, path, ": has no labels; add a dataset 'labels' [",
         contents.description.size, "] (255 where there is none)");
  return dataset_of(path, identity, std::move(contents), std::move(pixels));
}

std::unique_ptr<Dataset> open_hdf5_masks(const std::string& path) {
  const FileIdentity identity = identify(path);
  const Hdf5Description images = survey_guarded(path, identity).description;
  if (!images.is_slices) fail(ErrorKind::input, path, ": ", images.problem);
  if (!images.has_masks) return nullptr;
  auto pixels = std::make_unique<SharedMemory>();
  Hdf5Contents contents = survey_guarded(
      path, identity, {pixels->descriptor(), Hdf5Options().keep_bytes}, Hdf5Pixels::masks);
  const Hdf5Description& masks = contents.description;
  if (!masks.is_slices) fail(ErrorKind::input, path, ": masks: ", masks.problem);
  Shape wanted = images.image_shape;
  wanted[wanted.rank() - 1] = 1;
  if (masks.size != images.size || !(masks.image_shape == wanted))
    fail(ErrorKind::input, path, ": has ", masks.size, " masks of ", to_string(masks.image_shape),
         " for ", images.size, " images of ", to_string(images.image_shape));
  if (contents.layout.dtype != DType::u8)
    fail(ErrorKind::input, path, ": has masks of ", name_of(contents.layout.dtype),
         "; write them as u8, 255 where there is no label");
  return dataset_of(path, identity, std::move(contents), std::move(pixels));
}

Hdf5Description describe_hdf5(const std::string& path) {
  return survey_guarded(path, identify(path)).description;
}

}  // namespace ratnet::inline v1
