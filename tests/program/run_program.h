// Runs a program in a folder and tells all that became of it.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../network/temporary_folder.h"
#include "../sanitizer.h"

namespace ratnet::test {

inline std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline int count_lines(const std::string& text) {
  int lines = 0;
  for (const char c : text) lines += c == '\n';
  return lines;
}

using Folder = testing::TemporaryFolder;

struct Finished {
  int code = -1;            // exit code; -1 where a signal ended it
  int signal = 0;           // that signal
  bool timed_out = false;   // ended by the time limit
  long peak_kilobytes = 0;  // of the largest process among it and its children
  std::string out, err;
};

struct RunOptions {
  double seconds = has_sanitizer_memory() ? 300 : 60;  // it is killed after that
  double kill_after = -1;                              // seconds until it gets ...
  int kill_signal = SIGKILL;                           // ... this signal; -1: never
  std::string kill_when_exists{};  // the signal waits for this file in place of a time
  std::uint64_t largest_file = 0;  // bytes a file may have (RLIMIT_FSIZE); 0: any
  std::string folder{};            // to run in; empty: this one
  std::vector<std::pair<std::string, std::string>> environment{};  // variables beside this one's
  std::string program = RATNET_PROGRAM;
};

inline Finished run_program(const std::vector<std::string>& arguments,
                            const RunOptions& options = {}) {
  using Clock = std::chrono::steady_clock;
  const Folder output;
  const std::string out = output / "out", err = output / "err";
  std::vector<char*> argv = {const_cast<char*>(options.program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no child process");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);  // so that the time limit ends its children too
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(open(out.c_str(), O_WRONLY | O_CREAT, 0600), STDOUT_FILENO);
    dup2(open(err.c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
    if (options.largest_file) {
      const rlimit limit{options.largest_file, options.largest_file};
      setrlimit(RLIMIT_FSIZE, &limit);
    }
    for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
    if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(126);
    execv(argv[0], argv.data());
    _exit(127);
  }

  Finished result;
  const auto start = Clock::now();
  bool signalled = false;
  for (;;) {
    int status = 0;
    rusage used{};
    const pid_t ended = wait4(child, &status, WNOHANG, &used);
    if (ended == child) {
      if (WIFEXITED(status)) result.code = WEXITSTATUS(status);
      if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
      result.peak_kilobytes = used.ru_maxrss;
      break;
    }
    const double passed = std::chrono::duration<double>(Clock::now() - start).count();
    const bool due = options.kill_when_exists.empty()
                         ? options.kill_after >= 0 && passed >= options.kill_after
                         : std::filesystem::exists(options.kill_when_exists);
    if (due && !signalled) {
      signalled = true;
      kill(child, options.kill_signal);
    }
    if (passed > options.seconds && !result.timed_out) {
      result.timed_out = true;
      kill(-child, SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  result.out = contents(out);
  result.err = contents(err);
  return result;
}

// The same, from what one would type after "ratnet": words between blanks.
inline Finished run_line(const std::string& line, RunOptions options = {}) {
  std::vector<std::string> arguments;
  std::istringstream words(line);
  for (std::string word; words >> word;) arguments.push_back(word);
  return run_program(arguments, options);
}

// "file (size)" of all files below a folder, sorted; what a failed command must leave as it was.
inline std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files.push_back(std::filesystem::relative(entry.path(), folder).string());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace ratnet::test
