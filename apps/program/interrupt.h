// Ctrl-C, taken between two steps of work.
#pragma once

#include <string>

namespace ratnet::inline v1 {

// What a shell expects of a program ended by SIGINT.
constexpr int kInterruptedExit = 130;

// From here on SIGINT, SIGTERM and SIGHUP (unless ignored: nohup) are remembered in place of ending
// the program; a second one ends it at once.
void catch_interrupts();
bool was_interrupted();

// Ends a command from wherever it is; nothing half-written stays behind.
struct Interrupted {
  std::string advice{};  // what to do next, for the user
};
// Throws Interrupted if a signal came.
void stop_if_interrupted();

}  // namespace ratnet::inline v1
