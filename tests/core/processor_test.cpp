// The processor's name, from files as systems write them.
#include "../../core/processor.h"

#include <fstream>

#include "../catch.h"
#include "../network/temporary_folder.h"

using namespace ratnet;

TEST_CASE("a processor is known by its name and its numbers") {
  const testing::TemporaryFolder root;
  const auto name_in = [&](const std::string& lines) {
    std::filesystem::create_directories(root / "proc");
    std::ofstream(root / "proc/cpuinfo") << lines;
    return processor_name(root.path());
  };
  CHECK(processor_name(root / "nothing").empty());
  CHECK(name_in("processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\n"
                "model name\t: AMD EPYC: 9B14\nstepping\t: 1\n\nprocessor\t: 1\nmodel\t\t: 9\n") ==
        "AMD EPYC: 9B14, 25, 17, 1");
  CHECK(name_in("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n") == "0x41, 0xd0c");
  CHECK(name_in("").empty());
  CHECK(name_in("no colon\n: no key\nmodel name\t:\n").empty());
  CHECK(name_in(std::string(100000, 'x')).empty());
}
