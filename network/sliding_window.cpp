#include "sliding_window.h"

#include <algorithm>
#include <cmath>

#include "../core/image_grid.h"

namespace ratnet::inline v1 {
namespace {

// The patches along one axis. A patch's weights are divided by the sum of the weights of all that
// cover a voxel; as patches form a grid, that sum is a product over the axes too, and each axis can
// be divided by its own: nothing has to be added up for every voxel, or divided at the end.
struct Axis {
  std::vector<std::int64_t> starts;  // negative where the image is the smaller one
  std::vector<double> weights;       // [starts, patch]
};

Axis cut(std::int64_t n, std::int64_t patch, double overlap, double sigma) {
  Axis axis;
  if (n <= patch) {
    axis.starts.push_back(-((patch - n) / 2));
  } else {
    // Not 6 where rounding makes 7 of 10 a little less.
    const double step =
        std::max(1.0, std::floor(static_cast<double>(patch) * (1 - overlap) + 1e-9));
    const double room = static_cast<double>(n - patch);
    const double last = std::ceil(room / step);
    // Rounded from both ends, so that a mirrored image is cut into the mirrored patches.
    for (double i = 0; i <= last; ++i)
      axis.starts.push_back(
          static_cast<std::int64_t>(2 * i <= last ? std::round(i * room / last)
                                                  : room - std::round((last - i) * room / last)));
  }
  const auto patch_size = static_cast<std::size_t>(patch);
  std::vector<double> bell(patch_size, 1.0);
  for (std::size_t i = 0; i < patch_size && sigma > 0; ++i) {
    const double x = (static_cast<double>(i) - static_cast<double>(patch - 1) / 2) /
                     (sigma * static_cast<double>(patch));
    bell[i] = std::exp(-x * x / 2);
  }
  std::vector<double> sums(static_cast<std::size_t>(n));
  // Every voxel of the image in every patch: its place among the weights, its own, in the patch.
  const auto for_voxels = [&](auto&& visit) {
    for (std::size_t s = 0; s < axis.starts.size(); ++s)
      for (std::size_t i = 0; i < patch_size; ++i) {
        const std::int64_t voxel = axis.starts[s] + static_cast<std::int64_t>(i);
        if (voxel >= 0 && voxel < n) visit(s * patch_size + i, static_cast<std::size_t>(voxel), i);
      }
  };
  axis.weights.resize(axis.starts.size() * patch_size);
  for_voxels([&](std::size_t, std::size_t voxel, std::size_t i) { sums[voxel] += bell[i]; });
  for_voxels([&](std::size_t at, std::size_t voxel, std::size_t i) {
    axis.weights[at] = bell[i] / sums[voxel];
  });
  return axis;
}

// One run of the network: which patch, mirrored how.
struct Run {
  std::array<std::size_t, 3> start{};  // of Axis::starts
  std::array<bool, 3> flip{};
};

class Slider {
 public:
  Slider(const SlidingWindow& window, const ImageGrid& grid, std::int64_t outputs)
      : window_(window),
        grid_(grid),
        size_(three_axes("sliding window", window.patch)),
        outputs_(outputs) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      axes_[axis] = cut(grid.size[axis], size_[axis], window.overlap, window.sigma);
      // A line of one voxel is its own mirror image.
      ways_[axis] = window.flips[axis] && size_[axis] > 1 ? 2 : 1;
    }
    share_ = 1.0 / static_cast<double>(ways_[0] * ways_[1] * ways_[2]);
  }

  std::int64_t runs() const {
    std::int64_t all = 1;
    for (std::size_t axis = 0; axis < 3; ++axis)
      all *= static_cast<std::int64_t>(axes_[axis].starts.size() * ways_[axis]);
    return all;
  }

  // Run `index`: mirrored ones of a patch follow each other.
  Run run(std::int64_t index) const {
    auto rest = static_cast<std::size_t>(index);
    Run run;
    for (std::size_t axis = 3; axis-- > 0; rest /= ways_[axis])
      run.flip[axis] = rest % ways_[axis] == 1;
    for (std::size_t axis = 3; axis-- > 0; rest /= axes_[axis].starts.size())
      run.start[axis] = rest % axes_[axis].starts.size();
    return run;
  }

  void take(const Run& run, const float* image, float* patch) const {
    for_places(run, [&](std::int64_t in_patch, std::int64_t voxel, double) {
      float* to = patch + in_patch * grid_.channels;
      if (voxel < 0)
        std::fill(to, to + grid_.channels, window_.outside);
      else
        std::copy_n(image + voxel * grid_.channels, grid_.channels, to);
    });
  }

  void add(const Run& run, const float* output, float* result) const {
    for_places(run, [&](std::int64_t in_patch, std::int64_t voxel, double weight) {
      if (voxel < 0) return;
      const float* from = output + in_patch * outputs_;
      const auto share = static_cast<float>(weight * share_);
      for (std::int64_t k = 0; k < outputs_; ++k) result[voxel * outputs_ + k] += share * from[k];
    });
  }

