// ratnet simulate lesions, and evaluate of what it planted.
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "heads.h"
#include "turned_scan.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

TEST_CASE("lesions planted in scans leave all else as it was, and are judged by their masks") {
  const Heads& h = heads();
  const Folder folder;
  const std::string scans = folder / "scans", out = folder / "planted";
  well("simulate anomaly --subjects 2 --lesioned 0 --seed 5 --slices 24 --contrast flair -o " +
       (folder / "heads.h5") + " --nifti " + scans);
  // One is stored otherwise.
  const std::string name = "/sub-head001/anat/sub-head001", ending = "_label-lesion_mask.nii.gz";
  const Volume scan = read_nifti(scans + name + "_FLAIR.nii.gz");
  write_nifti(folder / "other.nii", stored_otherwise(scan));

  const std::string plant = "simulate lesions --diameter 25 --contrast 4 ";
  CHECK(
      well(plant + scans + " -o " + out).out.find("2 scans with 1 hyperintense lesion of 25 mm") !=
      std::string::npos);
  well(plant + (folder / "other.nii") + " -o " + (folder / "turned"));
  const Volume planted = read_nifti(out + name + "_FLAIR.nii.gz"),
               mask = read_nifti(out + name + ending),
               turned = read_nifti(folder / "turned/other.nii.gz"),
               turned_mask = read_nifti(folder / ("turned/other" + ending));
  CHECK(planted.geometry.affine == scan.geometry.affine);
  CHECK(mask.geometry.affine == scan.geometry.affine);
  CHECK(turned.geometry.orientation == "IRA");
  std::size_t voxels = 0, lesion = 0, brighter = 0, unlike = 0, plain = 0;
  each_voxel(scan.geometry, [&](std::size_t here, std::size_t there) {
    const float before = scan.data.values<float>()[here],
                after = planted.data.values<float>()[here],
                inside = mask.data.values<float>()[here];
    ++voxels;
    lesion += inside == 1;
    brighter += inside == 1 && after > before;
    plain += after == before;
    unlike += turned.data.values<float>()[there] != after ||
              turned_mask.data.values<float>()[there] != inside;
  });
  CHECK(lesion > 100);
  CHECK(brighter == lesion);
  CHECK(plain > 0.98 * static_cast<double>(voxels));
  CHECK(plain < voxels - lesion);  // the rim is soft
  CHECK(unlike == 0);

  // The masks beside the scans are what they are judged by, whatever way they are stored.
  const json judged = json::parse(well("evaluate " + h.model + " " + out + " --json -").out);
  CHECK(judged.at("detection").at("lesions").at("of") == 2);
  CHECK(judged.at("detection").at("lesion_subjects").at("of") == 2);
  CHECK(judged.at("detection").at("healthy_slices").at("of") > 10);
  CHECK(judged.at("detection").at("false_alarm_rate") == 0.5);
  CHECK(judged.at("pixel_auprc") > 0.2);
  const std::string alone = "evaluate " + h.model + " " + (folder / "turned");
  CHECK(well(alone).out.find("lesions            1 of 1, half") != std::string::npos);

  // What cannot be is refused, and no scan and no mask of another's hand is written over.
  CHECK(refused(plant + scans + " -o " + scans, 2).err.find("written over") != std::string::npos);
  std::filesystem::create_directory(folder / "own");
  std::filesystem::copy(folder / "other.nii", folder / "own/sub-01_T2w.nii");
  const std::string drawn = folder / ("own/sub-01" + ending), hand = "drawn by hand";
  std::ofstream(drawn) << hand;
  for (const char* to : {"own", "own/", "own/../own"})
    CHECK(refused(plant + (folder / "own/sub-01_T2w.nii") + " -o " + (folder / to), 2)
              .err.find("written over") != std::string::npos);
  CHECK(contents(drawn) == hand);
  CHECK(files_below(folder / "own").size() == 2);
  // A mask that is named as a scan would go where the other's mask goes.
  std::filesystem::copy(folder / "other.nii", folder / "own/sub-01_label-lesion_mask.nii");
  CHECK(refused(plant + (folder / "own/sub-01_label-lesion_mask.nii") + " " +
                    (folder / "own/sub-01_T2w.nii") + " -o " + (folder / "nowhere"),
                2)
            .err.find("would both write") != std::string::npos);
  refused("simulate lesions " + scans + " -o " + out + " --kind texture", 2);
  refused("simulate lesions " + scans + " -o " + out + " --diameter 0", 2);
  refused("simulate lesions " + (folder / "heads.h5") + " -o " + out, 3);
  CHECK(refused_last("simulate lesions --diameter 60 --lesions 20 " + (folder / "other.nii") +
                         " -o " + (folder / "nowhere"),
                     3)
            .find("no room for 20 lesions of 60 mm") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "nowhere"));
  Volume odd = read_nifti(folder / ("turned/other" + ending));
  for (const float value : {2.0f, std::nanf(""), std::numeric_limits<float>::infinity()}) {
    odd.data.values<float>()[7] = value;
    write_nifti(folder / ("turned/other" + ending), odd);
    CHECK(refused_last(alone, 3).find("lesions are 1 and all else is 0") != std::string::npos);
  }
  write_nifti(folder / ("turned/other" + ending), mask);
  CHECK(refused_last(alone, 3).find("does not lie as its scan does") != std::string::npos);
}
