// Group normalization (Wu and He, 2018, equations 1 to 7) and the activation with it: per image as batch normalization is
// over the batch, with the statistics of a channel's group in the place of its own.
#include "normalization.h"

namespace harness {
namespace {

/** One image's view of x [N,H,W,C], and its groups of channels side by side. */
struct Groups {
  int64_t images, size, groups, width;
  Rows rows;

  Groups(const Shape& shape, int64_t groups)
      : images(checked(shape, groups)[0]), size(elements(shape) / shape[0]), groups(groups), width(shape[3] / groups),
        rows(shape[1] * shape[2], shape[3]) {}

  /** Elements that one image's statistics are over. */
  double count() const { return static_cast<double>(rows.pixels) * width; }

 private:
  static const Shape& checked(const Shape& shape, int64_t groups) {
    if (shape.size() != 4 || elements(shape) == 0) {
      throw std::runtime_error("Expected [N,H,W,C] with at least one element for x but received another shape.");
    }
    if (groups > 0 && shape[3] % groups == 0) return shape;
    throw std::runtime_error("Expected a divisor of " + std::to_string(shape[3]) + " for groups but received " +
                             std::to_string(groups) + ".");
  }
};

class GroupKernel : public NormalizationKernel {
 public:
  explicit GroupKernel(const Attributes& attributes) : NormalizationKernel(attributes), groups_(attributes.whole("groups")) {}

 protected:
  /** What the loops need of one image, whose groups' statistics are given. */
  Parameters parametersOf(const Groups& by, const Tensor& gamma, const Tensor& beta, const float* mean,
                          const float* variance) const {
    std::vector<float> means(by.rows.channels), variances(by.rows.channels);
    for (int64_t c = 0; c < by.rows.channels; c++) {
      means[c] = mean[c / by.width];
      variances[c] = variance[c / by.width];
    }
    return Parameters(by.rows, gamma.data(), beta.data(), means.data(), variances.data(), epsilon_);
  }

  const int64_t groups_;
};

/** x, gamma, beta → y, mean and variance (biased) of every image's groups [N,G]. */
struct GroupNormActivation : GroupKernel {
  using GroupKernel::GroupKernel;

  void run(const Run& run) const {
    const Tensor x = run.input(0);
    const Shape shape = x.shape();
    const Groups by(shape, groups_);
    const Tensor gamma = run.input(1, by.rows.channels, "gamma"), beta = run.input(2, by.rows.channels, "beta");
    const Tensor y = run.output(0, shape);
    const Tensor mean = run.output(1, {by.images, groups_}), variance = run.output(2, {by.images, groups_});
    for (int64_t image = 0; image < by.images; image++) {
      const float* from = x.data() + image * by.size;
      float *means = mean.data() + image * groups_, *variances = variance.data() + image * groups_;
      const std::vector<Moments> byChannel = momentsByChannel(activation_, by.rows, from);
      for (int64_t group = 0; group < groups_; group++) {
        Moments moments;
        for (int64_t c = group * by.width; c < (group + 1) * by.width; c++) {
          moments.join(byChannel[c].count, byChannel[c].mean, byChannel[c].squares);
        }
        means[group] = static_cast<float>(moments.mean);
        variances[group] = static_cast<float>(moments.squares / moments.count);
      }
      const Parameters parameters = parametersOf(by, gamma, beta, means, variances);
      writeNormalized(activation_, by.rows, from, parameters.columns, y.data() + image * by.size);
    }
  }
};

/** dy, x, gamma, beta, mean, variance → dx, dgamma, dbeta. */
struct GroupNormActivationGrad : GroupKernel {
  using GroupKernel::GroupKernel;

  void run(const Run& run) const {
    const Tensor x = run.input(1);
    const Shape shape = x.shape();
    const Groups by(shape, groups_);
    const int64_t channels = by.rows.channels;
    run.input(0, elements(shape), "dy");
    const Tensor gamma = run.input(2, channels, "gamma"), beta = run.input(3, channels, "beta");
    const Tensor mean = run.input(4, by.images * groups_, "mean");
    const Tensor variance = run.input(5, by.images * groups_, "variance");
    const Tensor dx = run.outputInPlaceOf(0, 0, shape), dy = run.input(0);
    const Tensor dgamma = run.output(1, {channels}), dbeta = run.output(2, {channels});
    std::vector<double> totals(2 * channels);
    for (int64_t image = 0; image < by.images; image++) {
      const int64_t at = image * by.size, group = image * groups_;
      const Parameters parameters = parametersOf(by, gamma, beta, mean.data() + group, variance.data() + group);
      const std::vector<double> sums =
          gradientSums(activation_, by.rows, dy.data() + at, x.data() + at, parameters.columns);
      for (int64_t i = 0; i < 2 * channels; i++) totals[i] += sums[i];
      const std::vector<float> means = meansOfGroups(by, gamma.data(), sums);
      writeGradient(activation_, by.rows, dy.data() + at, x.data() + at, parameters.columns, means, dx.data() + at);
    }
    for (int64_t c = 0; c < channels; c++) {
      dbeta.data()[c] = static_cast<float>(totals[c]);
      dgamma.data()[c] = static_cast<float>(totals[channels + c]);
    }
  }

 private:
  /** By channel, the means over its group of gamma·dz and of gamma·dz·x̂. */
  static std::vector<float> meansOfGroups(const Groups& by, const float* gamma, const std::vector<double>& sums) {
    const int64_t channels = by.rows.channels;
    std::vector<float> means(2 * channels);
    for (int64_t first = 0; first < 2 * channels; first += by.width) {
      double total = 0;
      for (int64_t i = first; i < first + by.width; i++) total += gamma[i % channels] * sums[i];
      for (int64_t i = first; i < first + by.width; i++) means[i] = static_cast<float>(total / by.count());
    }
    return means;
  }
};

/** y is like x; of the statistics, only the kernel knows the shapes. */
void inferShapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
  if (TF_GetCode(status) == TF_OK) likeInputs<0>(context, status);
}

}  // namespace

void registerGroupNorm() {
  std::vector<const char*> attributes = NORMALIZATION_ATTRIBUTES;
  attributes.push_back("groups: int");
  registerOp({"HarnessGroupNormActivation", {"x", "gamma", "beta"}, {"y", "mean", "variance"}, attributes, inferShapes});
  registerKernel<GroupNormActivation>("HarnessGroupNormActivation");
  registerOp({"HarnessGroupNormActivationGrad", {"dy", "x", "gamma", "beta", "mean", "variance"},
              {"dx", "dgamma", "dbeta"}, attributes, likeInputs<1, 2, 3>});
  registerKernel<GroupNormActivationGrad>("HarnessGroupNormActivationGrad");
}

}  // namespace harness
