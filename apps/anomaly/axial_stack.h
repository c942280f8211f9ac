// The axial slices of a scan in the order the anomaly system takes them.
#pragma once

#include "../../imaging/orientation.h"
#include "../../imaging/volume.h"
#include "prepare.h"

namespace ratnet::inline v1 {

struct AxialStack {
  Tensor images;          // f32 [S, rows, columns], bottom to top, anterior in row 0
  SliceLayout layout;     // where the slices and pixels lie in the volume
  bool reversed = false;  // slice 0 is the last along layout.axis
};

// By the file's orientation. Voxels that are not finite become 0. Throws Error: input for a run of
// several volumes, usage where the volume is none.
AxialStack axial_stack(const Volume& volume);

// Its slices to be prepared. Borrows the stack.
SubjectSlices slices_of(const AxialStack& stack, const std::string& name);

// Where along layout.axis slice s of such a stack lies.
constexpr std::int64_t place_of(const SliceLayout& layout, bool reversed, std::int64_t s) {
  return reversed ? layout.slices - 1 - s : s;
}

}  // namespace ratnet::inline v1
