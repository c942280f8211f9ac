#include "progress.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include "../../core/text.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kShortTask = 2;  // seconds: shorter tasks say nothing
constexpr double kRewriteEvery = 0.2;
constexpr double kLineEvery = 10;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int width_of_terminal() {
  if (isatty(STDERR_FILENO) == 0) return 0;
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

// Control characters (a file name may hold any) would move the cursor or colour the terminal.
std::string printable(std::string_view words) {
  std::string result(words);
  std::replace_if(
      result.begin(), result.end(),
      [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; }, '?');
  return result;
}

// The first `width` characters of UTF-8 text.
std::string first_characters(const std::string& words, int width) {
  int characters = 0;
  for (std::size_t i = 0; i < words.size(); ++i)
    if ((static_cast<unsigned char>(words[i]) & 0xC0) != 0x80 && characters++ == width)
      return words.substr(0, i);
  return words;
}

// "41200", "412", "3.14", "0.0213".
std::string format_rate(double rate) {
  if (!(rate > 0) || !std::isfinite(rate)) return "0";
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, rate < 1000 ? "%.3g" : "%.0f", std::min(rate, 1e15));
  return buffer;
}

}  // namespace

std::string format_duration(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  const auto whole = static_cast<long long>(std::llround(seconds));
  char buffer[64];
  if (whole >= 3600)
    std::snprintf(buffer, sizeof buffer, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                  whole % 60);
  else
    std::snprintf(buffer, sizeof buffer, "%lld:%02lld", whole / 60, whole % 60);
  return buffer;
}

Progress::Progress(std::string_view what, std::string unit, std::int64_t total,
                   ProgressOptions options)
    : what_(printable(what)), unit_(std::move(unit)), total_(total), options_(std::move(options)) {
  if (options_.to == nullptr) options_.to = &std::cerr;
  if (!options_.clock) options_.clock = steady_seconds;
  if (options_.terminal_width < 0) options_.terminal_width = width_of_terminal();
  started_ = options_.clock();
  shown_ = started_;
}

Progress::~Progress() {
  if (on_screen_) *options_.to << '\n' << std::flush;
}

std::string Progress::line_at(double now, std::string_view extra) const {
  const double rate = static_cast<double>(done_ - first_) / std::max(now - started_, 1e-9);
  std::string line = what_ + "  ";
  if (total_ > 0) {
    const double share = static_cast<double>(done_) / static_cast<double>(total_);
    line += text(static_cast<int>(100 * std::clamp(share, 0.0, 1.0)), "%  ", done_, "/", total_);
  } else {
    line += std::to_string(done_);
  }
  line += text(" ", unit_, "  ", format_rate(rate), " ", unit_, "/s");
  if (total_ > 0 && rate > 0)
    line += "  " + format_duration(static_cast<double>(total_ - done_) / rate) + " left";
  if (!extra.empty()) line += "  " + printable(extra);
  return line;
}

void Progress::clear() {
  if (on_screen_) *options_.to << "\r\x1b[K";
  on_screen_ = false;
}

void Progress::show(const std::string& line) {
  clear();
  if (options_.terminal_width > 0) {
    *options_.to << first_characters(line, options_.terminal_width - 1) << std::flush;
    on_screen_ = true;
  } else {
    *options_.to << line << '\n' << std::flush;
  }
}

void Progress::update(std::int64_t done, std::string_view extra) {
  const double now = options_.clock();
  if (first_ < 0) {
    first_ = done;
    started_ = now;
  }
  done_ = done;
  const bool terminal = options_.terminal_width > 0;
  if (options_.quiet || now - shown_ < (terminal ? kRewriteEvery : kLineEvery)) return;
  const double share =
      total_ > first_ ? static_cast<double>(done - first_) / static_cast<double>(total_ - first_)
                      : 0;
  const double expected = share > 0 ? (now - started_) / share : now - started_;
  if (done == first_ || expected < kShortTask) return;
  shown_ = now;
  show(line_at(now, extra));
}

void Progress::say(std::string_view line) {
  if (options_.quiet) return;
  clear();
  *options_.to << line << '\n' << std::flush;
}

void Progress::finish() {
  const double seconds = options_.clock() - started_;
  clear();
  if (options_.quiet || first_ < 0 || seconds < kShortTask) return;
  const auto count = done_ - first_;
  *options_.to << what_ << ": " << count << ' ' << unit_ << " in " << format_duration(seconds)
               << ", " << format_rate(static_cast<double>(count) / seconds) << ' ' << unit_
               << "/s\n"
               << std::flush;
}

}  // namespace ratnet::inline v1
