// What evaluate and predict say that a graph's model cannot be used for.
#include "graph_evaluations.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

TEST_CASE("evaluate and predict say in a line what a graph's model cannot be used for") {
  const GraphFiles files;
  const std::string classes = files.train("classes", kClassifyHead, files.split, "--epochs 1");
  const std::string masks = files.train("masks", kSegmentHead, files.split, "--epochs 1");
  const auto fails = [&](const std::string& line, int code, const std::string& part) {
    const std::string err = refused(line, code).err;
    INFO(line << "\n" << err);
    CHECK(err.find(part) != std::string::npos);
  };
  const std::string bare = files.path("bare.h5"), large = files.path("large.h5"),
                    unlabelled = files.path("unlabelled.h5"), many = files.path("many.h5"),
                    none = files.path("none.h5"), half = files.path("half.h5");
  const std::vector<std::uint8_t> some(files.images.begin(), files.images.begin() + 4 * kPixels);
  const auto write = [&](const std::string& path, const std::vector<std::uint8_t>& labels) {
    Hdf5File file(path);
    file.dataset("images", {4, kSide, kSide}, some);
    if (!labels.empty()) file.dataset("labels", {4}, labels);
  };
  write(bare, {});
  write(unlabelled, {255, 255, 255, 255});
  write(many, {0, 1, 2, 3});
  Hdf5File(large).dataset("images", {4, 32, 8}, some);
  Hdf5File(none).dataset("images", {0, kSide, kSide}, std::vector<std::uint8_t>());
  {
    const hid_t f16 = H5Tcopy(H5T_IEEE_F32LE);  // 1 + 5 + 10 bits
    H5Tset_fields(f16, 15, 10, 5, 0, 10);
    H5Tset_ebias(f16, 15);
    H5Tset_size(f16, 2);
    Hdf5File(half).dataset("images", {4, kSide, kSide}, std::vector<float>(4 * kPixels, 0.5f), f16);
    H5Tclose(f16);
  }

  const std::string evaluate = "evaluate " + classes + " ", out = " -o " + files.path("out");
  fails(evaluate + bare, 3, "no 'labels'");
  fails("evaluate " + masks + " " + bare, 3, "no 'masks'");
  fails(evaluate + unlabelled, 3, "label");
  fails(evaluate + many, 3, "label 3");
  fails(evaluate + large, 3, "[32, 8, 1]");
  fails(evaluate + none, 3, "no images");
  fails(evaluate + bare + " --split test", 3, "--split all");
  fails(evaluate + files.split + " --split best", 2, "unknown split");
  fails(evaluate + files.split + " " + files.whole, 2, "one HDF5 file");
  fails(evaluate + "scan.nii", 2, "one HDF5 file");
  fails(evaluate + files.split + " --spacing 1,1", 2, "--spacing");
  for (const char* spacing : {"0,1", "1,-1", "1e-4,1", "1,1e4", "nan,1", "1,inf"})
    fails("evaluate " + masks + " " + files.split + " --spacing " + spacing, 2,
          "expected 0.001 to 1000 mm");
  fails("evaluate " + masks + " " + files.split + " --against " + classes, 2, "--against");
  fails("evaluate " + masks + " " + files.split + " --reliability x.png", 2, "--reliability");
  fails(evaluate + files.split + " --brain-level 3", 2, "--brain-level");
  fails(evaluate + files.split + " --healthy " + bare, 2, "--healthy");
  fails(evaluate + files.split + " --flip-rows", 2, "--flip-rows");
  fails(evaluate + files.split + " --against " + files.path("nowhere.safetensors"), 5, "nowhere");

  const std::string predict = "predict " + classes + " ";
  fails(predict + large + out, 3, "[32, 8, 1]");
  fails(predict + none + out, 3, "no images");
  fails(predict + files.path("scan.nii.gz") + out, 3, "no HDF5 file");
  fails(predict + bare + out + " --probabilities", 2, "--probabilities");
  fails(predict + bare + out + " --brain-level 3", 2, "--brain-level");
  fails("predict " + bare + out + " --probabilities", 2, "--probabilities");
  CHECK_FALSE(std::filesystem::exists(files.path("out")));
  // No labels are no hindrance, nor are halves, which are read as f32 and said to be other pixels.
  well(predict + bare + out);
  CHECK(well(predict + half + out).out.find("trained on u8 pixels, these are f32") !=
        std::string::npos);

  if (const std::string dark = RATNET_SOURCE_DIR "/models/ratnet.safetensors";
      std::filesystem::exists(dark))
    fails(evaluate + files.split + " --against " + dark, 3, "is a model of dark_slices");
  // A model whose record of its losses is gone.
  std::string bytes = contents(classes);
  bytes.replace(bytes.find("losses"), 6, "lossez");
  std::ofstream(files.path("forgot.safetensors"), std::ios::binary) << bytes;
  fails("evaluate " + files.path("forgot.safetensors") + " " + files.split, 3, "forgot");
}

TEST_CASE("classes of other names are not judged") {
  const GraphFiles files;
  const std::string model = files.train("classes", kClassifyHead, files.split, "--epochs 1");
  const std::string swapped = files.path("swapped.h5");
  {
    Hdf5File file(swapped);
    file.dataset("images", {files.n, kSide, kSide}, files.images);
    file.dataset("labels", {files.n}, files.labels);
    file.dataset("split", {files.n}, files.splits);
    std::vector<std::int32_t> subjects(files.n);
    for (std::size_t i = 0; i < files.n; ++i) subjects[i] = static_cast<std::int32_t>(i / 6);
    file.dataset("subject", {files.n}, subjects);
    file.strings("class_names", {"none", "bright", "grey"}, true);
  }
  const std::string other = files.train("other", kClassifyHead, swapped, "--epochs 1");
  for (const std::string& line :
       {model + " " + swapped, model + " " + files.split + " --against " + other}) {
    const std::string err = refused("evaluate " + line, 3).err;
    INFO(err);
    CHECK(err.find("'none', 'bright', 'grey'") != std::string::npos);
    CHECK(err.find("'none', 'grey', 'bright'") != std::string::npos);
    CHECK(count_lines(err) == 1);
  }
}
