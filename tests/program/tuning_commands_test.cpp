// --tune, of every command that has it.
#include <nlohmann/json.hpp>

#include "../../core/processor.h"
#include "heads.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

namespace {

bool has_cache() {
  if (!processor_name().empty()) return true;
  WARN("skipped: a processor without a name has no cache");
  return false;
}

// With that folder for the user's caches.
RunOptions with_caches(const std::string& folder) {
  return {.environment = {{"XDG_CACHE_HOME", folder}}};
}

}  // namespace

TEST_CASE("tuning (--tune) measures once for this user, and results then repeat") {
  if (!has_cache()) return;
  const Lab lab;
  const std::string caches = lab.folder / "caches";
  const auto tuned = [options = with_caches(caches)](const std::string& line) {
    return well(line + " --tune", options);
  };

  const std::string look = "inspect " + lab.model + " --plan";
  well(look, with_caches(caches));
  CHECK_FALSE(std::filesystem::exists(caches));
  const Finished first = tuned(look);
  CHECK(first.out.find("; measured") != std::string::npos);
  CHECK(first.err.find("tuning: 0 problems known, ") == 0);
  const auto files = files_below(caches);
  REQUIRE(files.size() == 1);
  CHECK(files[0].find("ratnet/tuning-") == 0);
  const Finished again = tuned(look);
  CHECK(again.out == first.out);
  CHECK(again.err.find(", 0 measured in 0.0 s") != std::string::npos);
  CHECK(json::parse(tuned(look + " --json").out).at("plan").at("steps").size() > 0);

  std::ofstream(caches + "/" + files[0]) << "damaged";
  CHECK(tuned(look).err.find("(ignored: ") != std::string::npos);
  CHECK(tuned(look).err.find("ignored") == std::string::npos);

  const auto predict = [&](const std::string& name, const std::string& options) {
    const std::string to = lab.folder / name;
    tuned("predict " + lab.model + " " + lab.cohort + " -o " + to + options);
    std::string tables;
    for (const std::string& file : files_below(to)) tables += contents(to + "/" + file);
    return tables;
  };
  CHECK(predict("one", " --threads 1") == predict("two", " --threads 2"));

  const std::string train = "train dark-slices " + lab.cohort + " --epochs 1 --batch 16 -o ";
  tuned(train + (lab.folder / "a.safetensors"));
  tuned(train + (lab.folder / "b.safetensors"));
  CHECK(contents(lab.folder / "a.safetensors") == contents(lab.folder / "b.safetensors"));
  const json rates =
      json::parse(tuned("bench " + lab.model + " --batch 1 --seconds 0.02 --json -").out);
  CHECK(rates.at(0).at("tuned") == true);
}

TEST_CASE("every command that takes --tune measures") {
  if (!has_cache()) return;
  const Lab lab;
  const Heads& h = heads();
  const std::string scan = h.scans + "/sub-head001/anat/sub-head001_FLAIR.nii.gz";
  const std::string lines[] = {
      "inspect " + lab.model + " --plan",
      "bench " + lab.model + " --batch 1 --seconds 0.02",
      "bench " + lab.model + " --layers --rounds 1",
      "predict " + lab.model + " " + lab.cohort + " -o " + (lab.folder / "predicted"),
      "evaluate " + lab.model + " " + lab.cohort,
      "train dark-slices " + lab.cohort + " --epochs 1 -o " + (lab.folder / "tuned.safetensors"),
      "score " + h.model + " " + scan + " -o " + (lab.folder / "scored"),
      "evaluate " + h.model + " " + h.cohort};
  int n = 0;
  for (const std::string& line : lines) {
    INFO(line);
    const std::string caches = lab.folder / ("caches-" + std::to_string(n++));
    well(line + " --tune", with_caches(caches));
    CHECK(std::filesystem::exists(caches));
  }
}
