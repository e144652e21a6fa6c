// Vectors of LANES floats (GCC's vector extension) in the namespace INSTRUCTIONS; included once by each loops-*.cc.
#include <cstdint>
#include <cstring>

#define INLINE static inline __attribute__((always_inline))

namespace harness::INSTRUCTIONS {

typedef float Vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t IntVector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
/** load, asking for what lies AHEAD of it: rows side by side are a pattern that processors do not foresee (half the time). */
INLINE Vector stream(const float* from) {
  constexpr int64_t AHEAD = 2048;
  __builtin_prefetch(from + AHEAD);
  return load(from);
}
INLINE void store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }

/**
 * e^x within 2 units in the last place for −87 ≤ x ≤ 88, and its value at that end beyond. x = n·ln 2 + r, |r| ≤ ln 2 / 2
 * (Cody and Waite's reduction in two parts), e^r by the polynomial of Cephes' expf (Moshier, 1989).
 */
INLINE Vector exponential(Vector x) {
  x = x < -87.0f ? Vector{} - 87.0f : x;
  x = x > 88.0f ? Vector{} + 88.0f : x;
  // Adding 1.5·2²³ rounds to a whole number and leaves it in the low bits.
  const Vector shifted = x * 1.44269504088896341f + 12582912.0f;
  const Vector n = shifted - 12582912.0f;
  const Vector r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  Vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  // Times 2ⁿ: n is added to the exponent's bits.
  return (Vector)((IntVector)p + ((IntVector)shifted << 23));
}

/** 1 / x within 1 unit in the last place or so for normal x: the processor's estimate, once improved by Newton's iteration. */
INLINE Vector reciprocal(Vector x) {
#ifdef __AVX512F__
  const Vector y = __builtin_ia32_rcp14ps512_mask(x, Vector{}, 0xffff);
  return y * (2.0f - x * y);
#else
  return 1.0f / x;
#endif
}

INLINE Vector sigmoid(Vector x) { return reciprocal(1.0f + exponential(-x)); }

}  // namespace harness::INSTRUCTIONS
