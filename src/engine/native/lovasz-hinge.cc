// The Lovász hinge of the Jaccard loss (Berman et al., 2018, https://arxiv.org/abs/1705.08790, equations 6, 8 and 9), row by
// row: with the errors e = max(0, 1 − logit·y), y = ±1, in falling order, Σ e_i·(Δ_i − Δ_(i−1)), where Δ_i is the Jaccard loss
// of a prediction that is wrong at the first i pixels. TensorFlow has no gradient of sorting, and sorts indices by
// comparisons; here one radix sort of the errors above zero (the others add nothing) gives value and gradient together.
#include <cstring>
#include <utility>

#include "op.h"
#include "parallel.h"

namespace harness {
namespace {

struct Pixel {
  uint32_t error;  // the bits of a float32
  uint32_t place;
};

/** Sorts by falling error, equal ones by their place: float32 above zero are in the order of their bits. */
void sortFalling(std::vector<Pixel>& pixels) {
  constexpr int BITS = 11;
  constexpr uint32_t DIGITS = 1 << BITS;
  std::vector<Pixel> sorted(pixels.size());
  for (int shift = 0; shift < 32; shift += BITS) {
    const auto digit = [shift](const Pixel& pixel) { return ~pixel.error >> shift & (DIGITS - 1); };
    std::vector<size_t> starts(DIGITS + 1);
    for (const Pixel& pixel : pixels) starts[digit(pixel) + 1]++;
    for (uint32_t i = 1; i < DIGITS; i++) starts[i] += starts[i - 1];
    for (const Pixel& pixel : pixels) sorted[starts[digit(pixel)]++] = pixel;
    std::swap(pixels, sorted);
  }
}

/** Of one class: its pixels, and how many of them are among those that were passed. */
struct Class {
  double pixels;
  double passed = 0;

  /**
   * Δ_i − Δ_(i−1), for Δ_i = i/union_i: written as one fraction, since the two are nearly equal where the union is large.
   * Where the class has no pixel, the first wrong one makes all the loss.
   */
  double step(double i, bool member) {
    passed += member;
    const double all = pixels + i - passed;
    if (member) return 1 / all;
    return all == 1 ? 1 : (all - i) / (all * (all - 1));
  }
};

/** logits, masks [R,M] → losses [R] and their slopes by the logits [R,M]; symmetric: the mean with that of the background. */
class LovaszHinge {
 public:
  explicit LovaszHinge(const Attributes& attributes) : symmetric_(attributes.whole("symmetric") != 0) {}

  void run(const Run& run) const {
    const Tensor logits = run.input(0);
    const Shape shape = logits.shape();
    if (shape.size() != 2) throw std::runtime_error("Expected [R,M] for the logits but received another rank.");
    const int64_t rows = shape[0], count = shape[1];
    const Tensor masks = run.input(1, rows * count, "the masks");
    const Tensor losses = run.output(0, {rows}), slopes = run.output(1, shape);
    parallelFor(rows, [&](int64_t row) {
      const int64_t start = row * count;
      losses.data()[row] = hinge(logits.data() + start, masks.data() + start, count, slopes.data() + start);
    });
  }

 private:
  float hinge(const float* logits, const float* masks, int64_t count, float* slopes) const {
    std::vector<Pixel> wrong;
    wrong.reserve(count);
    Class inside{0}, outside{0};
    for (int64_t i = 0; i < count; i++) {
      (masks[i] > 0.5f ? inside : outside).pixels++;
      const float error = 1 - (masks[i] > 0.5f ? logits[i] : -logits[i]);
      slopes[i] = 0;
      if (error <= 0) continue;  // but not where it is no number: neither is the loss then
      Pixel pixel{0, static_cast<uint32_t>(i)};
      std::memcpy(&pixel.error, &error, sizeof(error));
      wrong.push_back(pixel);
    }
    sortFalling(wrong);
    double loss = 0;
    for (size_t i = 0; i < wrong.size(); i++) {
      float error;
      std::memcpy(&error, &wrong[i].error, sizeof(error));
      const bool member = masks[wrong[i].place] > 0.5f;
      double step = inside.step(i + 1, member);
      if (symmetric_) step = (step + outside.step(i + 1, !member)) / 2;
      loss += error * step;
      slopes[wrong[i].place] = member ? -step : step;
    }
    return loss;
  }

  const bool symmetric_;
};

/** losses have one value for each row, slopes the logits' shape. */
void inferShapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeHandle *logits = TF_NewShapeHandle(), *rows = TF_NewShapeHandle();
  TF_ShapeInferenceContextGetInput(context, 0, logits, status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSubshape(context, logits, 0, 1, rows, status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, 0, rows, status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, 1, logits, status);
  TF_DeleteShapeHandle(rows);
  TF_DeleteShapeHandle(logits);
}

}  // namespace

void registerLovaszHinge() {
  registerOp({"HarnessLovaszHinge", {"logits", "masks"}, {"losses", "slopes"}, {"symmetric: int"}, inferShapes});
  registerKernel<LovaszHinge>("HarnessLovaszHinge");
}

}  // namespace harness
