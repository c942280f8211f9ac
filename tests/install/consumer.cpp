// What somebody who embeds ratnet writes, with nothing but the installed package.
#include <ratnet/core/tensor.h>

#include <cstdio>
#include <vector>

int main() {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const auto tensor = ratnet::Tensor::of<float>({2, 3}, values);
  try {
    ratnet::Tensor::of<float>({2, 2}, values);
    std::puts("no error for a shape that does not fit");
    return 1;
  } catch (const ratnet::Error& error) {
    std::printf("%s holds %d values; %s\n", ratnet::to_string(tensor.shape()).c_str(),
                static_cast<int>(tensor.count()), error.what());
  }
  return tensor.values<float>()[5] == 6.0f ? 0 : 1;
}
