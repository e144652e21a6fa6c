#include "rows.h"

#include <algorithm>
#include <numeric>

#include "loops.h"
#include "parallel.h"

namespace harness {
namespace {

constexpr int64_t LEAST_WIDTH = 64;
constexpr int64_t STRIP_FLOATS = 16384;
constexpr int64_t LEAST_STRIP_ROWS = 32;  // sums of a strip are added in float64, which should not be the work
constexpr int64_t BLOCK_FLOATS = 65536;   // enough for the start of a thread not to count
constexpr int64_t MOST_BLOCKS = 64;

}  // namespace

Rows::Rows(int64_t pixels, int64_t channels) : channels(channels), pixels(pixels) {
  repeat = MULTIPLE / std::gcd(channels, MULTIPLE);
  while (repeat * channels < LEAST_WIDTH) repeat *= 2;
  width = repeat * channels;
  rows = pixels / repeat;
  rest = pixels % repeat;
  blocks = std::clamp<int64_t>(rows * width / BLOCK_FLOATS, 1, MOST_BLOCKS);
  strip = std::max(LEAST_STRIP_ROWS, STRIP_FLOATS / width);
}

std::vector<float> Rows::repeated(const float* byChannel) const {
  std::vector<float> values(width);
  for (int64_t i = 0; i < width; i += channels) std::copy_n(byChannel, channels, &values[i]);
  return values;
}

std::vector<float> Rows::restAsRow(const float* x) const {
  std::vector<float> values(width);
  std::copy_n(x + rows * width, rest * channels, values.begin());
  return values;
}

void Rows::eachBlock(const std::function<void(int64_t, int64_t, int64_t)>& work) const {
  parallelFor(blocks, [&](int64_t block) {
    const int64_t first = blockStart(block);
    work(block, first, blockStart(block + 1) - first);
  });
}

}  // namespace harness
