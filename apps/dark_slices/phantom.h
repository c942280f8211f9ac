// The head of a rat as a phantom: coronal slices from the front of the brain to its back, drawn
// from shapes whose sizes, levels and places vary from animal to animal. No picture of anybody
// goes into it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "../../core/random.h"
#include "noise_field.h"

namespace ratnet::inline v1 {

// One slice of the phantom. Levels are those of an 8-bit image in which the brain is near 64.
struct PhantomSlice {
  int size = 0;                     // pixels a side
  std::vector<float> image;         // [size, size], rows from dorsal to ventral
  std::vector<std::uint8_t> brain;  // [size, size], 1 well inside the brain
  std::vector<std::uint8_t> head;   // [size, size], 1 in the head and one pixel around it
};

// One animal. Coordinates are the pixels of a 64 x 64 slice (x to the right, y from dorsal to
// ventral) and z = 0 (front) to 14 (back).
class Phantom {
 public:
  explicit Phantom(Random& random);

  // The slice at z on a grid of size x size pixels over the same field of view.
  PhantomSlice render(double z, int size) const;

 private:
  // A round or elongated spot that fades in and out along z.
  struct Spot {
    double x, y, z;
    double rx, ry, rz;
    double angle;  // radians
    double level;  // of the spot, or the factor on what lies under it
  };
  struct Point {
    double x, y;
  };
  struct Brain {
    double top, bottom, half_width, middle_x;
  };

  // What one slice needs of all that.
  struct Layer {
    double z;
    Brain brain;
    std::vector<Spot> dark, bright;
  };

  Point to_anatomy(double x, double y, double z) const;
  double half_width(double t, double z) const;
  double head_depth(Point p, double z) const;
  Brain brain_at(double z) const;
  double brain_value(Point p, double z, const Brain& brain, double rho) const;
  double value(Point p, const Layer& slice, double depth, double pixel, double& brain_share) const;
  static std::vector<Spot> near(const std::vector<Spot>& spots, double z);
  void add_spots(Random& random);
  void add_landmarks(Random& random);

  // Size and place of the whole head.
  double scale_, shift_x_, shift_y_, tilt_;
  double top_, bottom_, width_front_, width_back_, notch_depth_, notch_row_;
  // Brain.
  double brain_top_, brain_scale_, disc_radius_, disc_rim_, cortex_contrast_, midline_;
  // Other tissue.
  double muscle_, skull_factor_, skull_width_, rim_level_, rim_width_, rim_back_;
  double fat_level_, fat_row_, fat_start_, fat_width_, void_factor_;
  NoiseField warp_x_, warp_y_, outline_, brain_texture_, brain_fine_, muscle_texture_, muscle_fine_,
      fat_texture_;
  std::vector<Spot> dark_, bright_;
};

}  // namespace ratnet::inline v1
