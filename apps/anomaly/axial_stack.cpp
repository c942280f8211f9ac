#include "axial_stack.h"

#include "../../core/error.h"

namespace ratnet::inline v1 {

AxialStack axial_stack(const Volume& volume) {
  check(volume);
  const ScanGeometry& geometry = volume.geometry;
  if (geometry.times != 1)
    fail(ErrorKind::input, "has ", geometry.times, " volumes; one volume of a head is judged");
  AxialStack stack;
  stack.layout = find_slices(geometry, {.axis = SliceAxis::axial});
  stack.reversed = geometry.orientation[static_cast<std::size_t>(stack.layout.axis)] == 'I';
  const RunSlices slices(volume, stack.layout);
  const SliceGrid& grid = slices.grid();
  stack.images = Tensor({slices.slices(), grid.rows, grid.columns}, DType::f32);
  const auto pixels = static_cast<std::size_t>(grid.rows * grid.columns);
  for (std::int64_t s = 0; s < slices.slices(); ++s)
    slices.copy(0, place_of(stack.layout, stack.reversed, s),
                stack.images.values<float>().subspan(static_cast<std::size_t>(s) * pixels, pixels));
  return stack;
}

}  // namespace ratnet::inline v1
