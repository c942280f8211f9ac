#include "tuning.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "../core/atomic_file.h"
#include "../core/error.h"
#include "../core/json_depth.h"
#include "../core/processor.h"
#include "../core/quantile.h"
#include "../core/version.h"

namespace ratnet::inline v1 {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kFormat = "ratnet tuning 1";
constexpr std::size_t kMostBytes = std::size_t{4} << 20;  // of the cache
constexpr std::size_t kMostProblems = 4096;

// A choice that noise could turn round is none.
constexpr double kMargin = 0.9;
constexpr int kRounds = 7;
constexpr double kRoundSeconds = 2e-3;  // of one candidate in one round, at least
constexpr int kMostRepeats = 50;
constexpr double kProblemSeconds = 1;  // after which no round begins
// Candidates whose first run takes this long, and this many times as long as another's, are out.
constexpr double kLongRun = 20e-3;
constexpr double kHopeless = 3;

// Trials run on the calling thread alone, so its own time leaves out what else the machine does.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
double seconds_of(const std::string&, const std::string&, const std::function<void()>& run) {
  const double start = thread_seconds();
  run();
  return thread_seconds() - start;
}

// "Intel(R) Xeon(R) @ 2.50GHz, 6" -> "Intel-R-Xeon-R-2-50GHz-6"
std::string in_a_file_name(const std::string& processor) {
  std::string name;
  for (const char c : processor.substr(0, 100)) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (plain)
      name += c;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  return name;
}

// An absolute path from the environment, as the XDG Base Directory Specification wants it.
fs::path folder_from(const char* variable) {
  const char* value = std::getenv(variable);
  return value && value[0] == '/' ? fs::path(value) : fs::path();
}

bool is_time(const Json& value) {
  return value.is_number() && std::isfinite(value.get<double>()) && value.get<double>() > 0;
}

}  // namespace

std::string default_tuning_cache() {
  const std::string processor = in_a_file_name(processor_name());
  fs::path folder = folder_from("XDG_CACHE_HOME");
  if (folder.empty() && !folder_from("HOME").empty()) folder = folder_from("HOME") / ".cache";
  if (folder.empty() || processor.empty()) return "";
  return (folder / "ratnet" / ("tuning-" + processor + ".json")).string();
}

Tuning::Tuning(TuningOptions options) : options_(std::move(options)) {
  if (options_.processor.empty()) options_.processor = processor_name();
  if (!options_.time) options_.time = seconds_of;
  summary_.cache = options_.cache;
}

Tuner::Choice Tuning::choose(const std::string& problem, const std::vector<std::string>& candidates,
                             const Trial& trial) {
  require(!candidates.empty(), "tuning needs an algorithm to choose for ", problem);
  const std::lock_guard lock(mutex_);
  load();
  if (const auto left = left_.find(problem); left != left_.end()) return {.why_not = left->second};
  const Seconds* seconds = known(problem, candidates);
  if (!seconds) {
    if (const std::string why_not = cannot_measure(trial); !why_not.empty()) {
      ++summary_.left;
      return {.why_not = left_[problem] = why_not};
    }
    seconds = &(times_[problem] = measure(problem, candidates, trial));
    ++summary_.measured;
    save();
    if (options_.told) options_.told(summary_.measured, summary_.seconds);
  }
  const auto faster = [&](const auto& a, const auto& b) { return seconds->at(a) < seconds->at(b); };
  const auto best = std::ranges::min_element(candidates, faster);
  const double of_rule = seconds->at(candidates[0]);
  if (!(seconds->at(*best) < kMargin * of_rule)) return {};
  return {.candidate = static_cast<std::size_t>(best - candidates.begin()),
          .gain = of_rule / seconds->at(*best)};
}

// Of just these candidates: an entry of others says nothing about them. Null where there is none.
const Tuning::Seconds* Tuning::known(const std::string& problem,
                                     const std::vector<std::string>& candidates) {
  const auto in = [&](const std::map<std::string, Seconds>& all) -> const Seconds* {
    const auto found = all.find(problem);
    if (found == all.end() || found->second.size() != candidates.size()) return nullptr;
    const auto has = [&](const std::string& name) { return found->second.contains(name); };
    return std::ranges::all_of(candidates, has) ? &found->second : nullptr;
  };
  if (const Seconds* const here = in(times_)) return here;
  const Seconds* const cached = in(cached_);
  if (!cached) return nullptr;
  ++summary_.known;
  return &(times_[problem] = *cached);
}

