// What ratnet_peer does, by file; bench/peers/ratnet_peer.cpp tells how it is called.
#pragma once

#include <string>
#include <vector>

namespace ratnet::inline v1 {

using Words = std::vector<std::string>;  // of the command, but its name

void init(const Words& words);
void infer(const Words& words);
void steps(const Words& words);
void layer(const Words& words);
void train(const Words& words);
void load(const Words& words);

}  // namespace ratnet::inline v1
