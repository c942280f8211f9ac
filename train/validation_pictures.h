// A few validation samples as pictures, the same ones after every epoch, to see what a training
// learns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "judge.h"

namespace ratnet::inline v1 {

constexpr std::size_t kPicturedSamples = 4;
constexpr std::int64_t kPicturedEpochs = 50;  // at most, and the last

// Whether pictures are made after this epoch, counted from 0: the first, the last and so many
// between them that their files stay small. last: whether it ends the training.
bool is_pictured(std::int64_t epoch, std::int64_t epochs, bool last);

// The samples that are shown: up to kPicturedSamples, spread evenly over those given that show
// something, then over the others; a few of all are looked through. masks: those of the dataset
// where they are what is learnt: a label other than 0 and 255 is something there, and pixels that
// differ are in an image.
std::vector<std::int64_t> pictured_samples(const std::vector<std::int64_t>& indices,
                                           Dataset& dataset, Dataset* masks);

class ValidationPictures {
 public:
  struct Picture {
    std::string tag;  // "masks/sample 1", "images/sample 1", "images/sample 1, output 2", ...
    std::string png;
  };

  // graph: what the objective reads. options: its masks and batch count.
  ValidationPictures(const Graph& graph, const Objective& objective, Dataset& dataset,
                     const std::vector<std::int64_t>& validation, const LoaderOptions& options);

  // Where a loss classifies pixels: image | mask | most likely classes. For every output that
  // losses compare with images: image | output | difference, with what it is compared with behind
  // the image where that is another. Greys go by the image that went in (SamplePicture::range_of),
  // so that epochs compare.
  std::vector<Picture> draw(Judge& judge) const;

  // On the host, for the outputs that are looked at.
  std::size_t bytes() const { return bytes_; }

 private:
  Graph graph_;
  Objective objective_;
  std::vector<std::int64_t> samples_;
  std::vector<std::string> images_;  // outputs, each once
  std::size_t bytes_ = 0;
};

}  // namespace ratnet::inline v1
