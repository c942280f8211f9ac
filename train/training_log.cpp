#include "training_log.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "../core/atomic_file.h"
#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;  // writes null for numbers that are not finite

// Whether a training has come past what a line tells.
bool is_before(const std::string& line, const TrainingPosition& position) {
  const Json json = Json::parse(line, nullptr, false);
  const auto number = [&](const char* name) {
    return json.is_object() && json.contains(name) && json[name].is_number_integer()
               ? json[name].get<std::int64_t>()
               : std::numeric_limits<std::int64_t>::max();
  };
  if (number("step") > position.steps) return false;
  // Of the step that an epoch ends with, its figures may not be known yet.
  return json.value("event", Json()) != "epoch" || number("epoch") < position.epoch;
}

}  // namespace

TrainingLog::TrainingLog(const std::string& path, const std::string& events, const Graph& graph,
                         const TrainingPosition* resumed)
    : path_(path), goes_on_(resumed && resumed->steps > 0) {
  if (!events.empty()) {
    events_ = std::make_unique<EventWriter>(events,
                                            resumed ? std::optional(resumed->steps) : std::nullopt);
    events_->graph(graph);
  }
  if (path_.empty()) return;
  std::string kept;
  if (goes_on_) {
    std::ifstream old(path_);
    for (std::string line; std::getline(old, line);)
      if (is_before(line, *resumed)) kept += line + "\n";
  }
  write_file(path_, kept);
  file_ = std::fopen(path_.c_str(), "ae");
  if (!file_) fail(ErrorKind::file_system, path_, ": cannot write: ", std::strerror(errno));
}

TrainingLog::~TrainingLog() {
  if (file_) std::fclose(file_);
}

void TrainingLog::line(const std::string& text) {
  if (!file_) return;
  if (std::fprintf(file_, "%s\n", text.c_str()) < 0 || std::fflush(file_) != 0)
    fail(ErrorKind::file_system, path_, ": cannot write: ", std::strerror(errno));
}

void TrainingLog::step(std::int64_t step, std::int64_t epoch, double loss, double rate) {
  line(Json{{"event", "step"}, {"step", step}, {"epoch", epoch}, {"loss", loss}, {"rate", rate}}
           .dump());
  if (!events_) return;
  events_->scalar("training/loss", loss, step);
  events_->scalar("training/rate", rate, step);
}

void TrainingLog::epoch(const EpochRecord& record, std::int64_t step, double seconds) {
  line(Json{{"event", "epoch"},
            {"step", step},
            {"epoch", record.epoch},
            {"training_loss", record.training_loss},
            {"validation_loss", record.validation_loss},
            {"validation_auroc", record.validation_auroc},
            {"validation_accuracy", record.validation_accuracy},
            {"validation_dice", record.validation_dice},
            {"seconds", seconds}}
           .dump());
  if (!events_) return;
  events_->scalar("epoch/training_loss", record.training_loss, step);
  const auto add = [&](const char* tag, double value) {
    if (!std::isnan(value)) events_->scalar(tag, value, step);
  };
  add("epoch/validation_loss", record.validation_loss);
  add("epoch/validation_auroc", record.validation_auroc);
  add("epoch/validation_accuracy", record.validation_accuracy);
  add("epoch/validation_dice", record.validation_dice);
}

void TrainingLog::settings(const std::string& markdown) {
  if (events_ && !goes_on_) events_->text("training/settings", markdown, 0);
}

void TrainingLog::picture(const std::string& tag, const std::string& png, std::int64_t step) {
  if (events_) events_->image(tag, png, step);
}

}  // namespace ratnet::inline v1
