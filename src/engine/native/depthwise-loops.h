// The loop of the depthwise filter's gradient in the namespace INSTRUCTIONS; included once by each loops-*.cc, after
// vector.h. Channels are lanes; the sums of TAPS neighbouring weights of a filter's row stay in registers over a band.
#include "loops.h"

namespace harness::INSTRUCTIONS {

/** load for a vector or a single float. A template forgets that a Vector may lie anywhere, hence the copy. */
template <class V>
INLINE V loadAs(const float* from) {
  V value;
  std::memcpy(&value, from, sizeof(V));
  return value;
}

/** Adds x·dy over a band of output rows to sums[tap][vector], for the weights (kh, kw) … (kh, kw + TAPS − 1). */
template <class V, int VECTORS, int TAPS>
INLINE void addBand(const DepthwiseShape& s, const float* x, const float* dy, Band band, int64_t kh, int64_t kw,
                    V (&sums)[TAPS][VECTORS]) {
  constexpr int64_t FLOATS = sizeof(V) / sizeof(float);
  for (int64_t oh = band.first; oh < band.last; oh++) {
    const int64_t ih = oh * s.stride + kh - s.padTop;
    if (ih < 0 || ih >= s.height) continue;
    const float* from = x + ih * s.width * s.channels;
    const float* gradient = dy + oh * s.outputWidth * s.channels;
    int64_t iw = kw - s.padLeft;
    for (int64_t ow = 0; ow < s.outputWidth; ow++, iw += s.stride, gradient += s.channels) {
      const bool inside = iw >= 0 && iw + TAPS <= s.width;
#pragma GCC unroll 8
      for (int tap = 0; tap < TAPS; tap++) {
        if (!inside && (iw + tap < 0 || iw + tap >= s.width)) continue;
#pragma GCC unroll 2
        for (int v = 0; v < VECTORS; v++) {
          const float* value = from + (iw + tap) * s.channels + v * FLOATS;
          sums[tap][v] += loadAs<V>(value) * loadAs<V>(gradient + v * FLOATS);
        }
      }
    }
  }
}

/** The weights (kh, kw) … of VECTORS vectors of channels, the first `skip` of which somebody else has. */
template <class V, int VECTORS, int TAPS>
static void sumTaps(const DepthwiseShape& s, const float* x, const float* dy, Band band, int64_t kh, int64_t kw,
                    int64_t skip, float* filter) {
  constexpr int64_t FLOATS = VECTORS * (sizeof(V) / sizeof(float));
  V sums[TAPS][VECTORS] = {};
  addBand<V, VECTORS, TAPS>(s, x, dy, band, kh, kw, sums);
  for (int tap = 0; tap < TAPS; tap++) {
    const float* lanes = reinterpret_cast<const float*>(&sums[tap]);
    float* weights = filter + (kh * s.filterWidth + kw + tap) * s.channels;
    for (int64_t i = skip; i < FLOATS; i++) weights[i] = lanes[i];
  }
}

template <class V, int VECTORS>
static void sumFilter(const DepthwiseShape& s, const float* x, const float* dy, Band band, int64_t skip, float* filter) {
  for (int64_t kh = 0; kh < s.filterHeight; kh++) {
    switch (s.filterWidth) {
      case 3: sumTaps<V, VECTORS, 3>(s, x, dy, band, kh, 0, skip, filter); break;
      case 5: sumTaps<V, VECTORS, 5>(s, x, dy, band, kh, 0, skip, filter); break;
      case 7: sumTaps<V, VECTORS, 7>(s, x, dy, band, kh, 0, skip, filter); break;
      default:
        for (int64_t kw = 0; kw < s.filterWidth; kw++) sumTaps<V, VECTORS, 1>(s, x, dy, band, kh, kw, skip, filter);
    }
  }
}

static void depthwiseFilter(const DepthwiseShape& s, const float* x, const float* dy, Band band, int64_t channel,
                            int64_t count, float* filter) {
  const int64_t end = channel + count;
  int64_t c = channel;
  for (; c + 2 * LANES <= end; c += 2 * LANES) sumFilter<Vector, 2>(s, x + c, dy + c, band, 0, filter + c);
  while (c < end && s.channels >= LANES) {
    // The last vector begins earlier, where what is left does not fill one.
    const int64_t start = c + LANES <= s.channels ? c : s.channels - LANES;
    sumFilter<Vector, 1>(s, x + start, dy + start, band, c - start, filter + start);
    c = start + LANES;
  }
  for (; c < end; c++) sumFilter<float, 1>(s, x + c, dy + c, band, 0, filter + c);
}

}  // namespace harness::INSTRUCTIONS
