// How far a long task is, how fast it goes and when it will be done, on the terminal.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace ratnet::inline v1 {

// "0:05", "12:34", "1:02:03"; "?" for what is not a number >= 0.
std::string format_duration(double seconds);

struct ProgressOptions {
  bool quiet = false;
  std::ostream* to = nullptr;       // standard error
  int terminal_width = -1;          // 0: no terminal; -1: ask the system
  std::function<double()> clock{};  // seconds; a steady clock
};

// On a terminal one line that rewrites itself; elsewhere a plain line every ten seconds. Tasks of
// less than two seconds say nothing. Used from one thread.
class Progress {
 public:
  // what: "training"; unit: "steps"; total: how many in all, 0 where that is not known.
  Progress(std::string_view what, std::string unit, std::int64_t total,
           ProgressOptions options = {});
  // Leaves the cursor on a new line, so that an error message does not stand in the middle of one.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // done: of total. What was done before the first call (a resumed training) does not count for the
  // rate. extra: figures to show, such as "loss 0.123".
  void update(std::int64_t done, std::string_view extra = {});

  // A line of its own above the progress.
  void say(std::string_view line);

  // The closing line: how many, in what time, how fast.
  void finish();

 private:
  std::string line_at(double now, std::string_view extra) const;
  void show(const std::string& line);
  void clear();

  std::string what_;
  std::string unit_;
  std::int64_t total_;
  ProgressOptions options_;
  std::int64_t first_ = -1;  // done at the first update
  std::int64_t done_ = 0;
  double started_ = 0;
  double shown_;            // when the last line was written
  bool on_screen_ = false;  // an unfinished line stands on the terminal
};

}  // namespace ratnet::inline v1
