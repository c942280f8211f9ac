// What a training was asked for, as a table for people to read.
#pragma once

#include <cstdint>
#include <string>

#include "trainer.h"

namespace ratnet::inline v1 {

// A table of names and values in Markdown: losses, the size of the network, how many samples there
// are, and TrainerOptions::further_settings with the settings that a model remembers. Values show
// as they are: marks of Markdown and HTML in them mean nothing, and bytes that are no text are
// U+FFFD. options: their schedule knows its steps.
std::string settings_table(const Graph& graph, const Objective& objective,
                           const TrainerOptions& options, std::int64_t training_samples,
                           std::int64_t validation_samples);

}  // namespace ratnet::inline v1
