// Places on a drawing. Lengths are in pixels from the top left.
#pragma once

namespace ratnet::inline v1 {

struct DrawnPoint {
  double x = 0;
  double y = 0;
};

struct DrawnBox {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

}  // namespace ratnet::inline v1
