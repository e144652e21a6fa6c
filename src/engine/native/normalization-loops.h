// The loops of normalization in the namespace INSTRUCTIONS; included once by each loops-*.cc, after vector.h.
// ROWS rows are taken at once, so that what is known by column is loaded once for all of them.
#include "loops.h"

namespace harness::INSTRUCTIONS {

using Kind = ActivationKind;

/** Not a number stays one, so that a run that diverges is seen. */
template <Kind KIND>
INLINE Vector activate(Vector z, float alpha) {
  if constexpr (KIND == Kind::relu) return z < 0.0f ? Vector{} : z;
  if constexpr (KIND == Kind::relu6) return z < 0.0f ? Vector{} : z > 6.0f ? Vector{} + 6.0f : z;
  if constexpr (KIND == Kind::leakyRelu) return z < 0.0f ? z * alpha : z;
  if constexpr (KIND == Kind::swish) return z * sigmoid(z);
  return z;
}

/** dy·activation′(z); of swish, σ(z)·(1 + z·(1 − σ(z))) (Ramachandran et al., 2017). */
template <Kind KIND>
INLINE Vector deactivate(Vector dy, Vector z, float alpha) {
  if constexpr (KIND == Kind::relu) return z > 0.0f ? dy : Vector{};
  if constexpr (KIND == Kind::relu6) return (z > 0.0f) & (z < 6.0f) ? dy : Vector{};
  if constexpr (KIND == Kind::leakyRelu) return z > 0.0f ? dy : dy * alpha;
  if constexpr (KIND == Kind::swish) {
    const Vector s = sigmoid(z);
    return dy * (s * (1.0f + z * (1.0f - s)));
  }
  return dy;
}

/** What is normalized. */
template <Kind KIND>
INLINE Vector bend(Vector x, float alpha) {
  if constexpr (KIND == Kind::afterLeakyRelu) return x < 0.0f ? x * alpha : x;
  return x;
}

/** d·bend′(x). */
template <Kind KIND>
INLINE Vector unbend(Vector d, Vector x, float alpha) {
  if constexpr (KIND == Kind::afterLeakyRelu) return x > 0.0f ? d : d * alpha;
  return d;
}

/** CALL(4) for rows by fours from `row` on, and CALL(1) for what is left. */
#define BY_ROWS(rows, CALL)                     \
  {                                             \
    int64_t row = 0;                            \
    for (; row + 4 <= rows; row += 4) CALL(4);  \
    for (; row < rows; row++) CALL(1);          \
  }

template <Kind KIND, int ROWS>
INLINE void addRows(float alpha, const float* x, int64_t width, float* sum) {
  for (int64_t c = 0; c < width; c += LANES) {
    Vector total = load(sum + c);
    for (int r = 0; r < ROWS; r++) total += bend<KIND>(stream(x + r * width + c), alpha);
    store(sum + c, total);
  }
}

template <Kind KIND, int ROWS>
INLINE void addDeviations(float alpha, const float* x, int64_t width, const float* shift, float* sum,
                          float* sumOfSquares) {
  for (int64_t c = 0; c < width; c += LANES) {
    const Vector center = load(shift + c);
    Vector total = load(sum + c), squares = load(sumOfSquares + c);
    for (int r = 0; r < ROWS; r++) {
      const Vector d = bend<KIND>(load(x + r * width + c), alpha) - center;
      total += d;
      squares += d * d;
    }
    store(sum + c, total);
    store(sumOfSquares + c, squares);
  }
}

struct Column {
  Vector mean, inverseDeviation, gamma, beta;
  Vector normalize(Vector x) const __attribute__((always_inline)) { return (x - mean) * inverseDeviation; }
};

INLINE Column columnAt(const Columns& columns, int64_t c) {
  return {load(columns.mean + c), load(columns.inverseDeviation + c), load(columns.gamma + c), load(columns.beta + c)};
}

template <Kind KIND, int ROWS>
INLINE void normalizeRows(float alpha, const float* x, int64_t width, const Columns& columns, float* y) {
  for (int64_t c = 0; c < width; c += LANES) {
    const Column column = columnAt(columns, c);
    for (int r = 0; r < ROWS; r++) {
      const Vector xhat = column.normalize(bend<KIND>(stream(x + r * width + c), alpha));
      store(y + r * width + c, activate<KIND>(xhat * column.gamma + column.beta, alpha));
    }
  }
}

template <Kind KIND, int ROWS>
INLINE void sumRows(float alpha, const float* dy, const float* x, int64_t width, const Columns& columns, float* sumDz,
                    float* sumDzXhat) {
  for (int64_t c = 0; c < width; c += LANES) {
    const Column column = columnAt(columns, c);
    Vector total = load(sumDz + c), product = load(sumDzXhat + c);
    for (int r = 0; r < ROWS; r++) {
      const Vector xhat = column.normalize(bend<KIND>(stream(x + r * width + c), alpha));
      const Vector dz = deactivate<KIND>(stream(dy + r * width + c), xhat * column.gamma + column.beta, alpha);
      total += dz;
      product += dz * xhat;
    }
    store(sumDz + c, total);
    store(sumDzXhat + c, product);
  }
}

template <Kind KIND, int ROWS>
INLINE void gradientRows(float alpha, const float* dy, const float* x, int64_t width, const Columns& columns,
                         const float* means, const float* slopes, float* dx) {
  for (int64_t c = 0; c < width; c += LANES) {
    const Column column = columnAt(columns, c);
    const Vector mean = load(means + c), slope = load(slopes + c);
    for (int r = 0; r < ROWS; r++) {
      const Vector input = stream(x + r * width + c);
      const Vector xhat = column.normalize(bend<KIND>(input, alpha));
      const Vector dz = deactivate<KIND>(stream(dy + r * width + c), xhat * column.gamma + column.beta, alpha);
      const Vector d = column.inverseDeviation * (column.gamma * dz - mean - xhat * slope);
      store(dx + r * width + c, unbend<KIND>(d, input, alpha));
    }
  }
}

template <Kind KIND>
struct Passes {
  static void moments(float alpha, const float* x, int64_t rows, int64_t width, float* shift, float* sum,
                      float* sumOfSquares) {
    const size_t bytes = width * sizeof(float);
    std::memset(shift, 0, bytes);
    std::memset(sum, 0, bytes);
    std::memset(sumOfSquares, 0, bytes);
#define ADD(ROWS) addRows<KIND, ROWS>(alpha, x + row * width, width, shift)
    BY_ROWS(rows, ADD)
    for (int64_t c = 0; c < width; c += LANES) store(shift + c, load(shift + c) * (1.0f / rows));
#define DEVIATE(ROWS) addDeviations<KIND, ROWS>(alpha, x + row * width, width, shift, sum, sumOfSquares)
    BY_ROWS(rows, DEVIATE)
  }
  static void normalize(float alpha, const float* x, int64_t rows, int64_t width, const Columns& columns, float* y) {
#define NORMALIZE(ROWS) normalizeRows<KIND, ROWS>(alpha, x + row * width, width, columns, y + row * width)
    BY_ROWS(rows, NORMALIZE)
  }
  static void gradientSums(float alpha, const float* dy, const float* x, int64_t rows, int64_t width,
                           const Columns& columns, float* sumDz, float* sumDzXhat) {
#define SUM(ROWS) sumRows<KIND, ROWS>(alpha, dy + row * width, x + row * width, width, columns, sumDz, sumDzXhat)
    BY_ROWS(rows, SUM)
  }
  static void gradient(float alpha, const float* dy, const float* x, int64_t rows, int64_t width,
                       const Columns& columns, const float* means, const float* slopes, float* dx) {
#define WRITE(ROWS) \
  gradientRows<KIND, ROWS>(alpha, dy + row * width, x + row * width, width, columns, means, slopes, dx + row * width)
    BY_ROWS(rows, WRITE)
  }
};

/** Calls a pass of the activation's own, with its alpha first. */
#define DISPATCH(pass, ...)                                                                         \
  switch (activation.kind) {                                                                        \
    case Kind::none: return Passes<Kind::none>::pass(activation.alpha, __VA_ARGS__);                \
    case Kind::relu: return Passes<Kind::relu>::pass(activation.alpha, __VA_ARGS__);                \
    case Kind::relu6: return Passes<Kind::relu6>::pass(activation.alpha, __VA_ARGS__);              \
    case Kind::leakyRelu: return Passes<Kind::leakyRelu>::pass(activation.alpha, __VA_ARGS__);      \
    case Kind::swish: return Passes<Kind::swish>::pass(activation.alpha, __VA_ARGS__);              \
    case Kind::afterLeakyRelu: return Passes<Kind::afterLeakyRelu>::pass(activation.alpha, __VA_ARGS__); \
  }

static void moments(Activation activation, const float* x, int64_t rows, int64_t width, float* shift, float* sum,
                    float* sumOfSquares) {
  // Of the kinds, only this one changes what is normalized.
  if (activation.kind == Kind::afterLeakyRelu) {
    return Passes<Kind::afterLeakyRelu>::moments(activation.alpha, x, rows, width, shift, sum, sumOfSquares);
  }
  Passes<Kind::none>::moments(activation.alpha, x, rows, width, shift, sum, sumOfSquares);
}

static void normalize(Activation activation, const float* x, int64_t rows, int64_t width, const Columns& columns,
                      float* y) {
  DISPATCH(normalize, x, rows, width, columns, y)
}

static void gradientSums(Activation activation, const float* dy, const float* x, int64_t rows, int64_t width,
                         const Columns& columns, float* sumDz, float* sumDzXhat) {
  DISPATCH(gradientSums, dy, x, rows, width, columns, sumDz, sumDzXhat)
}

static void gradient(Activation activation, const float* dy, const float* x, int64_t rows, int64_t width,
                     const Columns& columns, const float* means, const float* slopes, float* dx) {
  DISPATCH(gradient, dy, x, rows, width, columns, means, slopes, dx)
}

}  // namespace harness::INSTRUCTIONS
