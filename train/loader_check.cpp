#include "loader_check.h"

#include "../core/image_grid.h"

namespace ratnet::inline v1 {
namespace {

void check_masks(const Dataset& dataset, const LoaderOptions& options) {
  const Shape image = dataset.image_shape();
  Shape mask = image.without_last();
  mask.push_back(1);
  require(options.masks->dtype() == DType::u8 && options.masks->size() == dataset.size() &&
              options.masks->image_shape() == mask,
          "loader: ", options.masks->size(), " masks of ", options.masks->image_shape(), " for ",
          dataset.size(), " images of ", image);
  require(!options.augmentation.subpixel,
          "loader: masks move by whole pixels, not by fractions of one");
}

void check_patch_options(const Dataset& dataset, std::span<const std::int64_t> indices,
                         const LoaderOptions& options) {
  const Patches& patches = options.patches;
  const auto axes = std::ssize(patches.size);
  require(axes == 3 ? dataset.image_shape().rank() == 4 : axes == 2, "loader: ", dataset.name(),
          ": patches of ", axes, " sizes of images ", dataset.image_shape());
  three_axes("loader: patches", patches.size);
  require(patches.per_image >= 1 && patches.per_image <= kMostPatchesPerImage,
          "loader: patches of an image must be 1 to ", kMostPatchesPerImage, ", got ",
          patches.per_image);
  if (std::ssize(indices) * patches.per_image > kMostPatchesPerEpoch)
    fail(ErrorKind::input, "loader: ", dataset.name(), ": ", patches.per_image, " patches of ",
         indices.size(), " images are more than the ", kMostPatchesPerEpoch,
         " that an epoch can have");
  const double share = patches.labelled_share(options.masks != nullptr);
  require(share >= 0 && share <= 1, "loader: the labelled share of patches must be 0 to 1, got ",
          share);
  if (share > 0 && !options.masks)
    fail(ErrorKind::input, dataset.name(), ": a share of ", share,
         " of the patches shall be labelled, but no masks are read: leave \"labelled\" out");
}

void check_labels(const Dataset& dataset, std::span<const std::int64_t> indices) {
  const auto& labels = dataset.table().labels;
  for (const std::int64_t index : indices)
    if (labels.empty() || labels[static_cast<std::size_t>(index)] == kUnlabelled)
      fail(ErrorKind::input, dataset.name(), ": image ", index,
           " has no label, so classes cannot be balanced");
}

}  // namespace

void check_loading(const Dataset& dataset, std::span<const std::int64_t> indices,
                   const LoaderOptions& options) {
  const auto size = static_cast<std::size_t>(dataset.size());
  require(options.batch >= 1 && options.batch <= (1 << 20), "loader: batch must be at least 1, ",
          "got ", options.batch);
  require(options.threads >= 1 && options.threads <= 1024, "loader: threads must be 1 to 1024, ",
          "got ", options.threads);
  require(options.readers >= 0 && options.readers <= 1024,
          "loader: readers must be 0 to 1024, got ", options.readers);
  require(options.ahead >= 1 && options.ahead <= 4096, "loader: ahead must be 1 to 4096, got ",
          options.ahead);
  require(!indices.empty(), "loader: ", dataset.name(), ": no samples were chosen");
  for (const std::int64_t index : indices)
    require(index >= 0 && index < dataset.size(), "loader: ", dataset.name(), ": sample ", index,
            " of ", dataset.size());
  require(options.scales.size() <= 1 || options.scales.size() == size,
          "loader: ", options.scales.size(), " scales for ", size, " samples");
  require(options.weights.empty() || options.weights.size() == size,
          "loader: ", options.weights.size(), " weights for ", size, " samples");
  check_augmentation(options.augmentation);
  if (options.patches) check_patch_options(dataset, indices, options);
  require(options.change || !options.change.makes_targets,
          "loader: a change that makes targets has nothing to apply");
  require(!options.change || !options.change.name.empty(),
          "loader: a change needs a name, or a checkpoint made with another would be taken up");
  if (options.masks) check_masks(dataset, options);
  if (options.balance) check_labels(dataset, indices);
}

}  // namespace ratnet::inline v1
