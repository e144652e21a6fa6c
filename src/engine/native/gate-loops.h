// The loops of scaling each channel of an image, in the namespace INSTRUCTIONS; included once by each loops-*.cc, after
// vector.h.
#include "loops.h"

namespace harness::INSTRUCTIONS {

static void scale(const float* x, int64_t rows, int64_t width, const float* gate, float* y) {
  for (int64_t row = 0; row < rows; row++, x += width, y += width) {
    for (int64_t c = 0; c < width; c += LANES) store(y + c, stream(x + c) * load(gate + c));
  }
}

static void scaleGradient(const float* dy, const float* x, int64_t rows, int64_t width, const float* gate, float* dx,
                          float* sum) {
  for (int64_t row = 0; row < rows; row++, dy += width, x += width, dx += width) {
    for (int64_t c = 0; c < width; c += LANES) {
      const Vector gradient = stream(dy + c);
      store(sum + c, load(sum + c) + gradient * stream(x + c));
      store(dx + c, gradient * load(gate + c));
    }
  }
}

}  // namespace harness::INSTRUCTIONS
