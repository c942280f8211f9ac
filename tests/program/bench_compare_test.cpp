// bench/compare, on files as bench/peers writes them.
#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "lab.h"

using namespace ratnet;
using namespace ratnet::test;
using Json = nlohmann::ordered_json;

namespace {

using Rounds = std::vector<double>;

Json table(const Rounds& ours, const Rounds& torch) {
  return {{"ratnet", {{"median", 0}, {"rounds", ours}}},
          {"torch_malloc", {{"median", 0}, {"rounds", torch}}}};
}

Rounds times(Rounds rounds, double factor) {
  for (double& value : rounds) value *= factor;
  return rounds;
}

const Rounds kOurs = {1000, 1010, 990, 1020, 985}, kTorch = {500, 505, 495, 510, 490};

// One network at batch 1 and 32; the second is `factor` times as fast as in another record.
Json record(double factor = 1, double machine_factor = 1) {
  return {
      {"date", "2026-01-02"},
      {"machine", {{"cpu", "a processor"}, {"cores", 2}}},
      {"versions", {{"torch", "2.0"}, {"numpy", "2.4"}}},
      {"inference",
       {{"threads", 1},
        {"relative_error", {{"torch_malloc", 5e-8}}},
        {"instruction_set", "AVX2"},
        {"slices_per_s",
         {{"1", table(times(kOurs, machine_factor), times(kTorch, machine_factor))},
          {"32", table(times(kOurs, factor * machine_factor), times(kTorch, machine_factor))}}}}}};
}

struct Compared {
  Finished finished;
  bool says(const std::string& words) const {
    return finished.out.find(words) != std::string::npos;
  }
};

bool has_python() {
  static const bool has =
      run_program({"python3", "--version"}, {.program = "/usr/bin/env"}).code == 0;
  if (!has) WARN("skipped: no Python");
  return has;
}

Compared compare_files(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"python3", RATNET_SOURCE_DIR "/bench/compare"});
  return {run_program(arguments, {.program = "/usr/bin/env"})};
}

Compared compare(const Json& before, const Json& after, std::vector<std::string> options = {}) {
  const Folder folder;
  std::ofstream(folder / "old.json") << before.dump();
  std::ofstream(folder / "new.json") << after.dump();
  options.insert(options.end(), {folder / "old.json", folder / "new.json"});
  const Compared result = compare_files(options);
  INFO(result.finished.out << result.finished.err);
  CHECK(result.finished.signal == 0);
  return result;
}

}  // namespace

TEST_CASE("a regression beyond the spread is flagged, on the same machine by rates") {
  if (!has_python()) return;
  const Compared slower = compare(record(), record(0.8));
  CHECK(slower.finished.code == 1);
  CHECK(slower.says("comparing the rates"));
  CHECK(slower.says("1 of 2 figures slower"));
  CHECK(slower.says("threads 1 / slices_per_s / 32"));
  CHECK(slower.says("-20.0 %"));

  const Compared faster = compare(record(0.8), record());
  CHECK(faster.finished.code == 0);
  CHECK(faster.says("faster"));
  // Less than the spread, less than --least, and more than a smaller one.
  CHECK(compare(record(), record(0.97)).finished.code == 0);
  Json steady = record(), steadily = record();
  steady["inference"]["slices_per_s"]["1"]["ratnet"]["rounds"] = Rounds(5, 1000);
  steadily["inference"]["slices_per_s"]["1"]["ratnet"]["rounds"] = Rounds(5, 980);
  CHECK(compare(steady, steadily).finished.code == 0);
  CHECK(compare(steady, steadily, {"--least", "0.01"}).finished.code == 1);
  // One disturbed round of five hides nothing and flags nothing.
  Json disturbed = record(0.8);
  disturbed["inference"]["slices_per_s"]["32"]["ratnet"]["rounds"][1] = 2;
  CHECK(compare(record(), disturbed).finished.code == 1);
  disturbed = record();
  disturbed["inference"]["slices_per_s"]["32"]["ratnet"]["rounds"][1] = 2;
  CHECK(compare(record(), disturbed).finished.code == 0);
  // So wide a spread says nothing of a fifth.
  Json wide = record();
  wide["inference"]["slices_per_s"]["32"]["ratnet"]["rounds"] = {700, 900, 1000, 1150, 1300};
  CHECK(compare(wide, record(0.8)).finished.code == 0);
}

