#include "../../apps/program/inputs.h"

#include <filesystem>
#include <fstream>

#include "../../apps/program/output.h"
#include "../catch.h"
#include "../network/refused.h"
#include "run_program.h"

using namespace ratnet;
using namespace ratnet::test;
using ratnet::testing::refused;

namespace {

void touch(const std::string& path) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << "x";
}

}  // namespace

TEST_CASE("scans and slices are found in folders; masks and results only by name") {
  const Folder folder;
  for (const char* name :
       {"b.h5", "sub-01/anat/sub-01_FLAIR.nii.gz", "sub-01/anat/sub-01_label-lesion_mask.nii.gz",
        "a.nii", "a_mask.nii", "pair.hdr", "pair.img", "notes.txt", "scores.h5",
        "sub-01/sub-01_FLAIR_desc-anomaly_map.nii.gz"})
    touch(folder / name);
  std::vector<std::string> names;
  for (const Input& input : find_inputs({folder.path()})) {
    CHECK(input.from_folder);
    names.push_back(input.subfolder + ": " + base_of(input.path));
  }
  CHECK(names == std::vector<std::string>{".: a", ".: b", ".: pair", "sub-01/anat: sub-01_FLAIR"});
  const std::vector<Input> named = find_inputs({folder / "a_mask.nii", folder / "scores.h5"});
  REQUIRE(named.size() == 2);
  CHECK_FALSE(named[0].from_folder);
  // Of the folder, those of one ending; what is named itself is taken.
  std::vector<std::string> chosen;
  for (const Input& input : find_inputs({folder.path(), folder / "a_mask.nii"}, "FLAIR"))
    chosen.push_back(base_of(input.path));
  CHECK(chosen == std::vector<std::string>{"sub-01_FLAIR", "a_mask"});
  CHECK(find_inputs({folder.path()}, "b").size() == 1);
  CHECK(refused(ErrorKind::input, "file named LAIR or ..._LAIR",
                [&] { find_inputs({folder.path()}, "LAIR"); }) == "");
  const std::string file = folder / "a.nii";
  CHECK(refused(ErrorKind::usage, "--suffix", [&] { check_suffix("a", {file}); }) == "");
  check_suffix("a", {file, folder.path()});
  check_suffix("", {file});
  const Folder masks;
  touch(masks / "sub-01_mask.nii.gz");
  CHECK(refused(ErrorKind::input, "but masks", [&] { find_inputs({masks.path()}); }) == "");
}

TEST_CASE("names of files say who is in them") {
  CHECK(base_of("a/sub-01_task-rest_bold.nii.gz") == "sub-01_task-rest_bold");
  CHECK(stem_of("a/sub-01_task-rest_bold.nii.gz") == "sub-01_task-rest");
  CHECK(stem_of("a/run_3.nii") == "run_3");
  CHECK(suffix_of("a/sub-01_task-rest_bold.nii.gz") == "bold");
  CHECK(suffix_of("a/sub-01_task-rest.nii.gz") == "sub-01_task-rest");
  CHECK(suffix_of("a/run_3.nii") == "run_3");
  CHECK(subject_of({"a/sub-01_ses-2_FLAIR.nii.gz", "sub-07/ses-2"}) == "sub-01");
  CHECK(subject_of({"sub-02.nii", ""}) == "sub-02");
  CHECK(subject_of({"a/sub-03/ses-1/flair.nii", "sub-03/ses-1"}) == "sub-03");
  CHECK(stated_subject({"sub-03/ses-1/flair.nii", "ses-1"}) == "");
  CHECK(subject_of({"a/run_3.nii", "."}) == "run_3");
}

TEST_CASE("inputs whose results would meet are refused") {
  const std::vector<Input> inputs = {{"a/x.nii", ""}, {"b/x.nii", ""}, {"c/y.nii", ""}};
  CHECK_NOTHROW(check_distinct(inputs, std::vector<std::string>{"1", "2", "3"}));
  CHECK(refused(ErrorKind::usage, "a/x.nii and c/y.nii would both write 1", [&] {
          check_distinct(inputs, std::vector<std::string>{"1", "2", "1"});
        }) == "");
}

TEST_CASE("one unusable input among several does not end the others' work") {
  const auto unusable = [] { fail(ErrorKind::input, "x.nii: is empty"); };
  UnusableInputs alone(1);
  CHECK(refused(ErrorKind::input, "x.nii", [&] { alone.try_one(unusable); }) == "");
  UnusableInputs several(3);
  CHECK(refused(ErrorKind::usage, "wrong",
                [&] { several.try_one([] { fail(ErrorKind::usage, "wrong"); }); }) == "");
  int used = 0;
  several.try_one([&] { ++used; });
  CHECK_NOTHROW(several.throw_if_any());
  several.try_one(unusable);
  several.try_one([&] { ++used; });
  CHECK(used == 2);
  CHECK(refused(ErrorKind::input, "1 of 3 files could not be used; the first: x.nii",
                [&] { several.throw_if_any(); }) == "");
}

TEST_CASE("staged files come to their places together or not at all") {
  const Folder folder;
  {
    StagedFiles files(folder.path());
    files.add(folder / "a.html", "a");
    CHECK(files.holds(folder / "a.html"));
    CHECK_FALSE(std::filesystem::exists(folder / "a.html"));
  }
  CHECK(std::filesystem::is_empty(folder.path()));
  {
    StagedFiles files(folder.path());
    for (const char* name : {"a.html", "b.html", "sub/c.html"}) files.add(folder / name, name);
    files.keep(1);
    CHECK_FALSE(files.holds(folder / "b.html"));
    files.add(folder / "sub/d.html", "d");
    files.commit();
  }
  CHECK(files_below(folder.path()) == std::vector<std::string>{"a.html", "sub/d.html"});
  CHECK(contents(folder / "sub/d.html") == "d");
}
