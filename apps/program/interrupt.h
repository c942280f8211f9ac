// Ctrl-C, taken between two steps of work.
#pragma once

namespace ratnet::inline v1 {

// What a shell expects of a program ended by SIGINT.
constexpr int kInterruptedExit = 130;

// From here on SIGINT and SIGTERM are remembered in place of ending the program; a second one ends
// it at once.
void catch_interrupts();
bool was_interrupted();

}  // namespace ratnet::inline v1