 private:
  // visit(place in the patch as the network sees it, voxel of the image or -1, weight).
  template <class Visit>
  void for_places(const Run& run, Visit&& visit) const {
    const auto seen = [&](std::size_t axis, std::int64_t i) {
      return run.flip[axis] ? size_[axis] - 1 - i : i;
    };
    const auto weight = [&](std::size_t axis, std::int64_t i) {
      return axes_[axis].weights[run.start[axis] * static_cast<std::size_t>(size_[axis]) +
                                 static_cast<std::size_t>(i)];
    };
    const auto voxel = [&](std::size_t axis, std::int64_t i) {
      const std::int64_t at = axes_[axis].starts[run.start[axis]] + i;
      return at >= 0 && at < grid_.size[axis] ? at : -1;
    };
    for (std::int64_t d = 0; d < size_[0]; ++d)
      for (std::int64_t h = 0; h < size_[1]; ++h) {
        const std::int64_t at_d = voxel(0, d), at_h = voxel(1, h);
        const double weight_dh = weight(0, d) * weight(1, h);
        const std::int64_t line = (seen(0, d) * size_[1] + seen(1, h)) * size_[2];
        for (std::int64_t w = 0; w < size_[2]; ++w) {
          const std::int64_t at_w = voxel(2, w);
          const bool inside = at_d >= 0 && at_h >= 0 && at_w >= 0;
          visit(line + seen(2, w), inside ? grid_.at(at_d, at_h, at_w) : -1,
                weight_dh * weight(2, w));
        }
      }
  }

  const SlidingWindow& window_;
  const ImageGrid& grid_;
  Size3 size_;
  std::int64_t outputs_;
  std::array<Axis, 3> axes_;
  std::array<std::size_t, 3> ways_{};  // mirrored or not: 2 or 1
  double share_ = 1;                   // of one of the mirrored runs
};

// [n, patch..., channels]
Shape patches_shape(const SlidingWindow& window, std::int64_t n, std::int64_t channels) {
  Shape shape{n};
  for (const std::int64_t size : window.patch) shape.push_back(size);
  shape.push_back(channels);
  return shape;
}

}  // namespace

Tensor slide(const SlidingWindow& window, const ConstView& image, std::int64_t outputs,
             const PatchFunction& function) {
  image_grid("sliding window", image);
  require(outputs >= 1, "sliding window: a voxel must have at least 1 output, got ", outputs);
  Shape shape = image.shape;
  shape[shape.rank() - 1] = outputs;
  Tensor result(shape, DType::f32);
  slide(window, image, function, result);
  return result;
}

void slide(const SlidingWindow& window, const ConstView& image, const PatchFunction& function,
           const View& result) {
  const ImageGrid grid = image_grid("sliding window", image);
  require(window.overlap >= 0 && window.overlap < 1,
          "sliding window: overlap must be 0 to below 1,", " got ", window.overlap);
  require(window.sigma == 0 || (window.sigma >= 0.05 && window.sigma <= 1000),
          "sliding window: sigma must be 0, or 0.05 to 1000 patches, got ", window.sigma);
  require(window.batch >= 1, "sliding window: batch must be at least 1, got ", window.batch);
  const std::int64_t outputs = result.shape.rank() > 0 ? result.shape.back() : 0;
  require(result.dtype == DType::f32 && outputs >= 1 &&
              result.shape.without_last() == image.shape.without_last(),
          "sliding window: the result of an image ", image.shape, " cannot be ",
          name_of(result.dtype), " ", result.shape);
  require(image.shape.rank() == 4 || window.patch.size() == 2, "sliding window: patches of ",
          window.patch.size(), " sizes over an image ", image.shape, "; choose H, W");
  const Slider slider(window, grid, outputs);
  const std::int64_t all = slider.runs();
  const std::int64_t batch = std::min(window.batch, all);

  std::fill_n(result.as<float>(), result.count(), 0.0f);
  Tensor patches(patches_shape(window, batch, grid.channels), DType::f32);
  Tensor said(patches_shape(window, batch, outputs), DType::f32);
  const std::int64_t patch_count = patches.count() / batch, said_count = said.count() / batch;
  for (std::int64_t first = 0; first < all; first += batch) {
    const std::int64_t n = std::min(batch, all - first);
    for (std::int64_t i = 0; i < n; ++i)
      slider.take(slider.run(first + i), image.as<float>(),
                  patches.values<float>().data() + i * patch_count);
    function(patches.view().first(n), said.view().first(n));
    for (std::int64_t i = 0; i < n; ++i)
      slider.add(slider.run(first + i), said.values<float>().data() + i * said_count,
                 result.as<float>());
  }
}

}  // namespace ratnet::inline v1
