// What somebody who embeds ratnet writes, with nothing but the installed package:
// consumer FOLDER [MODEL [ANOMALY_MODEL SCAN SCORES]] predicts with a model of its own making, and
// with the one named, and scores a scan as the program did into the folder SCORES.
#include <ratnet/apps/anomaly/scoring.h>
#include <ratnet/apps/dark_slices/ratnet.h>
#include <ratnet/imaging/nifti.h>
#include <ratnet/network/predictor.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#ifdef WITH_HDF5
#include <ratnet/train/hdf5_dataset.h>
#endif

namespace {

// The answers for three slices, one of them blank; false unless they are probabilities.
bool predicts(const std::string& path) {
  const ratnet::Model model = ratnet::load_model(path);
  ratnet::Predictor predictor(model, {.batch = 2, .threads = 1});
  const auto pixels = static_cast<std::size_t>(predictor.input_size());
  std::vector<float> slices(3 * pixels, 0.0f);
  for (std::size_t i = pixels; i < slices.size(); ++i)
    slices[i] = 1.0f + 0.5f * std::sin(0.1f * static_cast<float>(i % 64));
  const std::vector<float> answers = predictor.run(slices);
  bool good = answers.size() == 6;
  for (std::size_t i = 0; good && i < 3; ++i) {
    std::printf("slice %d: P(dark) = %.4f\n", static_cast<int>(i),
                static_cast<double>(answers[2 * i + 1]));
    good = std::abs(answers[2 * i] + answers[2 * i + 1] - 1.0f) < 1e-5f;
  }
  return good;
}

// The rows of a table below its header, as fields.
std::vector<std::vector<std::string>> rows_of(const std::string& path) {
  std::vector<std::vector<std::string>> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    rows.emplace_back();
    for (std::string field; std::getline(fields, field, '\t');) rows.back().push_back(field);
  }
  rows.erase(rows.begin());
  return rows;
}

// As written in a table, to the last bit; NaN is n/a.
bool is(const std::string& field, double value) {
  return field == "n/a" ? std::isnan(value) : std::stod(field) == value;
}

// Whether the map is the program's to the bit, and the numbers are those of its tables.
bool scores_alike(const std::string& model, const std::string& scan, const std::string& folder) {
  ratnet::AnomalyScorer scorer(model, {.threads = 1});
  const ratnet::AnomalyPromise promise = scorer.promise();
  const ratnet::AnomalyScores scores = scorer.score(ratnet::read_nifti(scan));
  std::printf("score %.4f, p %.3f at a rate of %.3f; %d of %d slices judged\n", scores.score,
              scores.p_value, promise.rate, static_cast<int>(scores.judged),
              static_cast<int>(scores.slices()));
  const ratnet::Volume map =
      ratnet::read_nifti(folder + "/sub-head001_FLAIR_desc-anomaly_map.nii.gz");
  bool alike = scores.judged > 0 &&
               std::ranges::equal(map.data.values<float>(), scores.maps.values<float>());
  const auto slices = rows_of(folder + "/slices.tsv"), subjects = rows_of(folder + "/subjects.tsv");
  alike = alike && static_cast<std::int64_t>(slices.size()) == scores.slices();
  for (std::size_t s = 0; alike && s < slices.size(); ++s)
    alike = is(slices[s].at(5), scores.slice_scores[s]) &&
            is(slices[s].at(6), scores.slice_p_values[s]);
  return alike && subjects.size() == 1 && is(subjects[0].at(4), scores.score) &&
         is(subjects[0].at(5), scores.p_value) && is(subjects[0].at(6), scores.above);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string path = std::string(argv[1]) + "/own.safetensors";
  ratnet::Model made;
  made.system = "dark_slices";
  made.graph = ratnet::ratnet_graph(64);
  made.weights = ratnet::Weights::initialised(made.graph, 7);
  made.class_names = {"good", "dark"};
  ratnet::save_model(made, path);
  if (!predicts(path) || (argc > 2 && !predicts(argv[2]))) return 1;
  if (argc > 5 && !scores_alike(argv[3], argv[4], argv[5])) return 1;
#ifdef WITH_HDF5
  try {
    ratnet::open_hdf5_slices(path);
    return 1;
  } catch (const ratnet::Error& error) {
    std::printf("as it should be: %s\n", error.what());
  }
#endif
  return 0;
}
