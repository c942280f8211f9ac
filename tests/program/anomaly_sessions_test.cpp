// Several scans of one subject, from training to pages.
#include <map>

#include "../../imaging/nifti.h"
#include "heads.h"
#include "rewritten_slices.h"

using namespace ratnet;
using namespace ratnet::test;

namespace {

std::string scan(int head) {
  const std::string name = "sub-head00" + std::to_string(head);
  return heads().scans + "/" + name + "/anat/" + name + "_FLAIR.nii.gz";
}

// A folder into which heads' scans are put under names of its own.
struct Study : Folder {
  void put(int head, const std::string& as) const {
    const std::filesystem::path to = *this / as;
    std::filesystem::create_directories(to.parent_path());
    std::filesystem::copy(scan(head), to);
  }
};

// Five scans of three subjects; two name no subject but by their folders.
struct Sessions : Study {
  Sessions() {
    put(1, "sub-01/ses-1/sub-01_ses-1_FLAIR.nii.gz");
    put(2, "sub-01/ses-2/sub-01_ses-2_run-1_FLAIR.nii.gz");
    put(3, "sub-02/ses-1/FLAIR.nii.gz");
    put(4, "sub-02/ses-2/FLAIR.nii.gz");
    put(5, "sub-03_FLAIR.nii.gz");
  }
};

}  // namespace

TEST_CASE("sessions of a subject are never parted and have a row each") {
  const Sessions folder;
  const std::string model = folder / "model.safetensors", out = folder / "out";
  const Finished trained = well("train anomaly " + folder.path() + " --epochs 1 -o " + model);
  CHECK((trained.out + trained.err)
            .find("subjects: 1 (2 scans) to train on, 2 (3 scans) to calibrate, 0 to test") !=
        std::string::npos);
  // Of three, one trains; the two others calibrate.
  CHECK(well("inspect " + model + " --json").out.find("\"training_subjects\": \"1\"") !=
        std::string::npos);
  CHECK(trained.out.find("1 in 3") != std::string::npos);

  const Finished scored = well("score " + model + " " + folder.path() + " -o " + out);
  CHECK(scored.out.find("5 scans of 3 subjects") != std::string::npos);
  const std::string table = contents(out + "/subjects.tsv");
  for (const char* row :
       {"\nsub-01_ses-1_FLAIR\tsub-01/ses-1/", "\nsub-01_ses-2_run-1_FLAIR\tsub-01/ses-2/",
        "\nsub-02/ses-1/FLAIR\t", "\nsub-02/ses-2/FLAIR\t", "\nsub-03_FLAIR\t"})
    CHECK(table.find(row) != std::string::npos);
  CHECK(contents(out + "/index.html").find("<bdi>sub-02/ses-2/FLAIR</bdi>") != std::string::npos);
  CHECK(std::filesystem::exists(out + "/sub-02/ses-2/FLAIR_desc-anomaly_map.nii.gz"));
}

TEST_CASE("of a folder of several kinds of scans one is chosen") {
  const Heads& h = heads();
  const Sessions folder;
  const std::string model = folder / "model.safetensors", out = folder / "out";
  const std::string train = "train anomaly " + folder.path() + " --epochs 1 -o " + model;
  folder.put(6, "sub-01/ses-1/sub-01_ses-1_T1w.nii.gz");
  CHECK(refused(train, 3).err.find("--suffix T1w") != std::string::npos);
  CHECK(well(train + " --suffix FLAIR").out.find("1 in 3") != std::string::npos);
  well("score " + model + " " + folder.path() + " --suffix T1w --no-pages -o " + out + "-t1");
  CHECK(count_lines(contents(out + "-t1/subjects.tsv")) == 2);
  CHECK(refused("evaluate " + model + " " + folder.path(), 3).err.find("--suffix") !=
        std::string::npos);
  const std::string evaluate = "evaluate " + model + " " + folder.path() + " --suffix FLAIR";
  CHECK(refused_last(evaluate, 3).find("--split all") != std::string::npos);
  CHECK(refused_last(evaluate + " --split all", 3).find("tells of nobody") != std::string::npos);
  Volume none = read_nifti(scan(5));
  std::ranges::fill(none.data.values<float>(), 0.0f);
  write_nifti(folder / "sub-03_label-lesion_mask.nii.gz", none);
  CHECK(well(evaluate + " --split all").out.find("3 patients") != std::string::npos);
  // One scan is judged beside the folder that the model was trained on.
  well("evaluate " + model + " " + (folder / "sub-03_FLAIR.nii.gz") + " --suffix FLAIR --healthy " +
       folder.path());
  refused("score " + model + " " + scan(1) + " --suffix FLAIR -o " + out, 2);
  refused("train anomaly " + h.cohort + " --suffix FLAIR -o " + model, 2);
  refused("evaluate " + model + " " + h.cohort + " --suffix FLAIR", 2);
}

