// Batch normalization (Ioffe and Szegedy, 2015, algorithm 1) and the activation after it, in one reading and one writing of
// the tensor; its gradient in two readings and one writing, which takes everything again from x.
#include "normalization.h"

namespace harness {
namespace {

/** x, gamma, beta → y, mean, variance (biased). */
struct BatchNormActivation : NormalizationKernel {
  using NormalizationKernel::NormalizationKernel;

  void run(const Run& run) const {
    const Tensor x = run.input(0);
    const Shape shape = x.shape();
    const Rows rows = rowsOf(shape);
    const Tensor gamma = run.input(1, rows.channels, "gamma"), beta = run.input(2, rows.channels, "beta");
    const Tensor y = run.output(0, shape);
    const Tensor mean = run.output(1, {rows.channels}), variance = run.output(2, {rows.channels});
    const std::vector<Moments> moments = momentsByChannel(activation_, rows, x.data());
    for (int64_t c = 0; c < rows.channels; c++) {
      mean.data()[c] = static_cast<float>(moments[c].mean);
      variance.data()[c] = static_cast<float>(moments[c].squares / moments[c].count);
    }
    const Parameters parameters(rows, gamma.data(), beta.data(), mean.data(), variance.data(), epsilon_);
    writeNormalized(activation_, rows, x.data(), parameters.columns, y.data());
  }
};

/** x, gamma, beta, mean, variance → y. */
struct BatchNormActivationApply : NormalizationKernel {
  using NormalizationKernel::NormalizationKernel;

  void run(const Run& run) const {
    const Shape shape = run.input(0).shape();
    const Rows rows = rowsOf(shape);
    const Tensor gamma = run.input(1, rows.channels, "gamma"), beta = run.input(2, rows.channels, "beta");
    const Tensor mean = run.input(3, rows.channels, "mean"), variance = run.input(4, rows.channels, "variance");
    // Before x is held here: memory is given on only where nobody else holds it.
    const Tensor y = run.outputInPlaceOf(0, 0, shape);
    const Tensor x = run.input(0);
    const Parameters parameters(rows, gamma.data(), beta.data(), mean.data(), variance.data(), epsilon_);
    writeNormalized(activation_, rows, x.data(), parameters.columns, y.data());
  }
};

/** dy, x, gamma, beta, mean, variance → dx, dgamma, dbeta. */
struct BatchNormActivationGrad : NormalizationKernel {
  using NormalizationKernel::NormalizationKernel;

  void run(const Run& run) const {
    const Tensor x = run.input(1);
    const Shape shape = x.shape();
    const Rows rows = rowsOf(shape);
    run.input(0, elements(shape), "dy");
    const Tensor gamma = run.input(2, rows.channels, "gamma"), beta = run.input(3, rows.channels, "beta");
    const Tensor mean = run.input(4, rows.channels, "mean"), variance = run.input(5, rows.channels, "variance");
    const Tensor dx = run.outputInPlaceOf(0, 0, shape);
    const Tensor dy = run.input(0);
    const Tensor dgamma = run.output(1, {rows.channels}), dbeta = run.output(2, {rows.channels});
    const Parameters parameters(rows, gamma.data(), beta.data(), mean.data(), variance.data(), epsilon_);
    const std::vector<double> sums = gradientSums(activation_, rows, dy.data(), x.data(), parameters.columns);
    std::vector<float> means(2 * rows.channels);
    for (int64_t c = 0; c < rows.channels; c++) {
      means[c] = static_cast<float>(gamma.data()[c] * sums[c] / rows.pixels);
      means[rows.channels + c] = static_cast<float>(gamma.data()[c] * sums[rows.channels + c] / rows.pixels);
      dbeta.data()[c] = static_cast<float>(sums[c]);
      dgamma.data()[c] = static_cast<float>(sums[rows.channels + c]);
    }
    writeGradient(activation_, rows, dy.data(), x.data(), parameters.columns, means, dx.data());
  }
};

/** The same where the statistics are given and not the batch's own: dx = dz·gamma / deviation. */
struct BatchNormActivationApplyGrad : NormalizationKernel {
  using NormalizationKernel::NormalizationKernel;

  void run(const Run& run) const {
    const Tensor x = run.input(1);
    const Shape shape = x.shape();
    const Rows rows = rowsOf(shape);
    run.input(0, elements(shape), "dy");
    const Tensor gamma = run.input(2, rows.channels, "gamma"), beta = run.input(3, rows.channels, "beta");
    const Tensor mean = run.input(4, rows.channels, "mean"), variance = run.input(5, rows.channels, "variance");
    const Tensor dx = run.outputInPlaceOf(0, 0, shape), dy = run.input(0);
    const Tensor dgamma = run.output(1, {rows.channels}), dbeta = run.output(2, {rows.channels});
    const Parameters parameters(rows, gamma.data(), beta.data(), mean.data(), variance.data(), epsilon_);
    const std::vector<double> sums = gradientSums(activation_, rows, dy.data(), x.data(), parameters.columns);
    for (int64_t c = 0; c < rows.channels; c++) {
      dbeta.data()[c] = static_cast<float>(sums[c]);
      dgamma.data()[c] = static_cast<float>(sums[rows.channels + c]);
    }
    const std::vector<float> nothing(2 * rows.channels);
    writeGradient(activation_, rows, dy.data(), x.data(), parameters.columns, nothing, dx.data());
  }
};

}  // namespace

void registerBatchNorm() {
  const std::vector<const char*>& attributes = NORMALIZATION_ATTRIBUTES;
  registerOp({"HarnessBatchNormActivation", {"x", "gamma", "beta"}, {"y", "mean", "variance"}, attributes,
              likeInputs<0, 1, 1>});
  registerKernel<BatchNormActivation>("HarnessBatchNormActivation");
  registerOp({"HarnessBatchNormActivationApply", {"x", "gamma", "beta", "mean", "variance"}, {"y"}, attributes,
              likeInputs<0>});
  registerKernel<BatchNormActivationApply>("HarnessBatchNormActivationApply");
  registerOp({"HarnessBatchNormActivationGrad", {"dy", "x", "gamma", "beta", "mean", "variance"},
              {"dx", "dgamma", "dbeta"}, attributes, likeInputs<1, 2, 3>});
  registerKernel<BatchNormActivationGrad>("HarnessBatchNormActivationGrad");
  registerOp({"HarnessBatchNormActivationApplyGrad", {"dy", "x", "gamma", "beta", "mean", "variance"},
              {"dx", "dgamma", "dbeta"}, attributes, likeInputs<1, 2, 3>});
  registerKernel<BatchNormActivationApplyGrad>("HarnessBatchNormActivationApplyGrad");
}

}  // namespace harness
