#include "blocks.h"

#include "../core/error.h"

namespace ratnet::inline v1 {

GraphBuilder::Handle add_conv_norm_relu(GraphBuilder& builder, const std::string& place,
                                        const std::string& number, layers::Conv conv,
                                        GraphBuilder::Handle input) {
  conv.bias = false;
  int last = builder.add(place + "/conv" + number, std::move(conv), {input});
  last = builder.add(place + "/norm" + number, layers::BatchNorm{}, {last});
  return builder.add(place + "/relu" + number, layers::Relu{}, {last});
}

void check_widths(const char* who, const Sizes& widths) {
  require(!widths.empty() && widths.size() <= 16, who, ": ", widths.size(),
          " widths, expected 1 to 16");
}

void check_halvings(const char* who, std::int64_t size, std::size_t times) {
  const std::int64_t factor = std::int64_t{1} << times;
  require(size >= factor && size % factor == 0, who, ": a size of ", size, " cannot be halved ",
          times, " times; give a multiple of ", factor);
}

}  // namespace ratnet::inline v1
