#include "series_network.h"

#include "../../network/blocks.h"

namespace ratnet::inline v1 {

Graph series_network_graph(std::int64_t classes, const SeriesNetworkOptions& options) {
  check_widths("series network", options.widths);
  GraphBuilder builder;
  int last = builder.input("image", {options.size, options.size, options.channels});
  for (std::size_t i = 0; i < options.widths.size(); ++i) {
    const std::string place = "block" + std::to_string(i + 1);
    last = add_conv_norm_relu(builder, place, "", {.out = options.widths[i], .kernel = {3}}, last);
    last = builder.add(place + "/pool", layers::MaxPool{}, {last});
  }
  last = builder.add("mean", layers::GlobalPool{}, {last});
  last = builder.add("logits", layers::Dense{.out = classes, .init = Init::glorot_uniform}, {last});
  return builder.build({builder.add("probability", layers::Softmax{}, {last})});
}

}  // namespace ratnet::inline v1
