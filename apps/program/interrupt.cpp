#include "interrupt.h"

#include <csignal>

namespace ratnet::inline v1 {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void remember(int signal) {
  interrupted = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, remember);
  std::signal(SIGTERM, remember);
  if (std::signal(SIGHUP, remember) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
}

bool was_interrupted() { return interrupted != 0; }

void stop_if_interrupted() {
  if (was_interrupted()) throw Interrupted();
}

}  // namespace ratnet::inline v1
