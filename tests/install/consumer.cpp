// What somebody who embeds ratnet writes, with nothing but the installed package:
//   consumer MODEL.safetensors
#include <ratnet/network/model.h>
#include <ratnet/network/predictor.h>

#include <cmath>
#include <cstdio>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const ratnet::Model model = ratnet::load_model(argv[1]);
    ratnet::Predictor predictor(model, {.batch = 2, .threads = 1});
    const std::vector<float> slices(static_cast<std::size_t>(2 * predictor.input_size()), 0.5f);
    const std::vector<float> probabilities = predictor.run(slices);
    std::printf("good %.3f, dark %.3f\n", static_cast<double>(probabilities[0]),
                static_cast<double>(probabilities[1]));
    const bool whole = std::abs(probabilities[0] + probabilities[1] - 1) < 1e-5f;
    return probabilities.size() == 4 && whole ? 0 : 1;
  } catch (const ratnet::Error& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
}
