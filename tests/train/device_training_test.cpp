// RatNet trained from HDF5 on the device of these tests and on the CPU.
#include "../../apps/dark_slices/ratnet.h"
#include "../../train/hdf5_dataset.h"
#include "../../train/hdf5_write.h"
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

  const auto losses = [&](const Device& device) {
    TrainerOptions o = options(1);
    o.loader.batch = 4;
    o.schedule.rate = 0.001;
    o.device = device;
    std::vector<double> means;  // of the epoch so far, after every step
    const auto dataset = open_hdf5_slices(file);
    train_classifier(ratnet_graph(64), *dataset, all, {}, o, [&](const TrainingProgress& progress) {
      means.push_back(progress.loss);
      return true;
    });
    return means;
  };
  const std::vector<double> expected = losses({DeviceKind::cpu, 0});
  const std::vector<double> got = losses(test_device());
  REQUIRE(expected.size() == 5);
  REQUIRE(got.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(std::abs(got[i] - expected[i]) < 1e-4 * expected[i]);
}
