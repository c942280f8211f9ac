// Scans that a model of anomalies has learnt from.
#include <algorithm>
#include <map>
#include <sstream>

#include "../../network/model.h"
#include "heads.h"
#include "turned_scan.h"

using namespace ratnet;
using namespace ratnet::test;

TEST_CASE("scans that the model has learnt from are told, whatever they are called") {
  const Heads& h = heads();
  const Folder folder;
  // The scans with slices that the model knows, and all others.
  const auto scored = [&](const std::string& what) {
    const std::string out = folder / "scores";
    const Finished said = well("score " + what + " -o " + out);
    std::map<std::string, std::string> learnt;  // the last column, by name
    std::istringstream rows(contents(out + "/subjects.tsv"));
    for (std::string row; std::getline(rows, row);)
      learnt[row.substr(0, row.find('\t'))] = row.substr(row.rfind('\t') + 1);
    CHECK(learnt.at("subject") == "learnt_slices");
    learnt.erase("subject");
    const std::size_t at = said.out.find("warning: the model learnt from");
    const std::string warning =
        at == std::string::npos ? "" : said.out.substr(at, said.out.find('\n', at) - at);
    CHECK((contents(out + "/index.html").find("slices of 4 of 8") != std::string::npos) ==
          (warning.find("slices of 4 of 8") != std::string::npos));
    return std::pair(learnt, warning);
  };
  const auto [by_head, warning] = scored(h.model + " " + h.cohort);
  REQUIRE(by_head.size() == 8);
  std::string seen, unseen;
  for (const auto& [name, learnt] : by_head) (learnt == "0" ? unseen : seen) = name;
  // Of eight, four are for testing.
  CHECK(std::ranges::count(by_head, "0", [](const auto& row) { return row.second; }) == 4);
  CHECK(std::stoi(by_head.at(seen)) > 3);
  CHECK(warning.find("slices of 4 of 8 subjects (") != std::string::npos);
  CHECK(warning.find(" and 1 more): what it says of them is flattered") != std::string::npos);

  // The same pixels as a scan of another name and orientation.
  const auto file_of = [&](const std::string& head) {
    return h.scans + "/sub-" + head + "/anat/sub-" + head + "_FLAIR.nii.gz";
  };
  const std::string scans = folder / "scans";
  std::filesystem::create_directory(scans);
  write_nifti(scans + "/known.nii", stored_otherwise(read_nifti(file_of(seen))));
  std::filesystem::copy(file_of(unseen), scans + "/new.nii.gz");
  const auto [by_file, other] = scored(h.model + " " + scans);
  CHECK(by_file.at("known") == by_head.at(seen));
  CHECK(by_file.at("new") == "0");
  CHECK(other.find("slices of 1 of 2 subjects (known): what it says of it is flattered") !=
        std::string::npos);
  CHECK(contents(folder / "scores/known.html").find("of this scan") != std::string::npos);
  CHECK(contents(folder / "scores/new.html").find("flattered") == std::string::npos);

  // A copy with a lesion is known by its other slices.
  well("simulate lesions --diameter 20 " + scans + "/known.nii -o " + (folder / "planted"));
  const std::string evaluate = "evaluate " + h.model + " " + (folder / "planted");
  CHECK(well(evaluate).out.find("flattered") != std::string::npos);

  // A model of before it told its slices.
  const std::string old = folder / "old.safetensors";
  Model model = load_model(h.model);
  REQUIRE(model.coefficients.erase("learnt_slices") == 1);
  save_model(model, old);
  const auto [by_old, silence] = scored(old + " " + scans);
  CHECK(by_old.at("known") == "n/a");
  CHECK(silence.empty());
}
