#include "../../apps/program/tsv.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include <nlohmann/json.hpp>

#include "../../core/error.h"
#include "../catch.h"
#include "run_program.h"

using namespace ratnet;

namespace {

const std::vector<TsvColumn> kColumns{
    {.name = "volume", .description = "Index of the volume, from 0"},
    {.name = "onset", .description = "Time since the first volume", .units = "s"},
    {.name = "class",
     .description = "What it is called",
     .levels = {{"good", "fine"}, {"dark", "lost signal"}}}};

}  // namespace

TEST_CASE("cells as BIDS wants them") {
  CHECK(tsv_text({}) == "n/a");
  CHECK(tsv_text(std::nan("")) == "n/a");
  CHECK(tsv_text(std::string()) == "n/a");
  CHECK(tsv_text(std::string("a\tb\nc\r")) == "a b c ");
  CHECK(tsv_text(0.1f) == "0.1");
  CHECK(tsv_text(0.1) == "0.1");
  CHECK(tsv_text(1.0 / 3) == "0.3333333333333333");
  CHECK(tsv_text(std::int64_t{-42}) == "-42");
  CHECK(tsv_text(true) == "true");
  CHECK(tsv_text(-std::numeric_limits<float>::infinity()) == "-inf");
}

TEST_CASE("a table is whole or absent") {
  const test::Folder folder;
  const std::string path = folder / "run.tsv";
  {
    TsvFile file(path, kColumns);
    file.row(std::vector<TsvValue>{std::int64_t{0}, 0.0, std::string("good")});
  }
  CHECK(std::filesystem::is_empty(folder.path()));
  TsvFile file(path, kColumns);
  std::string expected = "volume\tonset\tclass\n";
  for (int i = 0; i < 20000; ++i) {  // more than one buffer
    file.row(std::vector<TsvValue>{std::int64_t{i}, i * 2.5, {}});
    expected += std::to_string(i) + "\t" + tsv_text(i * 2.5) + "\tn/a\n";
  }
  CHECK_THROWS_AS(file.row(std::vector<TsvValue>{std::int64_t{1}}), Error);
  file.commit();
  CHECK(read_file(path, 1 << 24) == expected);
  CHECK_THROWS_AS(TsvFile(folder / "none/run.tsv", kColumns), Error);
  CHECK_THROWS_AS(TsvFile(path, std::span<const TsvColumn>()), Error);
}

TEST_CASE("the sidecar explains the columns") {
  const std::vector<std::pair<std::string, TsvValue>> facts{
      {"Threshold", 0.43f},
      {"Slices", std::int64_t{1050}},
      {"Level", std::nan("")},
      {"Stretched", false},
      {"Source", std::string("bad \xff name")},
      {"RepetitionTime", TsvValue{}}};
  const auto json = nlohmann::json::parse(tsv_sidecar(kColumns, facts));
  CHECK(json["Threshold"] == 0.43);
  CHECK(json["Slices"] == 1050);
  CHECK(json["Level"] == "n/a");
  CHECK(json["Stretched"] == false);
  CHECK(json["Source"] == "bad \xEF\xBF\xBD name");
  CHECK(json["RepetitionTime"] == "n/a");
  CHECK(json["onset"]["Units"] == "s");
  CHECK_FALSE(json["volume"].contains("Units"));
  CHECK(json["class"]["Levels"]["dark"] == "lost signal");
  CHECK(json["class"]["Description"] == "What it is called");
}
