#include "conv_chain.h"

#include "../core/text.h"
#include "check.h"
#include "conv_chain_stages.h"

namespace ratnet::inline v1 {

void ConvChain::check() const {
  require(count >= 1 && count <= kMostStages, kName, ": has 1 to ", kMostStages, " stages, not ",
          count);
  require(x.dtype == DType::f32 || x.dtype == DType::u8, kName, ": x is f32 or u8, not ",
          name_of(x.dtype));
  require(x.shape.rank() >= 3, kName, ": needs [N, spatial..., C], got ", x.shape);
  check_shape(kName, "x", x, x.shape);
  if (scale) {
    require(scale.dtype == DType::f32, kName, ": scale is f32, not ", name_of(scale.dtype));
    check_shape(kName, "scale", scale, {x.shape[0]});
  }
  require(y.dtype == DType::f32, kName, ": y is f32, not ", name_of(y.dtype));
  // Between the stages there is no memory yet: y's stands for it.
  ConstView input(x.data, DType::f32, x.shape);
  for (int i = 0; i < count; ++i) {
    try {
      require(stages[i].weight.shape.rank() >= 2, "the weight of shape ", stages[i].weight.shape,
              " has no channels");
      const Conv stage = stage_of(*this, i, input, y.data);
      stage.check();
      input = stage.y;
    } catch (const Error& error) {
      throw error.with_context(text(kName, ": stage ", i + 1));
    }
  }
  check_shape(kName, "y", y, input.shape);
}

}  // namespace ratnet::inline v1
