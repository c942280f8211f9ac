#include "anomaly_simulator.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <mutex>
#include <numeric>
#include <sstream>

#include "../../core/error.h"
#include "../../imaging/mri_artefacts.h"
#include "prepared_subject.h"

namespace ratnet::inline v1 {
namespace {

// Streams of a subject: its anatomy, its scan, its lesions, then one for the noise of each slice.
enum : std::uint64_t { kAnatomy, kScan, kLesions, kNoise };

constexpr std::uint64_t kOrderStream = ~0ull;
constexpr std::uint64_t kSplitStream = ~0ull - 1;
constexpr int kBiasOrder = 3;
constexpr double kGrey = 120;  // level 1 in an 8-bit image
constexpr double kLeastRadius = 2, kLargestRadius = 20, kLargestWedge = 12;  // judged pixels

std::uint64_t stream_of(int subject, std::uint64_t part) {
  return (static_cast<std::uint64_t>(subject) << 32) | part;
}

// What a scan takes in of a head.
struct Scan {
  int slices, size;
  double bottom, spacing;  // mm along z

  double pixel() const { return kHeadFieldOfView / size; }
  double z(double slice) const { return bottom + slice * spacing; }
  std::size_t pixels() const {
    return static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  }
};

// Whether a ball of this radius lies in tissue of the part of the brain that can be judged.
bool lies_in_brain(Random& random, const HeadPhantom& head, const HeadPoint& centre,
                   double radius) {
  if (head.at(centre).parenchyma < 0.9 || head.brain_depth(centre) < 3) return false;
  constexpr int points = 24;
  double inside = 0;
  for (int i = 0; i < points; ++i) {
    const double angle = random.uniform(0, 6.283), r = radius * std::sqrt(random.uniform());
    const HeadPoint p{centre.x + r * std::cos(angle), centre.y + r * std::sin(angle), centre.z};
    inside += head.at(p).parenchyma;
  }
  return inside > 0.75 * points;
}

// A lesion of this kind in slices that are not taken; nothing where there is no room for any.
std::optional<Lesion> draw_lesion(Random& random, const HeadPhantom& head, const Scan& scan,
                                  LesionKind kind, const std::vector<std::uint8_t>& taken) {
  const bool wedge = kind != LesionKind::mass_effect && random.chance(0.3);
  const double judged = kHeadFieldOfView / static_cast<double>(kJudgedSize);
  const double largest = wedge ? kLargestWedge : kLargestRadius;
  double radius = judged * kLeastRadius * std::pow(largest / kLeastRadius, random.uniform());
  for (int attempt = 0; attempt < 200; ++attempt) {
    // Where there is no room for it, it becomes smaller.
    if (attempt % 20 == 19) radius = std::max(kLeastRadius * judged, radius * 0.85);
    const auto slice = random.integer(scan.slices);
    const HeadPoint centre{random.uniform(-62, 62), random.uniform(-78, 82),
                           scan.z(static_cast<double>(slice))};
    if (centre.z < -16 || centre.z > 50 || !lies_in_brain(random, head, centre, radius)) continue;
    Lesion lesion(random, kind, wedge ? LesionShape::wedge : LesionShape::blob, centre, radius,
                  scan.spacing);
    bool apart = true;
    for (std::size_t s = 0; s < taken.size(); ++s)
      if (taken[s] &&
          std::abs(scan.z(static_cast<double>(s)) - centre.z) < lesion.reach_z() + 2 * scan.spacing)
        apart = false;
    if (apart) return lesion;
  }
  return std::nullopt;
}

// Draws slice s: four points a pixel, each at a height of its own within the slice.
void draw_slice(const HeadPhantom& head, const Scan& scan, const std::vector<Lesion>& lesions,
                int slice, float* levels, SimulatedHead& result) {
  constexpr double offsets[4][3] = {
      {-0.25, -0.25, -0.375}, {0.25, -0.25, 0.125}, {-0.25, 0.25, 0.375}, {0.25, 0.25, -0.125}};
  std::size_t i = static_cast<std::size_t>(slice) * scan.pixels();
  const double middle = (scan.size - 1) / 2.0;
  for (int row = 0; row < scan.size; ++row)
    for (int column = 0; column < scan.size; ++column, ++i) {
      double level = 0, brain = 0, lesion_share = 0;
      LesionKind kind = LesionKind::none;
      for (const auto& offset : offsets) {
        const HeadPoint p{(column - middle + offset[0]) * scan.pixel(),
                          (row - middle + offset[1]) * scan.pixel(), scan.z(slice + offset[2])};
        HeadPoint before = p;
        for (const Lesion& lesion : lesions)
          if (lesion.displaces(p)) before = lesion.before(before, head.brain_depth(p));
        HeadSample sample = head.at(p, before);
        for (const Lesion& lesion : lesions) {
          const double share = lesion.change(p, head.levels(), sample);
          if (share > 0) kind = lesion.kind();
          lesion_share += share / 4;
        }
        level += sample.level / 4;
        brain += sample.brain / 4;
      }
      *levels++ = static_cast<float>(level * kGrey);
      result.brain[i] = brain >= 0.5;
      result.masks[i] = lesion_share >= 0.5;
      if (result.masks[i]) result.kinds[static_cast<std::size_t>(slice)] = kind;
    }
}

// One to three of different kinds, each in slices of its own; the kinds take turns over subjects.
std::vector<Lesion> draw_lesions(Random& random, const HeadPhantom& head, const Scan& scan,
                                 int subject) {
  std::vector<Lesion> lesions;
  std::vector<std::uint8_t> taken(static_cast<std::size_t>(scan.slices), 0);
  const auto wanted = 1 + random.integer(3);
  for (std::int64_t i = 0; i < wanted; ++i) {
    const auto kind = static_cast<LesionKind>(1 + (subject + i) % kLesionKinds);
    const std::optional<Lesion> lesion = draw_lesion(random, head, scan, kind, taken);
    if (!lesion) continue;
    for (std::size_t s = 0; s < taken.size(); ++s)
      if (lesion->reaches_z(scan.z(static_cast<double>(s)))) taken[s] = 1;
    lesions.push_back(*lesion);
  }
  return lesions;
}

// Receive coil, resolution and noise, then the scanner's gain and 8 bits.
void acquire(Random& random, const HeadCohortOptions& options, int subject, const Scan& scan,
             std::vector<float>& levels, std::vector<std::uint8_t>& images) {
  const Size3 size{scan.slices, scan.size, scan.size};
  std::vector<double> bias(static_cast<std::size_t>(bias_field_terms(size, kBiasOrder)));
  for (double& coefficient : bias) coefficient = random.normal(0, 0.022);
  multiply_bias_field(levels, size, kBiasOrder, bias);
  const double blur = random.uniform(0.4, 0.6), noise = random.uniform(1.5, 3.5);
  const double gain = random.uniform(0.85, 1.15);
  for (int s = 0; s < scan.slices; ++s) {
    const std::span<float> slice(levels.data() + static_cast<std::size_t>(s) * scan.pixels(),
                                 scan.pixels());
    Random slice_random(options.seed, stream_of(subject, kNoise + static_cast<std::uint64_t>(s)));
    blur_gaussian(slice, {1, scan.size, scan.size}, blur);
    add_rician_noise(slice, noise, slice_random);
  }
  images.reserve(levels.size());
  for (const float level : levels)
    images.push_back(static_cast<std::uint8_t>(
        std::clamp(std::round(static_cast<double>(level) * gain), 0.0, 255.0)));
}

// The healthy subjects' 70/15/15, of two or more at least one to calibrate on; lesioned ones are
// test.
std::vector<Split> split_subjects(const HeadCohortOptions& options,
                                  const std::vector<std::uint8_t>& lesioned) {
  std::vector<std::size_t> healthy;
  for (std::size_t i = 0; i < lesioned.size(); ++i)
    if (!lesioned[i]) healthy.push_back(i);
  Random random(options.seed, kSplitStream);
  random.shuffle(std::span<std::size_t>(healthy));
  std::vector<Split> splits(lesioned.size(), Split::test);
  const auto n = static_cast<double>(healthy.size());
  for (std::size_t i = 0; i < healthy.size(); ++i) {
    const double place = static_cast<double>(i) + 0.5;
    if (place < 0.70 * n)
      splits[healthy[i]] = Split::train;
    else if (place < 0.85 * n || splits[healthy[i - 1]] == Split::train)
      splits[healthy[i]] = Split::validation;
  }
  return splits;
}

}  // namespace

void HeadCohortOptions::check() const {
  require(subjects >= 1 && subjects <= 10000, "a cohort of ", subjects,
          " subjects: use 1 to 10000");
  require(slices >= 8 && slices <= 64, slices, " slices a subject: use 8 to 64");
  require(size >= 64 && size <= 256, "slices of ", size, " pixels a side: use 64 to 256");
  require(lesioned >= 0 && lesioned <= 1, "lesions in ", lesioned, " of the subjects: use 0 to 1");
  const double bytes = 1.0 * subjects * slices * size * size;
  require(bytes <= 0x1p31, "a cohort of ", subjects, " x ", slices, " slices of ", size, " x ",
          size, " pixels holds ", bytes, " pixels: use at most ", 0x1p31);
}

SimulatedHead simulate_head(const HeadCohortOptions& options, int subject, bool lesioned) {
  options.check();
  require(subject >= 0 && subject < options.subjects, "subject ", subject, " of a cohort of ",
          options.subjects, ": they are counted from 0");
  Random anatomy(options.seed, stream_of(subject, kAnatomy));
  Random scanner(options.seed, stream_of(subject, kScan));
  const auto drawn = static_cast<HeadContrast>(anatomy.integer(kHeadContrasts));
  SimulatedHead result;
  result.contrast = options.contrast.value_or(drawn);
  const HeadPhantom head(anatomy, result.contrast);
  Scan scan{options.slices, options.size, head.bottom(), 0};
  scan.spacing = (head.top() - head.bottom()) / (scan.slices - 1);
  result.slice_spacing = scan.spacing;
  const std::size_t voxels = static_cast<std::size_t>(scan.slices) * scan.pixels();
  result.masks.assign(voxels, 0);
  result.brain.assign(voxels, 0);
  result.kinds.assign(static_cast<std::size_t>(scan.slices), LesionKind::none);
  std::vector<Lesion> lesions;
  if (lesioned) {
    Random random(options.seed, stream_of(subject, kLesions));
    lesions = draw_lesions(random, head, scan, subject);
  }
  std::vector<float> levels(voxels);
  for (int s = 0; s < scan.slices; ++s)
    draw_slice(head, scan, lesions, s, levels.data() + static_cast<std::size_t>(s) * scan.pixels(),
               result);
  acquire(scanner, options, subject, scan, levels, result.images);
  return result;
}

std::vector<std::uint8_t> lesioned_subjects(const HeadCohortOptions& options) {
  options.check();
  std::vector<std::size_t> order(static_cast<std::size_t>(options.subjects));
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(options.seed, kOrderStream);
  random.shuffle(std::span<std::size_t>(order));
  const auto wanted = static_cast<std::size_t>(std::lround(options.lesioned * options.subjects));
  std::vector<std::uint8_t> lesioned(order.size(), 0);
  for (std::size_t i = 0; i < wanted; ++i) lesioned[order[i]] = 1;
  return lesioned;
}

HeadCohort simulate_head_cohort(const HeadCohortOptions& options, Executor& executor,
                                const std::function<void(int done)>& progress) {
  const std::vector<std::uint8_t> lesioned = lesioned_subjects(options);
  const std::vector<Split> splits = split_subjects(options, lesioned);
  std::vector<SimulatedHead> heads(lesioned.size());
  std::mutex mutex;
  int done = 0;
  parallel_for(executor, options.subjects, [&](std::int64_t subject, int) {
    const auto i = static_cast<std::size_t>(subject);
    heads[i] = simulate_head(options, static_cast<int>(subject), lesioned[i] != 0);
    heads[i].brain = {};
    if (!progress) return;
    const std::lock_guard lock(mutex);
    progress(++done);
  });
  HeadCohort cohort;
  SampleTable& table = cohort.table;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    SimulatedHead& head = heads[i];
    std::ostringstream name;
    name << "head" << std::setw(3) << std::setfill('0') << i + 1;
    cohort.images.insert(cohort.images.end(), head.images.begin(), head.images.end());
    cohort.masks.insert(cohort.masks.end(), head.masks.begin(), head.masks.end());
    for (std::size_t s = 0; s < head.kinds.size(); ++s) {
      table.labels.push_back(head.kinds[s] != LesionKind::none);
      table.subjects.push_back(name.str());
      table.slices.push_back(static_cast<std::int32_t>(s));
      table.splits.push_back(splits[i]);
      table.columns["lesion_kind"].push_back(static_cast<std::uint8_t>(head.kinds[s]));
      table.columns["contrast"].push_back(static_cast<std::uint8_t>(head.contrast));
    }
    cohort.slice_spacing.push_back(head.slice_spacing);
    head = {};
  }
  return cohort;
}

}  // namespace ratnet::inline v1