TEST_CASE("scans whose names do not tell whose they are train no model, and are scored") {
  const Heads& h = heads();
  const Sessions folder;
  folder.put(7, "p1/FLAIR.nii.gz");
  folder.put(8, "p2/FLAIR.nii.gz");
  CHECK(refused("train anomaly " + folder.path() + " -o " + (folder / "model.safetensors"), 3)
            .err.find("do not tell whose they are") != std::string::npos);
  CHECK(well("score " + h.model + " " + folder.path() + " --no-pages -o " + (folder / "out"))
            .out.find("7 scans of 5 subjects") != std::string::npos);
}

TEST_CASE("kinds of scans that are mixed are warned of, as far as BIDS names tell") {
  const Study folder;
  folder.put(1, "sub-01_FLAIR.nii.gz");
  folder.put(2, "sub-02_FLAIR.nii.gz");
  folder.put(3, "sub-03/s03_FLAIR.nii.gz");
  folder.put(4, "sub-04/s04_FLAIR.nii.gz");
  const std::string train =
      "train anomaly " + folder.path() + " --epochs 1 -o " + (folder / "model.safetensors");
  CHECK(well(train).err.find("kinds") == std::string::npos);
  folder.put(5, "sub-05_T2w.nii.gz");
  CHECK(well(train).err.find(folder.path() + ": scans of several kinds, and a model is of one: "
                                             "FLAIR (2), T2w (1); --suffix FLAIR takes") !=
        std::string::npos);
}

TEST_CASE("sessions in a file of slices are scans of their own") {
  const Heads& h = heads();
  const std::string path = h.folder / "sessions.h5", out = h.folder / "file-sessions";
  rewrite(h.cohort, path, [](Tensor&, SampleTable& table) {
    // Heads 1 and 2 are one subject's, and so on.
    std::map<std::string, std::size_t> places;
    for (std::string& name : table.subjects) {
      const std::size_t i = places.try_emplace(name, places.size()).first->second;
      name = "p" + std::to_string(i / 2);
      table.sessions.push_back(std::to_string(i % 2));
    }
    table.splits.clear();
    table.labels.clear();
  });
  CHECK(well("score " + h.model + " " + path + " --no-pages -o " + out)
            .out.find("8 scans of 4 subjects") != std::string::npos);
  CHECK(contents(out + "/subjects.tsv").find("\np3_ses-1\t") != std::string::npos);
  // The same scans under other names.
  well("score " + h.model + " " + h.cohort + " --no-pages -o " + out + "-before");
  CHECK(contents(out + "/scores.h5") == contents(out + "-before/scores.h5"));
  const Finished trained =
      well("train anomaly " + path + " --epochs 1 -o " + (h.folder / "s.safetensors"));
  CHECK((trained.out + trained.err)
            .find("subjects: 2 (4 scans) to train on, 1 (2 scans) to calibrate, 1 (2 scans) to "
                  "test") != std::string::npos);
}
