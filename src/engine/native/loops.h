// The inner loops, compiled once for each set of vector instructions and chosen when the module is loaded.
#pragma once
#include <cstdint>

namespace harness {

enum class ActivationKind { none, relu, relu6, leakyRelu, swish, afterLeakyRelu };

/** What is done to the normalized value; afterLeakyRelu: nothing, but to x before it is normalized leaky relu. */
struct Activation {
  ActivationKind kind;
  float alpha;  // slope below zero of leakyRelu and afterLeakyRelu
};

/**
 * What is known by channel, repeated to the width of a row. Every loop sees a tensor [N,H,W,C] as rows of `width` floats,
 * a multiple of both C and MULTIPLE, so channels are lanes and no loop has a rest.
 */
struct Columns {
  const float* mean;
  const float* inverseDeviation;
  const float* gamma;
  const float* beta;
};

/** What every width is a multiple of: the floats of the widest vector. */
constexpr int64_t MULTIPLE = 16;

/** A depthwise convolution of one image, x [height,width,channels] → [outputHeight,outputWidth,channels]. */
struct DepthwiseShape {
  int64_t height, width, channels;
  int64_t outputHeight, outputWidth;
  int64_t stride;
  int64_t filterHeight, filterWidth;
  int64_t padTop, padLeft;
};

/** Output rows first … last − 1. */
struct Band {
  int64_t first, last;
};

struct Loops {
  /** The means of the rows in `shift`, then Σ(x − shift) and Σ(x − shift)² by column; x is what is normalized, here and below. */
  void (*moments)(Activation activation, const float* x, int64_t rows, int64_t width, float* shift, float* sum,
                  float* sumOfSquares);
  /** y = activation(gamma·x̂ + beta), x̂ = (x − mean) / deviation. */
  void (*normalize)(Activation activation, const float* x, int64_t rows, int64_t width, const Columns& columns, float* y);
  /** Adds Σ dz and Σ dz·x̂ by column, dz = dy·activation′(gamma·x̂ + beta). */
  void (*gradientSums)(Activation activation, const float* dy, const float* x, int64_t rows, int64_t width,
                       const Columns& columns, float* sumDz, float* sumDzXhat);
  /** dx = (gamma·dz − mean − x̂·slope) / deviation, through what comes before; dx may be dy. */
  void (*gradient)(Activation activation, const float* dy, const float* x, int64_t rows, int64_t width,
                   const Columns& columns, const float* means, const float* slopes, float* dx);
  /** The filter's gradient [filterHeight,filterWidth,channels] from a band, for `count` channels from `channel` on. */
  void (*depthwiseFilter)(const DepthwiseShape& shape, const float* x, const float* dy, Band band, int64_t channel,
                          int64_t count, float* filter);
  /** y = x·gate by column. */
  void (*scale)(const float* x, int64_t rows, int64_t width, const float* gate, float* y);
  /** dx = dy·gate, which may lie where dy lies, and adds Σ dy·x by column. */
  void (*scaleGradient)(const float* dy, const float* x, int64_t rows, int64_t width, const float* gate, float* dx,
                        float* sum);
};

/** Those for the processor at hand. */
const Loops& loops();

namespace avx512 { extern const Loops LOOPS; }
namespace avx2 { extern const Loops LOOPS; }
namespace baseline { extern const Loops LOOPS; }

}  // namespace harness
