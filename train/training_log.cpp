#include "training_log.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../core/atomic_file.h"
#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no NaN.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace

TrainingLog::TrainingLog(const std::string& path, std::int64_t resumed_steps) : path_(path) {
  if (path_.empty()) return;
  std::string kept;
  if (resumed_steps > 0) {
    std::ifstream old(path_);
    for (std::string line; std::getline(old, line);) {
      const Json json = Json::parse(line, nullptr, false);
      if (json.is_object() && json.contains("step") && json["step"].is_number_integer() &&
          json["step"].get<std::int64_t>() <= resumed_steps)
        kept += line + "\n";
    }
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
  line(Json{{"event", "step"},
            {"step", step},
            {"epoch", epoch},
            {"loss", number(loss)},
            {"rate", number(rate)}}
           .dump());
}

void TrainingLog::epoch(const EpochRecord& record, std::int64_t step, double seconds) {
  line(Json{{"event", "epoch"},
            {"step", step},
            {"epoch", record.epoch},
            {"training_loss", number(record.training_loss)},
            {"validation_loss", number(record.validation_loss)},
            {"validation_auroc", number(record.validation_auroc)},
            {"validation_accuracy", number(record.validation_accuracy)},
            {"validation_dice", number(record.validation_dice)},
            {"seconds", number(seconds)}}
           .dump());
}

}  // namespace ratnet::inline v1
