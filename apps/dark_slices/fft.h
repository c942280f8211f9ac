// A discrete Fourier transform for the simulated k-space.
#pragma once

#include <complex>
#include <span>
#include <vector>

namespace ratnet::inline v1 {

// Transforms of one length, any length; fast where it has small prime factors. Keeps its table of
// roots, so make one and use it for many lines.
class Fft {
 public:
  explicit Fft(int length);

  // In place: X[k] = sum over n of x[n] exp(-2 pi i k n / length).
  void forward(std::span<std::complex<float>> line);
  // In place, the inverse of forward (divides by the length).
  void inverse(std::span<std::complex<float>> line);

 private:
  void transform(const std::complex<float>* in, std::complex<float>* out, int n, int stride);

  int length_;
  std::vector<std::complex<float>> roots_;  // exp(-2 pi i k / length)
  std::vector<std::complex<float>> scratch_;
};

}  // namespace ratnet::inline v1
