// Batch normalization (Ioffe and Szegedy, 2015, algorithm 1) and the activation after it, in one reading and one writing of
// the tensor; its gradient in two readings and one writing, which takes everything again from x.
#include <algorithm>
#include <cmath>
#include <string>

#include "loops.h"
#include "op.h"
#include "rows.h"

namespace harness {
namespace {

Activation readActivation(const Attributes& attributes) {
  const std::string name = attributes.text("activation");
  const float alpha = attributes.number("alpha");
  if (name == "none") return {ActivationKind::none, alpha};
  if (name == "relu") return {ActivationKind::relu, alpha};
  if (name == "relu6") return {ActivationKind::relu6, alpha};
  if (name == "leaky_relu") return {ActivationKind::leakyRelu, alpha};
  if (name == "swish") return {ActivationKind::swish, alpha};
  if (name == "after_leaky_relu") return {ActivationKind::afterLeakyRelu, alpha};
  throw std::runtime_error("Expected a known activation but received " + name + ".");
}

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

/**
 * The moments of every channel. Within a strip, Σ(x − s) and Σ(x − s)² about the strip's own mean s, in float32: what s
 * itself was rounded by is taken off again (their section 3), so a mean far above the deviation costs no digits.
 */
std::vector<Moments> momentsByChannel(Activation activation, const Rows& rows, const float* x) {
  std::vector<Moments> byColumn(rows.blocks * rows.width);
  rows.eachBlock([&](int64_t block, int64_t first, int64_t count) {
    std::vector<float> shift(rows.width), sum(rows.width), squares(rows.width);
    Moments* columns = &byColumn[block * rows.width];
    rows.eachStrip(first, count, [&](int64_t start, int64_t n) {
      loops().moments(activation, rows.row(x, start), n, rows.width, shift.data(), sum.data(), squares.data());
      for (int64_t c = 0; c < rows.width; c++) {
        const double offset = sum[c] / static_cast<double>(n);
        columns[c].join(n, shift[c] + offset, std::max(0.0, squares[c] - offset * sum[c]));
      }
    });
  });
  std::vector<Moments> byChannel(rows.channels);
  rows.eachColumn(rows.blocks, [&](int64_t channel, int64_t i) {
    const auto& [count, mean, squares] = byColumn[i];
    if (count > 0) byChannel[channel].join(count, mean, squares);
  });
  const float* rest = rows.row(x, rows.rows);
  const float slope = activation.kind == ActivationKind::afterLeakyRelu ? activation.alpha : 1;
  for (int64_t i = 0; i < rows.rest * rows.channels; i++) {
    byChannel[i % rows.channels].join(1, rest[i] < 0 ? rest[i] * slope : rest[i], 0);
  }
  return byChannel;
}

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

void writeNormalized(Activation activation, const Rows& rows, const float* x, const Columns& columns, float* y) {
  rows.eachBlock([&](int64_t, int64_t first, int64_t count) {
    loops().normalize(activation, rows.row(x, first), count, rows.width, columns, rows.row(y, first));
  });
  std::vector<float> rest = rows.restAsRow(x);
  loops().normalize(activation, rest.data(), 1, rows.width, columns, rest.data());
  std::copy_n(rest.begin(), rows.rest * rows.channels, rows.row(y, rows.rows));
}

Rows rowsOf(const Shape& shape) {
  const int64_t count = elements(shape);
  if (shape.empty() || count == 0) throw std::runtime_error("Expected at least one element for x but received none.");
  return Rows(count / shape.back(), shape.back());
}

class Kernel {
 public:
  explicit Kernel(const Attributes& attributes)
      : activation_(readActivation(attributes)), epsilon_(attributes.number("epsilon")) {}

