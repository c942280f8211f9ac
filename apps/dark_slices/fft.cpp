#include "fft.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "../../core/error.h"

namespace ratnet::inline v1 {
namespace {

int smallest_factor(int n) {
  for (int f = 2; f * f <= n; ++f)
    if (n % f == 0) return f;
  return n;
}

// Without the checks for infinities that operator* makes.
std::complex<float> times(std::complex<float> a, std::complex<float> b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

}  // namespace

Fft::Fft(int length) : length_(length) {
  require(length >= 1 && length <= 4096, "cannot transform lines of ", length, " points");
  roots_.reserve(static_cast<std::size_t>(length));
  for (int k = 0; k < length; ++k) {
    const double angle = -2 * std::numbers::pi * k / length;
    roots_.emplace_back(static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle)));
  }
  scratch_.resize(static_cast<std::size_t>(length));
}

// Cooley and Tukey, 1965: n = factor x m; transforms `factor` interleaved lines of m points and
// combines them.
void Fft::transform(const std::complex<float>* in, std::complex<float>* out, int n, int stride) {
  if (n == 1) {
    out[0] = in[0];
    return;
  }
  const int factor = smallest_factor(n);
  const int m = n / factor;
  for (int j = 0; j < factor; ++j) transform(in + j * stride, out + j * m, m, stride * factor);
  const int step = length_ / n;  // roots of n among the roots of length_
  std::vector<std::complex<float>> wide;
  std::array<std::complex<float>, 8> narrow;
  if (factor > static_cast<int>(narrow.size())) wide.resize(static_cast<std::size_t>(factor));
  std::complex<float>* part = wide.empty() ? narrow.data() : wide.data();
  for (int k = 0; k < m; ++k) {
    for (int j = 0; j < factor; ++j) part[j] = out[j * m + k];
    if (factor == 2) {
      const auto turned = times(part[1], roots_[static_cast<std::size_t>(k * step)]);
      out[k] = part[0] + turned;
      out[m + k] = part[0] - turned;
      continue;
    }
    for (int q = 0; q < factor; ++q) {
      std::complex<float> sum = part[0];
      for (int j = 1; j < factor; ++j)
        sum += times(part[j], roots_[static_cast<std::size_t>(j * (q * m + k) % n * step)]);
      out[q * m + k] = sum;
    }
  }
}

void Fft::forward(std::span<std::complex<float>> line) {
  require(static_cast<int>(line.size()) == length_, "a line of ", line.size(), " points given to ",
          "a transform of ", length_);
  std::copy(line.begin(), line.end(), scratch_.begin());
  transform(scratch_.data(), line.data(), length_, 1);
}

void Fft::inverse(std::span<std::complex<float>> line) {
  for (auto& x : line) x = std::conj(x);
  forward(line);
  for (auto& x : line) x = std::conj(x) / static_cast<float>(length_);
}

}  // namespace ratnet::inline v1
