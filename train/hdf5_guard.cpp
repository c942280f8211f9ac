#include "hdf5_guard.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/error.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RATNET_SANITIZER_OWNS_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RATNET_SANITIZER_OWNS_MEMORY 1
#endif
#endif

namespace ratnet::inline v1 {
namespace {

// An answer is this header and `size` bytes: the result (kind 0) or the text of an error.
struct Header {
  std::uint32_t kind = 0;
  std::uint32_t unused = 0;
  std::uint64_t size = 0;
};

bool send(int pipe, const void* data, std::size_t size) {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(pipe, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

[[noreturn]] void answer(int pipe, std::uint32_t kind, const char* data, std::size_t size) {
  const Header header{.kind = kind, .unused = 0, .size = size};
  const bool sent = send(pipe, &header, sizeof header) && send(pipe, data, size);
  _exit(sent ? 0 : 1);
}

#ifndef RATNET_SANITIZER_OWNS_MEMORY
// The address space that this process uses now, in bytes.
std::size_t address_space() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  unsigned long pages = 0;
  const bool known = file != nullptr && std::fscanf(file, "%lu", &pages) == 1;
  if (file != nullptr) std::fclose(file);
  if (!known) fail(ErrorKind::file_system, "/proc/self/statm cannot be read");
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}
#endif

// Where a user has set a lower one, that stays.
void set_limit(int resource, std::size_t soft, std::size_t hard) {
  const auto kind = static_cast<__rlimit_resource_t>(resource);
  rlimit limit{};
  const bool known = getrlimit(kind, &limit) == 0;
  limit = {.rlim_cur = std::min<rlim_t>(soft, limit.rlim_cur),
           .rlim_max = std::min<rlim_t>(hard, limit.rlim_max)};
  if (!known || setrlimit(kind, &limit) != 0)
    fail(ErrorKind::internal, "a limit cannot be set: ", std::strerror(errno));
}

[[noreturn]] void be_child(int pipe, pid_t parent, const GuardLimits& limits,
                           const std::function<std::string()>& work) {
  // The handlers of this program are not for the child's death.
  for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
  std::signal(SIGINT, SIG_IGN);  // the parent decides
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a user's limit on files is no sign of a hostile one
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  try {
    set_limit(RLIMIT_CORE, 0, 0);
    const auto cpu = static_cast<std::size_t>(std::ceil(limits.cpu_seconds));
    set_limit(RLIMIT_CPU, cpu, cpu + 1);
#ifndef RATNET_SANITIZER_OWNS_MEMORY
    const std::size_t memory = address_space() + limits.memory_bytes;
    set_limit(RLIMIT_AS, memory, memory);
    // What the C library says of a damaged heap is not for the user. (A sanitizer's report is.)
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) dup2(null, STDERR_FILENO);
#endif
    const std::string result = work();
    answer(pipe, 0, result.data(), result.size());
  } catch (const Error& error) {
    answer(pipe, static_cast<std::uint32_t>(error.kind()), error.what(), std::strlen(error.what()));
  } catch (const std::bad_alloc&) {
    const char* text = "reading it needs more memory than such a file may take";
    answer(pipe, static_cast<std::uint32_t>(ErrorKind::input), text, std::strlen(text));
  } catch (const std::exception& error) {
    answer(pipe, static_cast<std::uint32_t>(ErrorKind::internal), error.what(),
           std::strlen(error.what()));
  }
}

enum class Ending { complete, silent, late, long_winded };

// Everything the child says, until it ends, falls silent too long, or says too much.
Ending listen(int pipe, const GuardLimits& limits, std::string& said) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(limits.wall_seconds);
  char buffer[65536];
  for (;;) {
    const double left = std::chrono::duration<double>(deadline - Clock::now()).count();
    if (left <= 0) return Ending::late;
    pollfd wanted{.fd = pipe, .events = POLLIN, .revents = 0};
    const int ready = poll(&wanted, 1, static_cast<int>(std::min(left * 1000 + 1, 1e6)));
    if (ready < 0 && errno != EINTR) return Ending::silent;
    if (ready <= 0) continue;
    const ssize_t n = ::read(pipe, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Ending::silent;
    if (n == 0) break;
    said.append(buffer, static_cast<std::size_t>(n));
    if (said.size() > limits.answer_bytes) return Ending::long_winded;
  }
  Header header;
  if (said.size() < sizeof header) return Ending::silent;
  std::memcpy(&header, said.data(), sizeof header);
  return header.size == said.size() - sizeof header ? Ending::complete : Ending::silent;
}

[[noreturn]] void fail_silent(int status) {
  const bool timed_out = WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU;
  if (timed_out) fail(ErrorKind::input, "takes too long to read for its size");
  std::string how = "ended without a word";
  if (WIFSIGNALED(status)) how = text("signal ", WTERMSIG(status));
  if (WIFEXITED(status)) how = text("exit code ", WEXITSTATUS(status));
  fail(ErrorKind::input, "is damaged or hostile: reading it in a child process crashed it (", how,
       ")");
}

}  // namespace

std::string run_guarded(const GuardLimits& limits, std::mutex& lock,
                        const std::function<std::string()>& work) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    fail(ErrorKind::file_system, "no pipe to a child process: ", std::strerror(errno));
  const pid_t parent = getpid();
  pid_t child = 0;
  {
    const std::lock_guard held(lock);
    child = fork();
    if (child == 0) {
      close(ends[0]);
      be_child(ends[1], parent, limits, work);
    }
  }
  const int fork_error = errno;
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    fail(ErrorKind::file_system, "no child process: ", std::strerror(fork_error));
  }

  std::string said;
  const Ending ending = listen(ends[0], limits, said);
  close(ends[0]);
  if (ending != Ending::complete && ending != Ending::silent) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (ending == Ending::late) fail(ErrorKind::input, "takes too long to read for its size");
  if (ending == Ending::long_winded)
    fail(ErrorKind::input, "holds more to describe than ", limits.answer_bytes, " bytes");
  if (ending == Ending::silent) fail_silent(status);

  Header header;
  std::memcpy(&header, said.data(), sizeof header);
  said.erase(0, sizeof header);
  if (header.kind == 0) return said;
  // A kind that does not exist can only come from a child that lost its mind.
  const bool known = header.kind <= static_cast<std::uint32_t>(ErrorKind::file_system);
  throw Error(known ? static_cast<ErrorKind>(header.kind) : ErrorKind::input, said);
}

}  // namespace ratnet::inline v1
