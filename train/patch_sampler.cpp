#include "patch_sampler.h"

#include <utility>

#include "patch_cut.h"

namespace ratnet::inline v1 {
PatchSampler::PatchSampler(std::vector<LabelledVolume> volumes, PatchOptions options)
    : PatchSampler(std::make_shared<const std::vector<LabelledVolume>>(std::move(volumes)),
                   std::move(options)) {}

PatchSampler::PatchSampler(const std::shared_ptr<const std::vector<LabelledVolume>>& volumes,
                           PatchOptions options)
    : PatchSampler(
          static_cast<std::int64_t>(volumes->size()),
          [volumes](std::int64_t n) {
            return std::shared_ptr<const LabelledVolume>(volumes,
                                                         &(*volumes)[static_cast<std::size_t>(n)]);
          },
          std::move(options)) {}

PatchSampler::PatchSampler(std::int64_t volumes, VolumeReader read, PatchOptions options)
    : read_(std::move(read)),
      options_(std::move(options)),
      size_(three_axes("patches", options_.size)) {
  require(volumes >= 1, "patches: there are no volumes to take them from");
  require(options_.labelled >= 0 && options_.labelled <= 1,
          "patches: the labelled share must be 0 to 1, got ", options_.labelled);
  for (std::int64_t n = 0; n < volumes; ++n) {
    const std::shared_ptr<const LabelledVolume> volume = read_(n);
    require(volume != nullptr, "patches: volume ", n, " is absent");
    const ImageGrid grid = image_grid("patches", volume->image);
    check_mask("patches", volume->image, volume->mask);
    require(volume->image.shape().rank() == 4 || options_.size.size() == 2, "patches: volume ", n,
            " is an image ", volume->image.shape(), ", so patches have sizes H, W, not D, H, W");
    require(n == 0 || grid.channels == volumes_.front().grid.channels, "patches: volume ", n,
            " has ", grid.channels, " channels, the first has ",
            n == 0 ? grid.channels : volumes_.front().grid.channels);
    volumes_.push_back(
        {grid, LabelIndex(volume->mask, options_.most_voxels,
                          options_.seed + static_cast<std::uint64_t>(n), options_.ignore)});
  }
  for (int label = 1; label < 256; ++label) {
    std::vector<std::int64_t> with;
    for (std::int64_t n = 0; n < volumes; ++n)
      if (!volumes_[static_cast<std::size_t>(n)]
               .labels.voxels(static_cast<std::uint8_t>(label))
               .empty())
        with.push_back(n);
    if (with.empty()) continue;
    labels_.push_back(static_cast<std::uint8_t>(label));
    with_label_.push_back(std::move(with));
  }
  if (options_.labelled > 0 && labels_.empty())
    fail(ErrorKind::input, "patches: none of ", volumes,
         " masks has a labelled voxel, but a share ", "of ", options_.labelled,
         " of the patches shall be labelled");
}

Shape PatchSampler::image_shape() const {
  Shape shape = mask_shape();
  shape.push_back(volumes_.front().grid.channels);
  return shape;
}

Shape PatchSampler::mask_shape() const { return Shape(options_.size); }

PatchSampler::Place PatchSampler::place(std::int64_t epoch, std::int64_t index) const {
  require(epoch >= 0 && index >= 0, "patches: there is no patch ", index, " of epoch ", epoch);
  Random random = random_for(options_.seed, epoch, index);
  const auto any = [&](std::size_t n) {
    return static_cast<std::size_t>(random.integer(static_cast<std::int64_t>(n)));
  };
  Place place;
  std::optional<std::int64_t> voxel;
  if (in_share(options_.labelled, index)) {
    const std::size_t label = any(labels_.size());
    place.volume = with_label_[label][any(with_label_[label].size())];
    const auto voxels =
        volumes_[static_cast<std::size_t>(place.volume)].labels.voxels(labels_[label]);
    voxel = voxels[any(voxels.size())];
  } else {
    place.volume = static_cast<std::int64_t>(any(volumes_.size()));
  }
  place.first =
      patch_corner(volumes_[static_cast<std::size_t>(place.volume)].grid, size_, voxel, random);
  return place;
}

std::shared_ptr<const LabelledVolume> PatchSampler::read(std::int64_t number) const {
  std::shared_ptr<const LabelledVolume> volume = read_(number);
  require(volume != nullptr, "patches: volume ", number, " is absent");
  const ImageGrid grid = image_grid("patches", volume->image);
  const ImageGrid& known = volumes_[static_cast<std::size_t>(number)].grid;
  check_mask("patches", volume->image, volume->mask);
  require(grid.size == known.size && grid.channels == known.channels, "patches: volume ", number,
          " was ", known.size[0], " x ", known.size[1], " x ", known.size[2], " x ", known.channels,
          " when its labels were found, now it is ", volume->image.shape());
  return volume;
}

void PatchSampler::fill(Executor& executor, std::int64_t epoch, std::int64_t index,
                        const View& images, const View& masks) const {
  const std::int64_t n = images.shape.rank() > 0 ? images.shape[0] : 0;
  require(images.dtype == DType::f32 && images.shape == image_shape().batch_of(n),
          "patches: expected images f32 ", image_shape().batch_of(n), ", got ",
          name_of(images.dtype), " ", images.shape);
  require(masks.dtype == DType::u8 && masks.shape == mask_shape().batch_of(n),
          "patches: expected masks u8 ", mask_shape().batch_of(n), ", got ", name_of(masks.dtype),
          " ", masks.shape);
  const std::int64_t voxels = size_[0] * size_[1] * size_[2];
  parallel_for(executor, n, [&](std::int64_t i, int) {
    const Place at = place(epoch, index + i);
    const std::shared_ptr<const LabelledVolume> volume = read(at.volume);
    const ImageGrid& grid = volumes_[static_cast<std::size_t>(at.volume)].grid;
    cut_patch(volume->image, grid, at.first, size_, static_cast<double>(options_.outside),
              images.as<float>() + i * voxels * grid.channels);
    cut_patch(volume->mask, {grid.size, 1}, at.first, size_, options_.ignore,
              masks.as<std::uint8_t>() + i * voxels);
  });
}

}  // namespace ratnet::inline v1
