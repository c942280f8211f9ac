// A training as JSON lines, one object a line: {"event": "step", "step": 100, "loss": ...}.
#pragma once

#include <cstdio>
#include <string>

#include "checkpoint.h"

namespace ratnet::inline v1 {

class TrainingLog {
 public:
  // Opens the file for writing; where a training resumes after `resumed_steps` steps, the lines up
  // to there are kept and later ones dropped. An empty path logs nothing. Throws Error
  // (file_system).
  TrainingLog(const std::string& path, std::int64_t resumed_steps);
  ~TrainingLog();
  TrainingLog(const TrainingLog&) = delete;
  TrainingLog& operator=(const TrainingLog&) = delete;

  void step(std::int64_t step, std::int64_t epoch, double loss, double rate);
  void epoch(const EpochRecord& record, std::int64_t step, double seconds);

 private:
  void line(const std::string& text);
  std::string path_;
  std::FILE* file_ = nullptr;
};

}  // namespace ratnet::inline v1
