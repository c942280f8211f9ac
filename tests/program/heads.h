// A few small heads and a model hastily trained on them, for tests of anomalies' commands.
#pragma once

#include "lab.h"

namespace ratnet::test {

// Eight heads, in one file and as scans.
struct Heads {
  Folder folder;
  std::string cohort = folder / "heads.h5", model = folder / "model.safetensors",
              scans = folder / "scans", figures = folder / "figures.json";
  std::string trained;  // what the training said

  Heads() {
    well("simulate anomaly --subjects 8 --seed 3 --slices 12 --contrast flair -o " + cohort +
         " --nifti " + scans);
    trained =
        well("train anomaly " + cohort + " -o " + model + " --epochs 1 --json " + figures).out;
  }
};
inline const Heads& heads() {
  static const Heads made;
  return made;
}

}  // namespace ratnet::test
