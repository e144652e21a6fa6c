// What batch and group normalization share: the moments of channels, normalizing with what comes before or after, and the
// gradient, each in readings of rows.
#pragma once
#include <cmath>
#include <string>
#include <vector>

#include "loops.h"
#include "op.h"
#include "rows.h"

namespace harness {

/** The attributes of every operation that normalizes. */
extern const std::vector<const char*> NORMALIZATION_ATTRIBUTES;

/** Count, mean and Σ(x − mean)² of a set of numbers, joined as in Chan, Golub and LeVeque (1983), equation 2.1. */
struct Moments {
  double count = 0, mean = 0, squares = 0;

  void join(double otherCount, double otherMean, double otherSquares) {
    const double total = count + otherCount;
    const double delta = otherMean - mean;
    mean += delta * otherCount / total;
    squares += otherSquares + delta * delta * count * otherCount / total;
    count = total;
  }
};

/** The moments of every channel of what is normalized. */
std::vector<Moments> momentsByChannel(Activation activation, const Rows& rows, const float* x);

/** What the loops need by column, from what is given by channel. */
struct Parameters {
  std::vector<float> mean, inverseDeviation, gamma, beta;
  Columns columns;

  Parameters(const Rows& rows, const float* gamma, const float* beta, const float* mean, const float* variance,
             float epsilon)
      : mean(rows.repeated(mean)), inverseDeviation(rows.repeated(variance)), gamma(rows.repeated(gamma)),
        beta(rows.repeated(beta)) {
    for (float& value : inverseDeviation) value = static_cast<float>(1 / std::sqrt(static_cast<double>(value) + epsilon));
    columns = {this->mean.data(), inverseDeviation.data(), this->gamma.data(), this->beta.data()};
  }
};

void writeNormalized(Activation activation, const Rows& rows, const float* x, const Columns& columns, float* y);

/** Σ dz and Σ dz·x̂ by channel, one after the other: the gradients of beta and gamma. */
std::vector<double> gradientSums(Activation activation, const Rows& rows, const float* dy, const float* x,
                                 const Columns& columns);

/** dx from what the gradient loop takes off gamma·dz by channel: means of gamma·dz, then of gamma·dz·x̂; dx may be dy. */
void writeGradient(Activation activation, const Rows& rows, const float* dy, const float* x, const Columns& columns,
                   const std::vector<float>& means, float* dx);

/** A tensor of at least one element as rows of its last axis. */
Rows rowsOf(const Shape& shape);

class NormalizationKernel {
 public:
  explicit NormalizationKernel(const Attributes& attributes);

 protected:
  const Activation activation_;
  const float epsilon_;
};

}  // namespace harness
