// What somebody who embeds ratnet writes, with nothing but the installed package:
// consumer FOLDER [MODEL] predicts with a model of its own making, and with the one named.
#include <ratnet/apps/dark_slices/ratnet.h>
#include <ratnet/network/predictor.h>

#include <cmath>
#include <cstdio>
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
