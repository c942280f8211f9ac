// On which samples evaluate judges, what a model knows of them, and of how many subjects they are.
#include "graph_evaluations.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

TEST_CASE("a model whose training made the splits is judged on the same test samples") {
  const GraphFiles files;
  const std::string model = files.train("classes", kClassifyHead, files.whole);
  const json e = evaluated(files, model + " " + files.whole);
  check_same_figures(e, model);
  CHECK(e.at("warnings").empty());
  CHECK(e.at("samples") < static_cast<int>(files.n));
  CHECK(says(e.at("notes"), "the one that the model's training made is taken"));
}

TEST_CASE("evaluate says where a model learnt from what it is judged on") {
  const GraphFiles files;
  const std::string model = files.train("classes", kClassifyHead, files.split, "--epochs 1");
  const std::size_t learnt = files.n - files.test_rows().size();
  const auto warnings = [&](const std::string& more) {
    return evaluated(files, model + " " + more).at("warnings");
  };
  CHECK(warnings(files.split + " --split test").empty());
  for (const std::string& more : {files.split + " --split all", files.whole + " --split all"})
    CHECK(says(warnings(more),
               "learnt from, or was validated on, " + std::to_string(learnt) + " of the images"));
  // Images of a subject that it knows by others.
  std::vector<std::uint8_t> some(files.images.begin(), files.images.begin() + 8 * kPixels);
  for (std::size_t i = 4 * kPixels; i < some.size(); ++i) some[i] ^= 1;
  {
    Hdf5File file(files.path("some.h5"));
    file.dataset("images", {8, kSide, kSide}, some);
    file.dataset("labels", {8}, std::vector<std::uint8_t>{0, 1, 2, 0, 1, 2, 0, 1});
    file.dataset("subject", {8}, std::vector<std::int32_t>{0, 0, 0, 0, 0, 0, 9, 9});
  }
  CHECK(says(warnings(files.path("some.h5")),
             "4 of the images judged and other images of the subjects of 2 more"));
}

TEST_CASE("intervals say of how many subjects they are, and one subject has none") {
  const GraphFiles files;
  const std::string classes = files.train("classes", kClassifyHead, files.split, "--epochs 1");
  const std::string masks = files.train("masks", kSegmentHead, files.split, "--epochs 5");
  // The last samples, as if of so many subjects; none: of nobody.
  const auto of = [&](std::int32_t subjects) {
    constexpr std::size_t n = 24, first = GraphFiles::n - n;
    const std::string path = files.path("of" + std::to_string(subjects) + ".h5");
    Hdf5File file(path);
    const auto from = static_cast<std::ptrdiff_t>(first * kPixels);
    const auto tail = [&](const std::vector<std::uint8_t>& all) {
      return std::vector<std::uint8_t>(all.begin() + from, all.end());
    };
    file.dataset("images", {n, kSide, kSide}, tail(files.images));
    file.dataset("masks", {n, kSide, kSide}, tail(files.masks));
    file.dataset("labels", {n},
                 std::vector<std::uint8_t>(files.labels.begin() + first, files.labels.end()));
    std::vector<std::int32_t> subject(n);
    for (std::size_t i = 0; i < n; ++i) subject[i] = static_cast<std::int32_t>(i) % subjects;
    file.dataset("subject", {n}, subject);
    return path;
  };
  const auto interval = [&](const std::string& model, std::int32_t subjects, const char* name) {
    const json e = evaluated(files, model + " " + of(subjects));
    const json& part = e.contains("masks") ? e.at("masks")[1] : e.at("classification");
    CHECK(part.at("ci_units") == subjects);
    CHECK(part.at("ci_by_subject") == true);
    CHECK(says(e.at("notes"), "no interval") == (subjects == 1));
    CHECK(says(e.at("notes"), "rough") == (subjects > 1 && subjects < 10));
    return part.at(name);
  };
  CHECK(interval(classes, 1, "accuracy_ci").is_null());
  CHECK(interval(masks, 1, "mean_dice_ci").is_null());
  for (const std::int32_t subjects : {2, 9, 10})
    CHECK(interval(classes, subjects, "accuracy_ci").size() == 2);
  CHECK(interval(masks, 2, "mean_dice_ci").size() == 2);
  const auto line = [&](std::int32_t subjects) {
    const std::string out = well("evaluate " + classes + " " + of(subjects)).out;
    const std::size_t at = out.find("\naccuracy ") + 1;
    return out.substr(at, out.find('\n', at) - at);
  };
  CHECK(line(1).find('[') == std::string::npos);
  CHECK(line(2).find("] (2 subjects), balanced") != std::string::npos);
}
