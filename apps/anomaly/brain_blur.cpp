#include "brain_blur.h"

#include <vector>

#include "../../core/error.h"
#include "../../imaging/mri_artefacts.h"

namespace ratnet::inline v1 {

void blur_in_brain(std::span<float> image, std::span<const float> brain, std::int64_t size,
                   double sigma) {
  require(image.size() == brain.size(), "brain blur: ", image.size(), " pixels under a mask of ",
          brain.size());
  std::vector<float> weight(brain.begin(), brain.end());
  blur_gaussian(image, {1, size, size}, sigma);
  blur_gaussian(weight, {1, size, size}, sigma);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = brain[i] > 0 ? image[i] / weight[i] : 0;
}

}  // namespace ratnet::inline v1
