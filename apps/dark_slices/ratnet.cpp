#include "ratnet.h"

namespace ratnet::inline v1 {

Graph ratnet_graph(std::int64_t size) {
  GraphBuilder builder;
  int last = builder.input("image", {size, size, 1});
  for (const std::string number : {"1", "2", "3"}) {
    last = builder.add("conv" + number, layers::Conv{.out = 32, .kernel = {3, 3}}, {last});
    last = builder.add("relu" + number, layers::Relu{}, {last});
    last = builder.add("pool" + number, layers::MaxPool{.kernel = {2, 2}}, {last});
  }
  last = builder.add("flatten", layers::Flatten{}, {last});
  last = builder.add("dense", layers::Dense{.out = 128}, {last});
  last = builder.add("dense_relu", layers::Relu{}, {last});
  last = builder.add("logits", layers::Dense{.out = 2, .init = Init::glorot_uniform}, {last});
  last = builder.add("probability", layers::Softmax{}, {last});
  return builder.build({last});
}

}  // namespace ratnet::inline v1
