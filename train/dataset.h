// Labelled slices, wherever they are stored.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../core/tensor.h"
#include "../core/view.h"
#include "image_hash.h"

namespace ratnet::inline v1 {

enum class Split : std::uint8_t { train = 0, validation = 1, test = 2 };

// "train", "validation", "test"
std::string_view name_of(Split split);

constexpr std::uint8_t kUnlabelled = 255;

// What is known of every sample except its pixels. Vectors are empty where the source says nothing.
struct SampleTable {
  std::vector<std::uint8_t> labels;                          // [N], kUnlabelled where unknown
  std::vector<std::string> subjects;                         // [N]
  std::vector<std::string> sessions;                         // [N]
  std::vector<std::string> runs;                             // [N]
  std::vector<std::int32_t> volumes;                         // [N]
  std::vector<std::int32_t> slices;                          // [N]
  std::vector<Split> splits;                                 // [N]
  std::map<std::string, std::vector<std::uint8_t>> columns;  // further columns by name, each [N]
};

// Throws Error (usage) unless every column that is present has n entries.
void check_table(const SampleTable& table, std::int64_t n);

// The rows `indices` of every column that is present. Throws Error (usage) for rows there are not.
SampleTable select_rows(const SampleTable& table, std::span<const std::int64_t> indices);

// What is known of a dataset as a whole.
struct DatasetAttributes {
  std::vector<std::string> class_names;  // by label; empty where the source says nothing
  std::optional<double> scale;           // the brain level of all slices, in stored pixel units
  // What the values of a further column mean, by the column's name and the value.
  std::map<std::string, std::vector<std::string>> value_names;
};

// A set of equally sized images, or volumes, that is read in ranges. read() may be called from
// several threads at once: implementations lock where they must.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;
  virtual Shape image_shape() const = 0;  // [H, W, C] or [D, H, W, C]
  virtual DType dtype() const = 0;        // u8, u16, i16 or f32
  virtual const SampleTable& table() const = 0;
  // Images first..first+n-1 into `to`, n times image_shape(), of dtype().
  virtual void read(std::int64_t first, View to) = 0;
  // How many consecutive images are stored together (HDF5's chunk); reading less reads as much.
  virtual std::int64_t chunk() const { return 1; }
  virtual std::string name() const = 0;  // for messages: the file
  virtual const DatasetAttributes& attributes() const;
  // All images, N times image_shape(), where they are in memory anyway; null otherwise.
  virtual ConstView resident() const { return {}; }
  // The hash of every image, [N]; empty where none were computed.
  virtual std::span<const ImageHash> hashes() const { return {}; }
  // What was assumed about the source, a sentence each: to be shown to the user.
  virtual const std::vector<std::string>& notes() const;
};

// Throws Error (usage) unless first.. and `to` name images of this dataset in its own type.
void check_read(const Dataset& dataset, std::int64_t first, const View& to);

// Images in memory: what a simulator made, or a test.
class TensorDataset final : public Dataset {
 public:
  // images: [N, H, W], [N, H, W, C] or [N, D, H, W, C] of u8, u16, i16 or f32. Throws Error (usage)
  // when a column of the table has another length.
  TensorDataset(Tensor images, SampleTable table, DatasetAttributes attributes = {},
                std::string name = "images in memory");

  std::int64_t size() const override { return images_.shape()[0]; }
  Shape image_shape() const override;
  DType dtype() const override { return images_.dtype(); }
  const SampleTable& table() const override { return table_; }
  void read(std::int64_t first, View to) override;
  ConstView resident() const override;
  std::string name() const override { return name_; }
  const DatasetAttributes& attributes() const override { return attributes_; }
  std::span<const ImageHash> hashes() const override { return hashes_; }

 private:
  Tensor images_;
  SampleTable table_;
  DatasetAttributes attributes_;
  std::string name_;
  std::vector<ImageHash> hashes_;
};

}  // namespace ratnet::inline v1
