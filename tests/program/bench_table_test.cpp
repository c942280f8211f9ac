// bench/table, on files as bench/peers/run writes them, and the README's own table.
#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include "lab.h"

using namespace ratnet;
using namespace ratnet::test;
using Json = nlohmann::ordered_json;

namespace {

Json cell(double median, double ratio) {
  return {{"median", median},
          {"rounds", {median}},
          {"ratio", ratio},
          {"ratio_range", {ratio - 0.25, ratio + 0.25}}};
}

// The fastest peer differs from batch to batch, and so does the order of the names.
Json record() {
  const Json one = {{"ratnet", {{"median", 4000}, {"rounds", {4000}}}},
                    {"torch_malloc", cell(1000, 4)},
                    {"onnxruntime", cell(2000, 2)}};
  const Json many = {{"ratnet", {{"median", 5000}, {"rounds", {5000}}}},
                     {"onnxruntime", cell(2000, 2.5)},
                     {"torch_malloc", cell(4000, 1.25)}};
  return {
      {"date", "2026-01-02"},
      {"machine", {{"cpu", "a processor"}, {"cores", 2}}},
      {"versions", {{"torch", "2.0"}, {"onnxruntime", "1.0"}}},
      {"inference_ratnet",
       {{"threads", 1},
        {"instruction_set", "AVX2"},
        {"relative_error", {{"ratnet", 3e-6}, {"torch_malloc", 9e-6}}},
        {"samples_per_cpu_s", {{"1", one}, {"32", many}}}}},
      {"layers",
       {{"threads", 1},
        {"instruction_set", "AVX2"},
        {"relative_error",
         {{"conv 3x3, 8>16",
           {{"forward", {{"ratnet", 2e-6}}}, {"weights", {{"torch", 8e-6}, {"ratnet", 3.4e-6}}}}}}},
        {"gflop_per_cpu_s",
         {{"conv 3x3, 8>16", {{"forward", one}, {"data", many}, {"weights", one}}}}}}}};
}

struct Page {
  Folder folder;
  Page() {
    std::ofstream(folder / "README.md") << "Before.\n<!-- speeds: none.json -->\nold\n"
                                           "<!-- end of speeds -->\nAfter.\n";
    std::ofstream(folder / "r.json") << record().dump();
  }
  Finished table(const std::vector<std::string>& results) const {
    std::vector<std::string> words = {"python3", RATNET_SOURCE_DIR "/bench/table"};
    words.insert(words.end(), results.begin(), results.end());
    words.insert(words.end(), {"--readme", folder / "README.md"});
    return run_program(words, {.program = "/usr/bin/env"});
  }
  std::string text() const { return contents(folder / "README.md"); }
  // Wherever its lines end.
  bool says(const std::string& words) const {
    std::string line = text();
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line.find(words) != std::string::npos;
  }
};

bool has_python() {
  static const bool has =
      run_program({"python3", "--version"}, {.program = "/usr/bin/env"}).code == 0;
  if (!has) WARN("skipped: no Python");
  return has;
}

}  // namespace

TEST_CASE("the table of speeds names the fastest peer of every row") {
  if (!has_python()) return;
  const Page readme;
  CHECK(readme.table({readme.folder / "r.json"}).code == 0);
  INFO(readme.text());
  CHECK(readme.says("Before. <!-- speeds: r.json --> a processor, AVX2, 1 thread, 2026-01-02"));
  CHECK(readme.says("<!-- end of speeds --> After. "));
  CHECK(!readme.says("old"));
  CHECK(
      readme.says("| RatNet, 64 x 64, inference, batch 1 | 4,000 | 2,000 (ONNX Runtime) | 2.00 "
                  "(1.75 to 2.25) |"));
  CHECK(readme.says("batch 32 | 5,000 | 4,000 (PyTorch) | 1.25 (1.00 to 1.50) |"));
  CHECK(readme.says(
      "| conv 3x3, 8 to 16 channels | 4,000, 2.00 (ONNX Runtime) | 5,000, 1.25 (PyTorch) "
      "| 4,000, 2.00 (ONNX Runtime) |"));
  CHECK(readme.says("within 4e-06 of double precision"));
}

TEST_CASE("a table that does not say what its file holds is found") {
  if (!has_python()) return;
  const Page readme;
  REQUIRE(readme.table({readme.folder / "r.json"}).code == 0);
  CHECK(readme.table({}).code == 0);
  std::string edited = readme.text();
  edited.replace(edited.find("5,000 |"), 5, "6,000");
  std::ofstream(readme.folder / "README.md") << edited;
  CHECK(readme.table({}).code == 1);
  REQUIRE(readme.table({readme.folder / "r.json"}).code == 0);
  Json newer = record();
  newer["inference_ratnet"]["samples_per_cpu_s"]["1"]["ratnet"]["median"] = 4001;
  std::ofstream(readme.folder / "r.json") << newer.dump();
  CHECK(readme.table({}).code == 1);
}

TEST_CASE("a table without its place or its file ends with exit code 2 and one line") {
  if (!has_python()) return;
  const Page readme;
  const std::string page = readme.text();
  Json mixed = record();
  mixed["training_ratnet"] = mixed["inference_ratnet"];
  mixed["training_ratnet"]["threads"] = 2;
  Json mixed_layers = record();
  mixed_layers["layers"]["instruction_set"] = "AVX3";
  for (const std::string& bad : {std::string("{"), std::string("[]"), std::string("{}"),
                                 mixed.dump(), mixed_layers.dump()}) {
    INFO(bad);
    std::ofstream(readme.folder / "bad.json") << bad;
    const Finished refused = readme.table({readme.folder / "bad.json"});
    CHECK(refused.code == 2);
    CHECK(count_lines(refused.err) == 1);
  }
  CHECK(readme.table({readme.folder / "missing.json"}).code == 2);
  CHECK(readme.text() == page);
  std::ofstream(readme.folder / "README.md") << "No place.\n";
  CHECK(readme.table({readme.folder / "r.json"}).code == 2);
}

TEST_CASE("the README's speeds are those of its file of results") {
  if (!has_python()) return;
  const Finished checked =
      run_program({"python3", RATNET_SOURCE_DIR "/bench/table"}, {.program = "/usr/bin/env"});
  INFO(checked.err);
  CHECK(checked.code == 0);
}
