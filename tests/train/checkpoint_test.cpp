#include "../../train/checkpoint.h"

#include <cmath>
#include <cstring>

#include "../../apps/dark_slices/ratnet.h"
#include "../../core/atomic_file.h"
#include "../../network/model.h"
#include "../../network/safetensors.h"
#include "../catch.h"
#include "../kernels/random_tensor.h"
#include "../network/refused.h"
#include "../network/temporary_folder.h"
#include "written_checkpoint.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

Checkpoint example() {
  Checkpoint c;
  c.position.fingerprint = "everything \"at\" once \n";
  c.position.epoch = 3;
  c.position.batch = 17;
  c.position.steps = 12345678901;
  c.position.loss_sum = 1.0 / 3;
  c.position.history = {{0, 0.7, 0.6, 0.55, 0.5}, {1, 0.1, std::nan(""), std::nan(""), 1}};
  c.position.early_stopping = {.best = 0.1, .best_evaluation = 1, .evaluations = 2};
  c.position.plateau = {.rate = 1.0 / 7, .best = 0.1, .bad = 3, .cooling = 2};
  c.weights = Weights::initialised(ratnet_graph(16), 1);
  c.position.best = Weights::initialised(ratnet_graph(16), 2);
  Random random(1);
  c.optimiser.push_back(random_tensor({1000}, DType::f32, random));
  c.optimiser.push_back(random_tensor({1000}, DType::f32, random));
  c.average = random_tensor({1000}, DType::f32, random);
  return c;
}

void check_same(const Weights& a, const Weights& b) {
  REQUIRE(a.entries().size() == b.entries().size());
  for (std::size_t i = 0; i < a.entries().size(); ++i) {
    CHECK(a.entries()[i].name == b.entries()[i].name);
    CHECK(same_bits(a.entries()[i].value, b.entries()[i].value));
  }
}

}  // namespace

TEST_CASE("every member of a checkpoint comes back from its file") {
  const TemporaryFolder folder;
  const Checkpoint c = example();
  write_checkpoint(c, folder / "c");
  const Checkpoint again = load_checkpoint(folder / "c");
  CHECK(again.position.fingerprint == c.position.fingerprint);
  CHECK(again.position.epoch == c.position.epoch);
  CHECK(again.position.batch == c.position.batch);
  CHECK(again.position.steps == c.position.steps);
  CHECK(again.position.loss_sum == c.position.loss_sum);
  REQUIRE(again.position.history.size() == 2);
  CHECK(again.position.history[0].validation_auroc == 0.55);
  CHECK(again.position.history[1].epoch == 1);
  CHECK(again.position.history[1].training_loss == 0.1);
  CHECK(std::isnan(again.position.history[1].validation_loss));
  CHECK(again.position.history[1].validation_accuracy == 1);
  CHECK(again.position.early_stopping == c.position.early_stopping);
  check_same(again.weights, c.weights);
  check_same(again.position.best, c.position.best);
  REQUIRE(again.optimiser.size() == 2);
  CHECK(same_bits(again.optimiser[1], c.optimiser[1]));
  CHECK(again.position.plateau.rate == c.position.plateau.rate);
  CHECK(again.position.plateau.best == 0.1);
  CHECK(again.position.plateau.bad == 3);
  CHECK(again.position.plateau.cooling == 2);
  REQUIRE(again.average);
  CHECK(same_bits(*again.average, *c.average));
  CHECK(folder.files() == 1);
}

TEST_CASE("a checkpoint without a best epoch or optimiser state comes back too") {
  const TemporaryFolder folder;
  Checkpoint c = example();
  c.position.best = {};
  c.optimiser.clear();
  c.average.reset();
  c.position.plateau = {};
  write_checkpoint(c, folder / "c");
  const Checkpoint again = load_checkpoint(folder / "c");
  CHECK(again.position.best.entries().empty());
  CHECK(again.optimiser.empty());
  CHECK(!again.average);
  CHECK(std::isnan(again.position.plateau.best));
}

TEST_CASE("damaged checkpoints and other files are refused by name") {
  const TemporaryFolder folder;
  const std::string path = folder / "c";
  const auto load = [&] { (void)load_checkpoint(path); };
  CHECK(refused(ErrorKind::file_system, path, load) == "");
  write_safetensors(path, {}, {});
  CHECK(refused(ErrorKind::input, path + ": is not a checkpoint", load) == "");

  write_checkpoint(example(), path);
  const std::string good = read_file(path, 1 << 24);
  std::uint64_t header = 0;
  std::memcpy(&header, good.data(), 8);
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{100}, 8 + header - 1,
                                 8 + header, good.size() / 2, good.size() - 1}) {
    INFO(size);
    write_file(path, good.substr(0, size));
    CHECK(refused(ErrorKind::input, path, load) == "");
  }
  for (const auto& [from, to] : {std::pair{"\\\"epoch\\\":3", "\\\"epoch\\\":-3"},
                                 {"\\\"epoch\\\":3", "\\\"epoch\\\":\\\"\\\""},
                                 {"\\\"format\\\":2", "\\\"format\\\":1"},
                                 {"\\\"format\\\":2", "\\\"format\\\":3"},
                                 {"\\\"bad\\\":3", "\\\"bad\\\":-1"},
                                 {"\\\"cooling\\\":2", "\\\"cooling\\\":null"},
                                 {"\\\"averaged\\\":true", "\\\"averaged\\\":7"},
                                 {"\\\"batch\\\":17", "\\\"batch\\\":-1"},
                                 {"\\\"steps\\\":12345678901", "\\\"steps\\\":null"},
                                 {"\\\"optimiser_tensors\\\":2", "\\\"optimiser_tensors\\\":3"},
                                 {"\\\"optimiser_tensors\\\":2", "\\\"optimiser_tensors\\\":9"},
                                 {"conv2/bias", "conv3/bias"}}) {
    INFO(to);
    std::string text = good.substr(8, header);
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, std::strlen(from), to);
    const std::uint64_t length = text.size();
    write_file(path, std::string(reinterpret_cast<const char*>(&length), 8) + text +
                         good.substr(8 + header));
    CHECK(refused(ErrorKind::input, path, load) == "");
    if (std::strstr(from, "format"))
      CHECK(refused(ErrorKind::input, "another version", load) == "");
  }

  // Bytes flipped anywhere: an error or a checkpoint, never a crash.
  Random random(7);
  for (int round = 0; round < 500; ++round) {
    std::string bytes = good;
    for (int k = 0; k < 3; ++k)
      bytes[static_cast<std::size_t>(random.integer(static_cast<std::int64_t>(8 + header)))] ^=
          static_cast<char>(1 << random.integer(8));
    std::filesystem::remove(path);  // a file cut short and written again goes to the disk at once
    std::FILE* file = std::fopen(path.c_str(), "wb");
    REQUIRE(file);
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
    try {
      load();
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::input);
    }
  }
}
