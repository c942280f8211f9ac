// One scan of a subject, or its slices, as the anomaly system judges them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../../core/tensor.h"
#include "../../train/image_hash.h"

namespace ratnet::inline v1 {

// Pixels along both sides of the grid that maps are made, judged and compared on: the input's
// field of view, whatever its own pixels are.
constexpr std::int64_t kJudgedSize = 128;

struct PreparedSubject {
  std::string name;                  // of the scan
  std::string subject;               // whose it is; "" where it is called after its subject
  Tensor images;                     // [S, 128, 128] f32: normalised, 0 outside of the brain
  Tensor brain;                      // [S, 128, 128] u8: 1 inside
  Tensor lesions;                    // [S, 128, 128] u8: 1 inside; no values where none are known
  std::vector<double> positions;     // [S] of the slice in the brain: 0 its bottom, 1 its top
  std::vector<double> areas;         // [S] brain pixels over those of the subject's largest slice
  std::vector<std::uint8_t> judged;  // [S] 1 where the slice can be judged
  std::vector<std::uint8_t>
      labels;  // [S] 0 healthy, 1 not, 255 unknown; empty where none are known
  std::vector<std::string> lesion_kinds;  // [S] "" for none; empty where they are not known
  // Interquartile, of the input's brightness without shading, by which it was normalised; 0 where
  // no slice can be judged.
  double range = 0;
  // [S] of the input's pixels as f32: knows a slice again, whatever its file is called; empty where
  // there was no input.
  std::vector<ImageHash> hashes = {};

  std::int64_t slices() const { return static_cast<std::int64_t>(positions.size()); }
  // Scans of one person are never parted, and count once where people are counted.
  const std::string& person() const { return subject.empty() ? name : subject; }
};

}  // namespace ratnet::inline v1