// Why, or "" where all is ready for it.
std::string Tuning::cannot_measure(const Trial& trial) const {
  if (summary_.seconds >= options_.seconds) return "the time for measuring was used up";
  try {
    trial.prepare();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::device) throw;
    return error.what();
  }
  return "";
}

// The median over rounds in which every candidate has its turn, so that what disturbs the machine
// for a while disturbs all of them.
Tuning::Seconds Tuning::measure(const std::string& problem,
                                const std::vector<std::string>& candidates, const Trial& trial) {
  const double start = summary_.seconds;
  const auto time = [&](std::size_t candidate, int repeats) {
    const double seconds = options_.time(problem, candidates[candidate], [&] {
      for (int i = 0; i < repeats; ++i) trial.run(candidate);
    });
    summary_.seconds += seconds;
    return std::max(seconds / repeats, 1e-12);
  };
  std::vector<double> first(candidates.size());
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = time(i, 1);
  const double least = *std::ranges::min_element(first);
  std::vector<std::vector<double>> rounds(first.size());
  for (int round = 0; round < kRounds; ++round) {
    if (round > 0 && summary_.seconds - start > kProblemSeconds) break;
    for (std::size_t i = 0; i < first.size(); ++i)
      if (first[i] < kLongRun || first[i] < kHopeless * least)
        rounds[i].push_back(time(
            i, static_cast<int>(std::clamp(kRoundSeconds / first[i], 1.0, 1.0 * kMostRepeats))));
  }
  Seconds seconds;
  for (std::size_t i = 0; i < first.size(); ++i)
    seconds[candidates[i]] = rounds[i].empty() ? first[i] : quantile(rounds[i], 0.5);
  return seconds;
}

// The file's times, or none, with the reason.
std::map<std::string, Tuning::Seconds> Tuning::read_cache(std::string& why_not) const {
  const std::string& path = options_.cache;
  std::error_code error;
  if (path.empty() || !fs::exists(path, error)) return {};
  try {
    if (!fs::is_regular_file(path, error)) fail(ErrorKind::input, path, ": not a file");
    const std::string content = read_file(path, kMostBytes);
    check_json_depth(content);
    const Json json = Json::parse(content);
    for (const auto& [key, expected] : {std::pair<const char*, std::string>{"format", kFormat},
                                        {"processor", options_.processor},
                                        {"version", version()}})
      if (json.at(key) != expected)
        fail(ErrorKind::input, "made for another ", key, ": ", json.at(key).dump());
    const Json& problems = json.at("seconds");
    if (!problems.is_object() || problems.size() > kMostProblems)
      fail(ErrorKind::input, "damaged, or of more than ", kMostProblems, " problems");
    std::map<std::string, Seconds> read;
    for (const auto& [problem, algorithms] : problems.items()) {
      if (!algorithms.is_object())
        fail(ErrorKind::input, "damaged: a problem whose times are not by algorithm");
      for (const auto& [algorithm, seconds] : algorithms.items()) {
        if (!is_time(seconds)) fail(ErrorKind::input, "damaged: a time that is none");
        read[problem][algorithm] = seconds.get<double>();
      }
    }
    return read;
  } catch (const std::exception& reason) {
    why_not = text("ignored: ", reason.what());
    return {};
  }
}

void Tuning::load() {
  if (std::exchange(loaded_, true)) return;
  cached_ = read_cache(summary_.cache_note);
}

// With what other processes have written in the meantime.
void Tuning::save() {
  if (options_.cache.empty()) return;
  std::string why_not;
  std::map<std::string, Seconds> all = times_;
  for (auto& [problem, seconds] : read_cache(why_not)) {
    if (all.size() >= kMostProblems) break;
    all.try_emplace(problem, std::move(seconds));
  }
  const Json json{{"format", kFormat},
                  {"processor", options_.processor},
                  {"version", version()},
                  {"seconds", all}};
  try {
    std::error_code ignored;  // the file then says what is wrong
    fs::create_directories(fs::path(options_.cache).parent_path(), ignored);
    write_file(options_.cache, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  } catch (const Error& error) {
    summary_.cache_note = text("not written: ", error.what());
    options_.cache.clear();
  }
}

Tuning::Summary Tuning::summary() const {
  const std::lock_guard lock(mutex_);
  return summary_;
}

std::string to_string(const Tuning::Summary& s) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f s", s.seconds);
  std::string words = text(s.known, " problems known, ", s.measured, " measured in ", seconds);
  if (s.left > 0) words += text(", ", s.left, " left to the rule");
  words += s.cache.empty() ? ", no cache" : ", cache " + s.cache;
  if (!s.cache_note.empty()) words += " (" + s.cache_note + ")";
  return words;
}

}  // namespace ratnet::inline v1
