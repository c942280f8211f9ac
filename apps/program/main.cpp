// The program `ratnet`: parses the command line, runs one command, turns errors into exit codes.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>

#include <CLI/CLI.hpp>

#include "../../core/error.h"
#include "../../core/version.h"
#include "commands.h"
#include "interrupt.h"

using namespace ratnet;

namespace {

constexpr const char* kFooter =
    R"(Exit codes: 0 done, 1 a fault of ratnet, 2 wrong usage, 3 bad input, 4 the device cannot be
used, 5 a file cannot be read or written, 130 interrupted.
ratnet COMMAND --help tells more, with an example that works as it stands.)";

// What was printed may have gone to a file on a full disk. A reader that went away (| head) has
// what it wanted.
void finish_output() {
  errno = 0;
  const bool written = std::fflush(stdout) == 0 && !std::ferror(stdout);
  if (!written && errno != EPIPE)
    fail(ErrorKind::file_system, "standard output: cannot write: ", std::strerror(errno));
}

int run(int argc, char** argv) {
  CLI::App program("ratnet: finds bad slices and unusual scans in MRI", "ratnet");
  program.set_version_flag("--version", "ratnet " + version());
  program.require_subcommand(1);
  program.footer(kFooter);

  CLI::App* simulate = program.add_subcommand("simulate", "Make simulated data with known truth");
  simulate->require_subcommand(1);
  add_simulate_anomaly(*simulate);
  add_simulate_dark_slices(*simulate);
  add_simulate_lesions(*simulate);
  CLI::App* train = program.add_subcommand("train", "Train a network: of a system, or any graph");
  train->require_subcommand(0, 1);
  add_train_dark_slices(*train);
  add_train_anomaly(*train);
  add_train_graph(*train);
  add_evaluate(program);
  add_predict(program);
  add_score(program);
  add_inspect(program);
  add_bench(program);
  add_devices(program);

  if (argc < 2) {
    std::fputs(program.help().c_str(), stderr);
    return static_cast<int>(ErrorKind::usage);
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help, --version
    program.exit(wanted);
  } catch (const CLI::ParseError& error) {
    std::string command = "ratnet";
    for (const CLI::App* app = &program; !app->get_subcommands().empty();) {
      app = app->get_subcommands().front();
      command += " " + app->get_name();
    }
    fail(ErrorKind::usage, error.what(), " (", command, " --help tells more)");
  }
  finish_output();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away (ratnet ... | head) is no reason to lose work.
  std::signal(SIGPIPE, SIG_IGN);
  // A full disk shows as an error of write, not as a signal.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    std::fprintf(stderr, "ratnet: %s\n", error.what());
    return static_cast<int>(error.kind());
  } catch (const Interrupted& interrupted) {
    std::fprintf(stderr, "ratnet: interrupted%s%s\n", interrupted.advice.empty() ? "" : "; ",
                 interrupted.advice.c_str());
    return kInterruptedExit;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "ratnet: out of memory\n");
    return static_cast<int>(ErrorKind::device);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ratnet: unexpected: %s\n", error.what());
    return static_cast<int>(ErrorKind::internal);
  }
}
