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

SubjectSlices slices_of(const AxialStack& stack, const std::string& name) {
  return {.name = name,
          .images = stack.images,
          .row_spacing = stack.layout.grid.row_spacing,
          .column_spacing = stack.layout.grid.column_spacing};
}

}  // namespace ratnet::inline v1