TEST_CASE("between machines, ratios to the peers are compared") {
  if (!has_python()) return;
  for (const char* what : {"cpu", "instruction_set"}) {
    INFO(what);
    const auto elsewhere = [&](double factor) {
      Json made = record(factor, 0.4);
      (what == std::string("cpu") ? made["machine"] : made["inference"])[what] = "another";
      return made;
    };
    const Compared same = compare(record(), elsewhere(1));
    CHECK(same.finished.code == 0);
    CHECK(same.says("comparing ratios"));
    CHECK(same.says("over torch_malloc"));
    const Compared slower = compare(record(), elsewhere(0.8));
    CHECK(slower.finished.code == 1);
    CHECK(slower.says("1 of 2 figures slower"));
  }
  // A slow day of the same machine is a regression by rates, and none by ratios.
  const Compared slow_day = compare(record(), record(1, 0.4));
  CHECK(slow_day.finished.code == 1);
  CHECK(slow_day.says("its peers changed by -60.0 %"));
  CHECK(compare(record(), record(1, 0.4), {"--ratios"}).finished.code == 0);

  Json newer = record();
  newer["versions"]["torch"] = "3.0";
  const Compared versions = compare(record(), newer, {"--ratios"});
  CHECK(versions.finished.code == 2);
  CHECK(versions.says("not to torch_malloc, of which the versions differ"));
}

TEST_CASE("of times, more is worse") {
  if (!has_python()) return;
  // As bench/peers/run_gpu writes them.
  const auto on_gpu = [](double factor) -> Json {
    return {{"contenders", {{"ratnet", {{"description", "a GPU"}}}}},
            {"figures", {{"latency/bf16/u8", {{"us", table(times(kOurs, factor), kTorch)}}}}}};
  };
  CHECK(compare(on_gpu(1), on_gpu(1.2)).finished.code == 1);
  CHECK(compare(on_gpu(1.2), on_gpu(1)).finished.code == 0);
}

TEST_CASE("files that cannot be compared end with exit code 2") {
  if (!has_python()) return;
  Json other = record();
  other["inference"]["threads"] = 2;
  const Compared unpaired = compare(record(), other);
  CHECK(unpaired.finished.code == 2);
  CHECK(unpaired.says("only in "));
  Json short_run = record();
  for (const char* batch : {"1", "32"})
    short_run["inference"]["slices_per_s"][batch]["ratnet"]["rounds"] = {1, 1};
  CHECK(compare(record(), short_run).finished.code == 2);
  for (const Json& bad : {Json::object(), Json::array(), Json(7), Json{{"ratnet", 1}},
                          Json{{"a", table({1, 2, 0}, kTorch)}}, Json{{"a", table({}, kTorch)}}}) {
    const Compared refused = compare(record(), bad);
    CHECK(refused.finished.code == 2);
    CHECK(count_lines(refused.finished.err) == 1);
  }
  const Folder folder;
  std::ofstream(folder / "broken.json") << "{\"inference\": ";
  std::ofstream(folder / "deep.json") << std::string(200000, '[');
  std::ofstream(folder / "good.json") << record().dump();
  for (const char* bad : {"missing.json", "broken.json", "deep.json"})
    CHECK(compare_files({folder / "good.json", folder / bad}).finished.code == 2);
  CHECK(compare_files({folder / "good.json"}).finished.code == 2);
}

TEST_CASE("the results that are kept here can be compared") {
  if (!has_python()) return;
  int compared = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(RATNET_SOURCE_DIR "/bench/results")) {
    const std::string kept = entry.path().string();
    INFO(kept);
    const int code = compare_files({kept, kept}).finished.code;
    CHECK((code == 0 || code == 2));  // not all hold rounds
    if (code != 0) continue;
    ++compared;
    CHECK(compare_files({"--ratios", kept, kept}).finished.code == 0);
  }
  CHECK(compared >= 1);
}
