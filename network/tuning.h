// Algorithms chosen by measurement in place of the rule.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "../core/tuner.h"

namespace ratnet::inline v1 {

// $XDG_CACHE_HOME/ratnet/tuning-PROCESSOR.json, or that in ~/.cache; "" where neither is known.
std::string default_tuning_cache();

struct TuningOptions {
  // The file in which times are kept for later processes, which may share it; empty: nowhere. One
  // that cannot be read, is damaged or too large, or was made on another processor or by another
  // version is as if it were not there, and is written anew. Where it cannot be written it is left
  // alone.
  std::string cache = default_tuning_cache();
  // Of the processor's time, for measuring in all: problems that come later are left to the rule.
  double seconds = 60;
  // Told after every problem that was measured: how many there were, and the seconds they took. Not
  // to ask the Tuning anything.
  std::function<void(std::int64_t problems, double seconds)> told = {};
  // What the cache's times are of; empty: this machine's processor.
  std::string processor = {};
  // How many seconds `run` takes, which it has to call; empty: the calling thread's processor time.
  std::function<double(const std::string& problem, const std::string& algorithm,
                       const std::function<void()>& run)>
      time = {};
};

// Takes the algorithm that was the fastest when it was measured. That happens once for a problem:
// later it is looked up, here or in the cache, so the choice is the same as long as the object
// lives, and as long as the cache does. May be used from several threads.
class Tuning final : public Tuner {
 public:
  explicit Tuning(TuningOptions options = {});

  // The first candidate stays unless another takes less than 90% of its time.
  Choice choose(const std::string& problem, const std::vector<std::string>& candidates,
                const Trial& trial) override;

  struct Summary {
    std::int64_t measured = 0;  // problems, now
    std::int64_t known = 0;     // from the cache
    std::int64_t left = 0;      // to the rule, for want of time or memory
    double seconds = 0;         // of measuring
    std::string cache;          // the file, or ""
    std::string cache_note;     // why it was not read, or not written; "" where all is well
  };
  Summary summary() const;

 private:
  using Seconds = std::map<std::string, double>;  // by algorithm

  const Seconds* known(const std::string& problem, const std::vector<std::string>& candidates);
  std::string cannot_measure(const Trial& trial) const;
  Seconds measure(const std::string& problem, const std::vector<std::string>& candidates,
                  const Trial& trial);
  std::map<std::string, Seconds> read_cache(std::string& why_not) const;
  void load();
  void save();

  TuningOptions options_;
  mutable std::mutex mutex_;
  bool loaded_ = false;
  std::map<std::string, Seconds> cached_;    // what the file held
  std::map<std::string, Seconds> times_;     // of the problems that were asked for
  std::map<std::string, std::string> left_;  // to the rule, with the reason
  Summary summary_;
};

// In words, for people.
std::string to_string(const Tuning::Summary& summary);

}  // namespace ratnet::inline v1
