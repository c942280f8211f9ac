// RatNet trained from HDF5 on the device of these tests and on the CPU.
#include "../../apps/dark_slices/ratnet.h"
#include "../../train/hdf5_dataset.h"
#include "../../train/hdf5_write.h"
#include "../network/temporary_folder.h"
#include "hdf5_file.h"
#include "small_training.h"

using namespace ratnet;
using namespace ratnet::testing;

TEST_CASE("RatNet trains from HDF5 on every device as on the CPU", "[device]") {
  const TemporaryPath file("device-training.h5");
  constexpr std::int64_t kSlices = 20;
  Random random(3);
  const Tensor images = random_tensor({kSlices, 64, 64}, DType::u8, random, 0, 200);
  SampleTable table;
  for (std::int64_t i = 0; i < kSlices; ++i) {
    table.labels.push_back(static_cast<std::uint8_t>(i % 2));
    table.subjects.push_back("rat" + std::to_string(i / 4));
  }
  write_hdf5_slices(file, images, table);
  std::vector<std::int64_t> all(kSlices);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);

  const auto losses = [&](const Device& device, Precision precision) {
    TrainerOptions o = options(1);
    o.loader.batch = 4;
    o.schedule.rate = 0.001;
    o.device = device;
    o.precision = precision;
    o.read_loss_every = 1;
    std::vector<double> means;  // of the epoch so far, after every step
    const auto dataset = open_hdf5_slices(file);
    train_classifier(ratnet_graph(64), *dataset, all, {}, o, [&](const TrainingProgress& progress) {
      means.push_back(progress.loss);
      return true;
    });
    return means;
  };
  const std::vector<double> expected = losses({DeviceKind::cpu, 0}, Precision::f32);
  REQUIRE(expected.size() == 5);
  // The largest difference, relative to the loss.
  const auto difference = [&](Precision precision) {
    const std::vector<double> got = losses(test_device(), precision);
    REQUIRE(got.size() == 5);
    double worst = 0;
    for (std::size_t i = 0; i < 5; ++i)
      worst = std::max(worst, std::abs(got[i] - expected[i]) / expected[i]);
    return worst;
  };
  CHECK(difference(Precision::f32) < 1e-4);
  if (on_cpu()) return;
  const double rounded = difference(Precision::bf16);
  CHECK(rounded < 2e-2);
  CHECK(rounded > 1e-4);
}

TEST_CASE("how often the loss is read changes neither weights nor figures", "[device]") {
  TrainerOptions often = options(2), rarely = options(2);
  often.read_loss_every = 1;
  rarely.read_loss_every = 7;
  std::vector<double> losses;  // as they were told
  const TrainingResult expected = train(often);
  check_same(train(rarely,
                   [&](const TrainingProgress& progress) {
                     losses.push_back(progress.loss);
                     return true;
                   }),
             expected);
  // Of 10 steps an epoch the 1st is read, then the 7th, and the last.
  REQUIRE(losses.size() == 20);
  CHECK(losses[1] == losses[0]);
  CHECK(losses[5] == losses[0]);
  CHECK(losses[6] != losses[0]);
  CHECK(losses[8] == losses[6]);
  CHECK(losses[9] == expected.history[0].training_loss);
}

TEST_CASE("a resumed training tells the loss it stopped with until the next reading", "[device]") {
  const TemporaryFolder folder;
  TrainerOptions o = options(1);
  o.read_loss_every = 7;
  o.checkpoint_path = folder / "checkpoint";
  o.resume = true;
  CHECK(train(o, until(3)).interrupted);
  const Checkpoint kept = load_checkpoint(o.checkpoint_path);
  REQUIRE(kept.position.batch == 3);
  const double stopped_with = kept.position.loss_sum / 3;
  CHECK(stopped_with > 0);
  std::vector<double> losses;  // of steps 4 to 10
  const TrainingResult result = train(o, [&](const TrainingProgress& progress) {
    losses.push_back(progress.loss);
    return true;
  });
  REQUIRE(losses.size() == 7);
  for (std::size_t i = 0; i < 3; ++i) CHECK(losses[i] == stopped_with);
  CHECK(losses[3] != stopped_with);  // step 7
  CHECK(losses[5] == losses[3]);
  CHECK(losses[6] == result.history[0].training_loss);
}
