#include "unet.h"

#include "../../core/error.h"
#include "../../network/blocks.h"

namespace ratnet::inline v1 {
namespace {

int add_level(GraphBuilder& builder, const std::string& place, std::int64_t width, int input) {
  const layers::Conv conv{.out = width, .kernel = {3}};
  const int first = add_conv_norm_relu(builder, place, "1", conv, input);
  return add_conv_norm_relu(builder, place, "2", conv, first);
}

}  // namespace

Graph unet_graph(std::int64_t classes, const UnetOptions& options) {
  const Sizes& widths = options.widths;
  require(options.size.size() == 2 || options.size.size() == 3, "unet: ", options.size.size(),
          " sizes, expected 2 (slices) or 3 (volumes)");
  check_widths("unet", widths);
  for (const std::int64_t size : options.size) check_halvings("unet", size, widths.size() - 1);
  GraphBuilder builder;
  Sizes shape = options.size;
  shape.push_back(options.channels);
  int last = builder.input("image", shape);
  std::vector<int> skips;
  for (std::size_t level = 1; level <= widths.size(); ++level) {
    const std::string place = "enc" + std::to_string(level);
    last = add_level(builder, place, widths[level - 1], last);
    skips.push_back(last);
    if (level < widths.size()) last = builder.add(place + "/pool", layers::MaxPool{}, {last});
  }
  for (std::size_t level = widths.size() - 1; level > 0; --level) {
    const std::string place = "dec" + std::to_string(level);
    last = builder.add(place + "/up", layers::ConvTranspose{.out = widths[level - 1]}, {last});
    last = builder.add(place + "/skip", layers::Concat{}, {skips[level - 1], last});
    last = add_level(builder, place, widths[level - 1], last);
  }
  last = builder.add(
      "logits", layers::Conv{.out = classes, .kernel = {1}, .init = Init::glorot_uniform}, {last});
  return builder.build({builder.add("probability", layers::Softmax{}, {last})});
}

}  // namespace ratnet::inline v1
