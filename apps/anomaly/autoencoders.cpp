#include "autoencoders.h"

#include <functional>
#include <numeric>

#include "../../core/error.h"
#include "../../network/blocks.h"

namespace ratnet::inline v1 {
namespace {

// By which half of the pixels is left, with padding as PyTorch has it: the same on all sides.
layers::Conv halving(std::int64_t out) {
  return {.out = out,
          .kernel = {3},
          .stride = {2},
          .padding = Padding::custom,
          .pad_before = {1},
          .pad_after = {1}};
}

// The input, which is to be halved so often.
int add_image(GraphBuilder& builder, const char* who, const Sizes& size, std::int64_t channels,
              std::size_t halvings) {
  require(size.size() == 2 || size.size() == 3, who, ": ", size.size(),
          " sizes, expected 2 (slices) or 3 (volumes)");
  for (const std::int64_t edge : size) check_halvings(who, edge, halvings);
  Sizes shape = size;
  shape.push_back(channels);
  return builder.input("image", shape);
}

int add_reconstruction(GraphBuilder& builder, std::int64_t channels, int input) {
  return builder.add("reconstruction",
                     layers::Conv{.out = channels, .kernel = {1}, .init = Init::glorot_uniform},
                     {input});
}

int add_encoder(GraphBuilder& builder, const AutoencoderOptions& options) {
  check_widths("autoencoder", options.widths);
  int last =
      add_image(builder, "autoencoder", options.size, options.channels, options.widths.size());
  for (std::size_t level = 1; level <= options.widths.size(); ++level)
    last = add_conv_norm_relu(builder, "enc" + std::to_string(level), "",
                              halving(options.widths[level - 1]), last);
  return builder.add("enc/flatten", layers::Flatten{}, {last});
}

int add_code(GraphBuilder& builder, const std::string& name, const AutoencoderOptions& options,
             int input) {
  return builder.add(name, layers::Dense{.out = options.code, .init = Init::glorot_uniform},
                     {input});
}

int add_decoder(GraphBuilder& builder, const AutoencoderOptions& options, int code) {
  const std::size_t levels = options.widths.size();
  Sizes deepest;
  for (const std::int64_t edge : options.size) deepest.push_back(edge >> levels);
  deepest.push_back(options.widths.back());
  const std::int64_t numbers =
      std::accumulate(deepest.begin(), deepest.end(), std::int64_t{1}, std::multiplies{});
  int last = builder.add("dec/dense", layers::Dense{.out = numbers}, {code});
  last = builder.add("dec/relu", layers::Relu{}, {last});
  last = builder.add("dec/image", layers::Reshape{.shape = deepest}, {last});
  for (std::size_t level = levels; level > 0; --level) {
    const std::string place = "dec" + std::to_string(level);
    last = builder.add(place + "/up", layers::Upsample{}, {last});
    const std::int64_t width = options.widths[level > 1 ? level - 2 : 0];
    last = add_conv_norm_relu(builder, place, "", {.out = width, .kernel = {3}}, last);
  }
  return add_reconstruction(builder, options.channels, last);
}

}  // namespace

Graph denoising_autoencoder_graph(const DenoisingAutoencoderOptions& options) {
  const Sizes& widths = options.widths;
  check_widths("denoising autoencoder", widths);
  GraphBuilder builder;
  int last = add_image(builder, "denoising autoencoder", options.size, options.channels,
                       widths.size() - 1);
  std::vector<int> skips;
  for (std::size_t level = 1; level <= widths.size(); ++level) {
    const std::string place = "enc" + std::to_string(level);
    const layers::Conv conv{.out = widths[level - 1], .kernel = {3}};
    last = add_conv_norm_relu(builder, place, "1", level == 1 ? conv : halving(conv.out), last);
    last = add_conv_norm_relu(builder, place, "2", conv, last);
    skips.push_back(last);
  }
  for (std::size_t level = widths.size() - 1; level > 0; --level) {
    const std::string place = "dec" + std::to_string(level);
    const layers::Conv conv{.out = widths[level - 1], .kernel = {3}};
    last = builder.add(place + "/up", layers::Upsample{}, {last});
    last = builder.add(place + "/skip", layers::Concat{}, {skips[level - 1], last});
    last = add_conv_norm_relu(builder, place, "1", conv, last);
    last = add_conv_norm_relu(builder, place, "2", conv, last);
  }
  return builder.build({add_reconstruction(builder, options.channels, last)});
}

Graph convolutional_autoencoder_graph(const AutoencoderOptions& options) {
  GraphBuilder builder;
  const int features = add_encoder(builder, options);
  const int code = add_code(builder, "code", options, features);
  return builder.build({add_decoder(builder, options, code)});
}

Graph variational_autoencoder_graph(const AutoencoderOptions& options) {
  GraphBuilder builder;
  const int features = add_encoder(builder, options);
  const int mean = add_code(builder, "mean", options, features);
  const int log_variance = add_code(builder, "log_variance", options, features);
  const int code = builder.add("code", layers::GaussianSample{}, {mean, log_variance});
  return builder.build({add_decoder(builder, options, code), mean, log_variance});
}

}  // namespace ratnet::inline v1