 protected:
  const Activation activation_;
  const float epsilon_;
};

/** x, gamma, beta → y, mean, variance (biased). */
struct BatchNormActivation : Kernel {
  using Kernel::Kernel;

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
struct BatchNormActivationApply : Kernel {
  using Kernel::Kernel;

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

/** Σ dz and Σ dz·x̂ by channel, one after the other: the gradients of beta and gamma. In float64 over strips of float32. */
std::vector<double> gradientSums(Activation activation, const Rows& rows, const float* dy, const float* x,
                                 const Columns& columns) {
  const int64_t width = rows.width;
  // The last is for the pixels after the last whole row.
  std::vector<double> byColumn((rows.blocks + 1) * 2 * width);
  const auto add = [&](const float* dyRows, const float* xRows, int64_t count, double* sums) {
    std::vector<float> strip(2 * width);
    loops().gradientSums(activation, dyRows, xRows, count, width, columns, &strip[0], &strip[width]);
    for (int64_t i = 0; i < 2 * width; i++) sums[i] += strip[i];
  };
  rows.eachBlock([&](int64_t block, int64_t first, int64_t count) {
    rows.eachStrip(first, count, [&](int64_t start, int64_t n) {
      add(rows.row(dy, start), rows.row(x, start), n, &byColumn[block * 2 * width]);
    });
  });
  add(rows.restAsRow(dy).data(), rows.restAsRow(x).data(), 1, &byColumn[rows.blocks * 2 * width]);
  std::vector<double> byChannel(2 * rows.channels);
  for (int64_t block = 0; block <= rows.blocks; block++) {
    const double* dz = &byColumn[block * 2 * width];
    rows.eachColumn(1, [&](int64_t channel, int64_t i) {
      byChannel[channel] += dz[i];
      byChannel[rows.channels + channel] += dz[width + i];
    });
  }
  return byChannel;
}

/** dx from what the gradient loop takes off dz by channel. */
void writeGradient(Activation activation, const Rows& rows, const float* dy, const float* x, const Columns& columns,
                   const std::vector<float>& means, float* dx) {
  const std::vector<float> meanDz = rows.repeated(&means[0]), meanDzXhat = rows.repeated(&means[rows.channels]);
  // Taken before the blocks, since dx may lie where dy lies.
  std::vector<float> restDy = rows.restAsRow(dy);
  const std::vector<float> restX = rows.restAsRow(x);
  rows.eachBlock([&](int64_t, int64_t first, int64_t count) {
    loops().gradient(activation, rows.row(dy, first), rows.row(x, first), count, rows.width, columns, meanDz.data(),
                     meanDzXhat.data(), rows.row(dx, first));
  });
  loops().gradient(activation, restDy.data(), restX.data(), 1, rows.width, columns, meanDz.data(), meanDzXhat.data(),
                   restDy.data());
  std::copy_n(restDy.begin(), rows.rest * rows.channels, rows.row(dx, rows.rows));
}

/** dy, x, gamma, beta, mean, variance → dx, dgamma, dbeta. */
struct BatchNormActivationGrad : Kernel {
  using Kernel::Kernel;

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
    for (size_t i = 0; i < means.size(); i++) means[i] = static_cast<float>(sums[i] / rows.pixels);
    for (int64_t c = 0; c < rows.channels; c++) {
      dbeta.data()[c] = static_cast<float>(sums[c]);
      dgamma.data()[c] = static_cast<float>(sums[rows.channels + c]);
    }
    writeGradient(activation_, rows, dy.data(), x.data(), parameters.columns, means, dx.data());
  }
};

/** dy, x, gamma, beta, mean, variance → dx where the statistics are given and not the batch's own: dz·gamma / deviation. */
struct BatchNormActivationApplyGrad : Kernel {
  using Kernel::Kernel;

  void run(const Run& run) const {
    const Tensor x = run.input(1);
    const Shape shape = x.shape();
    const Rows rows = rowsOf(shape);
    run.input(0, elements(shape), "dy");
    const Tensor gamma = run.input(2, rows.channels, "gamma"), beta = run.input(3, rows.channels, "beta");
    const Tensor mean = run.input(4, rows.channels, "mean"), variance = run.input(5, rows.channels, "variance");
    const Tensor dx = run.outputInPlaceOf(0, 0, shape);
    const Tensor dy = run.input(0);
    const Parameters parameters(rows, gamma.data(), beta.data(), mean.data(), variance.data(), epsilon_);
    const std::vector<float> nothing(2 * rows.channels);
    writeGradient(activation_, rows, dy.data(), x.data(), parameters.columns, nothing, dx.data());
  }
};

}  // namespace

void registerBatchNorm() {
  const std::vector<const char*> attributes = {"epsilon: float", "alpha: float = 0.0",
                                               "activation: {'none', 'relu', 'relu6', 'leaky_relu', 'swish', "
                                               "'after_leaky_relu'} = 'none'"};
  registerOp({"HarnessBatchNormActivation", {"x", "gamma", "beta"}, {"y", "mean", "variance"}, attributes,
              likeInputs<0, 1, 1>});
  registerKernel<BatchNormActivation>("HarnessBatchNormActivation");
  registerOp({"HarnessBatchNormActivationApply", {"x", "gamma", "beta", "mean", "variance"}, {"y"}, attributes,
              likeInputs<0>});
  registerKernel<BatchNormActivationApply>("HarnessBatchNormActivationApply");
  registerOp({"HarnessBatchNormActivationGrad", {"dy", "x", "gamma", "beta", "mean", "variance"},
              {"dx", "dgamma", "dbeta"}, attributes, likeInputs<1, 2, 3>});
  registerKernel<BatchNormActivationGrad>("HarnessBatchNormActivationGrad");
  registerOp({"HarnessBatchNormActivationApplyGrad", {"dy", "x", "gamma", "beta", "mean", "variance"}, {"dx"},
              attributes, likeInputs<1>});
  registerKernel<BatchNormActivationApplyGrad>("HarnessBatchNormActivationApplyGrad");
}

}  // namespace harness
