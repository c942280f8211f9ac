// Graphs as people draw them, for the tests of drawings.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../../network/graph.h"

namespace ratnet::test {

// Two convolutions a level and a sum with what skips the bottom. A 1 x 1 convolution with zeros
// around the image makes it larger.
inline Graph u_net(int levels, std::int64_t size) {
  GraphBuilder builder;
  int last = builder.input("image", {size, size, 1});
  const auto block = [&](const std::string& name, std::int64_t channels) {
    for (const std::string i : {"1", "2"}) {
      last =
          builder.add(name + "/conv" + i, layers::Conv{.out = channels, .kernel = {3, 3}}, {last});
      last = builder.add(name + "/relu" + i, layers::Relu{}, {last});
    }
  };
  std::vector<std::pair<int, std::int64_t>> skips;
  for (int level = 1; level < levels; ++level, size /= 2) {
    block("enc" + std::to_string(level), std::int64_t{4} << level);
    skips.emplace_back(last, size / 4);
    last = builder.add("pool" + std::to_string(level), layers::MaxPool{.kernel = {2, 2}}, {last});
  }
  block("bottom", std::int64_t{4} << levels);
  for (int level = levels - 1; level > 0; --level) {
    const auto [skip, ring] = skips[static_cast<std::size_t>(level - 1)];
    const std::string number = std::to_string(level);
    last = builder.add("up" + number,
                       layers::Conv{.out = std::int64_t{4} << level,
                                    .kernel = {1, 1},
                                    .padding = Padding::custom,
                                    .pad_before = {ring, ring},
                                    .pad_after = {ring, ring}},
                       {last});
    last = builder.add("join" + number, layers::Add{}, {last, skip});
    block("dec" + number, std::int64_t{4} << level);
  }
  return builder.build({builder.add("logits", layers::Conv{.out = 2, .kernel = {1, 1}}, {last})});
}

// A U of three inputs beside each other, whose outer ones skip the bottom past the others, with an
// output at the bottom and another half way up.
inline Graph wide_u_net() {
  GraphBuilder builder;
  const auto conv = [&](const std::string& name, int from, std::int64_t ring = 0) {
    return builder.add(name,
                       layers::Conv{.out = 4,
                                    .kernel = {1, 1},
                                    .padding = Padding::custom,
                                    .pad_before = {ring, ring},
                                    .pad_after = {ring, ring}},
                       {from});
  };
  std::vector<int> scans;
  for (const std::string name : {"a", "b", "c"})
    scans.push_back(conv("conv_" + name, builder.input(name, {16, 16, 1})));
  int sum = builder.add("ab", layers::Add{}, {scans[0], scans[1]});
  sum = builder.add("abc", layers::Add{}, {sum, scans[2]});
  const int low = builder.add("pool", layers::MaxPool{.kernel = {2, 2}}, {sum});
  const int bottom = conv("bottom", low);
  int up = conv("up", bottom, 4);
  const int middle = conv("middle", up);
  std::vector<int> joins;
  for (const int scan : scans)
    joins.push_back(builder.add("join" + std::to_string(scan), layers::Add{}, {up, scan}));
  up = builder.add("all", layers::Add{}, {joins[0], joins[1]});
  up = builder.add("all_of_all", layers::Add{}, {up, joins[2]});
  return builder.build({up, middle, conv("side", low)});
}

// Two scans in, a map and a class out.
inline Graph two_by_two() {
  GraphBuilder builder;
  const int t1 = builder.input("t1w", {16, 16, 1});
  const int t2 = builder.input("t2w", {16, 16, 1});
  const int a = builder.add("t1w/conv", layers::Conv{.out = 8, .kernel = {3, 3}}, {t1});
  const int b = builder.add("t2w/conv", layers::Conv{.out = 8, .kernel = {3, 3}}, {t2});
  const int both = builder.add("both", layers::Add{}, {a, b});
  const int conv = builder.add("conv", layers::Conv{.out = 8, .kernel = {3, 3}}, {both});
  const int sum = builder.add("sum", layers::Add{}, {conv, both});
  const int map = builder.add("map", layers::Conv{.out = 2, .kernel = {1, 1}}, {sum});
  const int flat = builder.add("flat", layers::Flatten{}, {sum});
  return builder.build({map, builder.add("class", layers::Dense{.out = 3}, {flat})});
}

// Every sum reads the one before it and one from anywhere earlier.
inline Graph tangled(int layers) {
  GraphBuilder builder;
  std::vector<int> all = {builder.input("x", {4, 4, 2})};
  for (int i = 0; i < layers; ++i)
    all.push_back(builder.add("sum" + std::to_string(i), layers::Add{},
                              {all.back(), all[static_cast<std::size_t>(i * 7919 % (i + 1))]}));
  return builder.build({all.back()});
}

// Blocks of two convolutions with a way round them.
inline Graph residual(int blocks) {
  GraphBuilder builder;
  int last = builder.input("image", {8, 8, 4});
  for (int i = 0; i < blocks; ++i) {
    const std::string name = "block" + std::to_string(i);
    int x = last;
    for (const std::string part : {"/conv1", "/conv2"})
      x = builder.add(name + part, layers::Conv{.out = 4, .kernel = {3, 3}}, {x});
    last = builder.add(name + "/sum", layers::Add{}, {x, last});
    last = builder.add(name + "/relu", layers::Relu{}, {last});
  }
  return builder.build({last});
}

}  // namespace ratnet::test
