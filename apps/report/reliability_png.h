// The reliability diagram as a picture: are probabilities as often right as they say?
#pragma once

#include <string>
#include <vector>

#include "../../train/calibration.h"

namespace ratnet::inline v1 {

struct ReliabilityDiagram {
  std::string name{};                                      // of the model or data, for the title
  std::vector<std::string> notes{};                        // a line each under the title
  Calibration calibration{};                               // of calibration() or of
                                                           // confidence_calibration()
  std::string probability = "mean predicted probability";  // along the axis below
  std::string fraction = "fraction of positives";          // along the axis at the left
};

// One bar a bin, as high as what came true; the gap to what was predicted is orange, and the line
// is where there would be none. Beneath, how many samples each bin has (DeGroot and Fienberg 1983).
// Written whole or not at all. Throws Error: usage (no bins, more than 100 bins or notes, or values
// outside [0, 1] in a bin with samples), file_system, internal (text cannot be drawn).
void write_reliability_png(const std::string& path, const ReliabilityDiagram& diagram);

}  // namespace ratnet::inline v1
