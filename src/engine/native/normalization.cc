#include "normalization.h"

#include <algorithm>

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

}  // namespace

const std::vector<const char*> NORMALIZATION_ATTRIBUTES = {
    "epsilon: float", "alpha: float = 0.0",
    "activation: {'none', 'relu', 'relu6', 'leaky_relu', 'swish', 'after_leaky_relu'} = 'none'"};

/**
 * Within a strip, Σ(x − s) and Σ(x − s)² about the strip's own mean s, in float32: what s
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

void writeNormalized(Activation activation, const Rows& rows, const float* x, const Columns& columns, float* y) {
  rows.eachBlock([&](int64_t, int64_t first, int64_t count) {
    loops().normalize(activation, rows.row(x, first), count, rows.width, columns, rows.row(y, first));
  });
  std::vector<float> rest = rows.restAsRow(x);
  loops().normalize(activation, rest.data(), 1, rows.width, columns, rest.data());
  std::copy_n(rest.begin(), rows.rest * rows.channels, rows.row(y, rows.rows));
}

/** In float64 over strips of float32. */
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

void writeGradient(Activation activation, const Rows& rows, const float* dy, const float* x, const Columns& columns,
                   const std::vector<float>& means, float* dx) {
  const std::vector<float> mean = rows.repeated(&means[0]), slope = rows.repeated(&means[rows.channels]);
  // Taken before the blocks, since dx may lie where dy lies.
  std::vector<float> restDy = rows.restAsRow(dy);
  const std::vector<float> restX = rows.restAsRow(x);
  rows.eachBlock([&](int64_t, int64_t first, int64_t count) {
    loops().gradient(activation, rows.row(dy, first), rows.row(x, first), count, rows.width, columns, mean.data(),
                     slope.data(), rows.row(dx, first));
  });
  loops().gradient(activation, restDy.data(), restX.data(), 1, rows.width, columns, mean.data(), slope.data(),
                   restDy.data());
  std::copy_n(restDy.begin(), rows.rest * rows.channels, rows.row(dx, rows.rows));
}

Rows rowsOf(const Shape& shape) {
  const int64_t count = elements(shape);
  if (shape.empty() || count == 0) throw std::runtime_error("Expected at least one element for x but received none.");
  return Rows(count / shape.back(), shape.back());
}

NormalizationKernel::NormalizationKernel(const Attributes& attributes)
    : activation_(readActivation(attributes)), epsilon_(attributes.number("epsilon")) {}

}  // namespace harness
