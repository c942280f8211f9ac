// Our side of the comparison with other frameworks; bench/peers/run starts it.
//   ratnet_peer init MODEL NETWORK                         peer_networks.cpp
//   ratnet_peer infer MODEL INPUTS OUTPUTS THREADS
//   ratnet_peer steps MODEL INPUTS OUTPUTS THREADS LOSS TARGETS BATCH
//   ratnet_peer layer FOLDER NAME THREADS KIND RANK SIZE IN OUT KERNEL STRIDE PAD BATCH
//                                                          peer_layer.cpp
//   ratnet_peer train SLICES.h5 STEPS BATCH THREADS        peer_datasets.cpp
//   ratnet_peer load SLICES.h5 THREADS
// Files of inputs and outputs are bare f32, channels last; of targets u8. Answers are lines of
// JSON. RATNET_INSTRUCTION_SET names the vector instructions to use, in place of the best.
#include "ratnet_peer.h"

#include <cstdlib>
#include <iostream>
#include <map>
#include <span>

#include "../../core/error.h"
#include "../../kernels/cpu/instruction_set.h"

namespace {

using namespace ratnet;

struct Command {
  std::size_t words;
  void (*run)(const Words& words);
};

const std::map<std::string, Command> kCommands = {{"init", {2, init}},   {"infer", {4, infer}},
                                                  {"steps", {7, steps}}, {"layer", {12, layer}},
                                                  {"train", {4, train}}, {"load", {2, load}}};

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> given(argv, static_cast<std::size_t>(argc));
  try {
    if (const char* set = std::getenv("RATNET_INSTRUCTION_SET")) use_instruction_set(set);
    const auto found = kCommands.find(argc > 1 ? given[1] : "");
    require(found != kCommands.end() && found->second.words + 2 == given.size(),
            "see the head of bench/peers/ratnet_peer.cpp");
    found->second.run(Words(given.begin() + 2, given.end()));
  } catch (const std::exception& error) {
    std::cerr << "ratnet_peer: " << error.what() << '\n';
    return 1;
  }
}
