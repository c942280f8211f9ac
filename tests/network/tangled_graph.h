// A graph that is hard to lay out.
#pragma once

#include "../../network/graph.h"

namespace ratnet::testing {

// Values read by several layers in every combination of ordinary layers and layers that only give
// memory another shape; two inputs, three outputs, one of them in the middle.
inline Graph tangled_graph() {
  using namespace layers;
  GraphBuilder b;
  const int x = b.input("x", {4, 5, 2});
  const int a = b.add("a", Conv{.out = 2, .kernel = {3, 3}}, {x});
  const int a_relu = b.add("a_relu", LeakyRelu{.slope = 0.2}, {a});
  const int first = b.add("first", Add{}, {a_relu, x});     // a skip over one layer
  const int twice = b.add("twice", Add{}, {first, first});  // both arguments the same
  const int flat_early = b.add("flat_early", Flatten{}, {twice});
  const int c = b.add("c", Conv{.out = 3, .kernel = {2, 2}, .pool = {2, 2}}, {twice});
  const int mean = b.add("mean", AvgPool{.kernel = {2, 2}, .padding = Padding::same}, {twice});
  const int second_input = b.input("y", {3});
  const int d = b.add("d", Dense{.out = 3}, {flat_early});
  const int d_sum = b.add("d_sum", Add{}, {d, second_input});
  const int flat_c = b.add("flat_c", Flatten{}, {c});
  const int flat_again = b.add("flat_again", Flatten{}, {flat_c});
  const int e = b.add("e", Dense{.out = 3, .activation = Activation::relu}, {flat_again});
  const int end = b.add("end", Add{}, {e, d_sum});
  const int flat_late = b.add("flat_late", Flatten{}, {mean});
  const int f = b.add("f", Dense{.out = 2}, {flat_late});
  return b.build({end, d_sum, f, flat_c});
}

}  // namespace ratnet::testing
