// The head of a healthy person as a phantom: axial slices drawn from surfaces and fields whose
// sizes, places and levels vary from subject to subject. No picture of anybody goes into it.
#pragma once

#include <array>
#include <vector>

#include "head_contrast.h"
#include "wave_field.h"

namespace ratnet::inline v1 {

// What is at one point of a head.
struct HeadSample {
  double level = 0;       // 1 is about the brightest brain tissue
  double parenchyma = 0;  // share of brain tissue, without fluid
  double brain = 0;       // share of what lies inside the skull: tissue and fluid
};

// One subject. Points are in the scanner's mm: x to the right, y to the back, z to the top, the
// origin near the middle of the brain. Not changed by any call: safe from several threads.
class HeadPhantom {
 public:
  HeadPhantom(Random& random, HeadContrast contrast);

  // What is at p, and what would be if the brain at `inside` had moved to p: skull and outline stay
  // where they are.
  HeadSample at(const HeadPoint& p) const { return at(p, p); }
  HeadSample at(const HeadPoint& p, const HeadPoint& inside) const;

  // mm to the outline of the brain, positive inside.
  double brain_depth(const HeadPoint& p) const;

  const HeadLevels& levels() const { return levels_; }
  // z of the first and the last slice of a scan that takes in the whole brain, or most of it.
  double bottom() const { return bottom_; }
  double top() const { return top_; }

 private:
  struct Turn {
    double cosine = 1, sine = 0;

    static Turn by(double degrees);
  };
  struct Ball {  // an ellipsoid, turned about z
    HeadPoint centre, radii;
    Turn turn;
  };
  struct Tube {  // round, from one point to the next
    HeadPoint from, to;
    double from_radius, to_radius;
  };
  struct Surfaces {  // of one point: mm, positive inside
    double vault;    // the skull's inner surface as if it had no floor
    double rho;      // 0 at the centre of the vault, 1 at its surface
    double cerebrum, cerebellum, stem;
    double wobble;  // of wobble_ there

    double brain() const;
  };

  static double inside(const Ball& ball, const HeadPoint& p);
  static double inside(const Tube& tube, const HeadPoint& p);
  HeadPoint to_anatomy(const HeadPoint& p) const;
  Surfaces surfaces(const HeadPoint& p) const;
  double floor_at(const HeadPoint& p, double wobble) const;
  double sulcus(const HeadPoint& p, const Surfaces& s) const;
  double ventricle(const HeadPoint& p) const;
  double base_level(const HeadPoint& p, double depth) const;
  double shell_level(const HeadPoint& p, double out, double face, double uneven) const;
  HeadSample brain_sample(const HeadPoint& p, const Surfaces& s, double depth) const;
  double cerebrum_level(const HeadPoint& p, double pial, double& tissue) const;
  void place_ventricles(Random& random);
  void place_nuclei(Random& random);

  HeadLevels levels_;
  // Pose.
  Turn turn_, pitch_, roll_;
  double shift_x_, shift_y_, scale_;
  // Outline of the vault, by angle, and the floor under the brain.
  std::array<double, 361> radius_{};
  double height_, base_height_, gap_, floor_;
  // Cortex.
  double sulcus_width_, sulcus_depth_, thickness_, fold_length_, blur_;
  double callosum_length_, callosum_height_;
  std::array<double, 2> sylvian_y_{}, sylvian_rise_{};
  // Skull and scalp.
  double skull_, diploe_, fat_, skin_, muscle_;
  double bottom_, top_;
  std::vector<Tube> ventricles_;  // the left one's first
  std::vector<Ball> grey_nuclei_, pallida_, plexus_, temporal_, orbits_, eyes_;
  Ball third_{}, fourth_{}, cerebellum_{}, vermis_{}, stem_{}, sinus_{};
  WaveField warp_x_, warp_y_, warp_z_, folds_, fold_depth_, wobble_, texture_, fine_, patches_,
      bone_;
};

}  // namespace ratnet::inline v1
