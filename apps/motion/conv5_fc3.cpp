#include "conv5_fc3.h"

#include "../../core/error.h"
#include "../../network/blocks.h"

namespace ratnet::inline v1 {

Graph conv5_fc3_graph(const Conv5Fc3Options& options) {
  constexpr const char* kWho = "conv5_fc3";
  require(options.size.size() == 3, kWho, ": ", options.size.size(), " sizes, expected 3");
  check_widths(kWho, options.widths);
  GraphBuilder builder;
  Sizes shape = options.size;
  shape.push_back(options.channels);
  int last = builder.input("volume", shape);
  for (std::size_t i = 0; i < options.widths.size(); ++i) {
    const std::string place = "block" + std::to_string(i + 1);
    last = add_conv_norm_relu(builder, place, "", {.out = options.widths[i], .kernel = {3}}, last);
    last = builder.add(place + "/pool", layers::MaxPool{}, {last});
  }
  last = builder.add("flatten", layers::Flatten{}, {last});
  last = builder.add("dropout", layers::Dropout{.probability = options.dropout}, {last});
  for (std::size_t i = 0; i < options.dense.size(); ++i) {
    const std::string name = "fc" + std::to_string(i + 1);
    last = builder.add(name, layers::Dense{.out = options.dense[i]}, {last});
    last = builder.add(name + "_relu", layers::Relu{}, {last});
  }
  last = builder.add("logits", layers::Dense{.out = options.classes, .init = Init::glorot_uniform},
                     {last});
  return builder.build({builder.add("probability", layers::Softmax{}, {last})});
}

}  // namespace ratnet::inline v1
