// A training as JSON lines, one object a line: {"event": "step", "step": 100, "loss": ...}, and for
// TensorBoard.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "checkpoint.h"
#include "event_writer.h"

namespace ratnet::inline v1 {

class TrainingLog {
 public:
  // Opens the file for writing; where a training resumes, the lines of what came before that
  // position are kept and later ones dropped (without a step: it is to resume, but nothing was
  // kept). events: a folder for TensorBoard, which also gets the graph. An empty path or folder
  // logs nothing. Throws Error (file_system).
  TrainingLog(const std::string& path, const std::string& events, const Graph& graph,
              const TrainingPosition* resumed);
  ~TrainingLog();
  TrainingLog(const TrainingLog&) = delete;
  TrainingLog& operator=(const TrainingLog&) = delete;

  void step(std::int64_t step, std::int64_t epoch, double loss, double rate);
  void epoch(const EpochRecord& record, std::int64_t step, double seconds);
  // For TensorBoard alone. Settings: where the training begins; one that goes on has told them.
  void settings(const std::string& markdown);
  void picture(const std::string& tag, const std::string& png, std::int64_t step);

 private:
  void line(const std::string& text);
  std::string path_;
  bool goes_on_ = false;
  std::FILE* file_ = nullptr;
  std::unique_ptr<EventWriter> events_;
};

}  // namespace ratnet::inline v1
