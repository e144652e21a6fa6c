// The gradient of a depthwise convolution with respect to its filter [k,k,C,1] (no dilation, one output per channel):
// dfilter[kh,kw,c] = Σ x[n, oh·stride + kh − top, ow·stride + kw − left, c]·dy[n,oh,ow,c] over n, oh, ow, with zeros beyond
// x's edges. TensorFlow's kernel copies x's windows out for every output pixel.
#include <algorithm>
#include <string>

#include "loops.h"
#include "op.h"
#include "parallel.h"

namespace harness {
namespace {

constexpr int64_t CHANNELS_AT_ONCE = 32;  // two of the widest vectors
constexpr int64_t BAND_PIXELS = 1024;     // x and dy of a band stay in the cache over the filter's rows

/** One image's band of output rows, with the place of its sums. */
struct Part {
  int64_t image;
  Band band;
};

std::vector<Part> divide(int64_t images, const DepthwiseShape& s) {
  const int64_t bands = std::clamp<int64_t>(s.outputHeight * s.outputWidth / BAND_PIXELS, 1, s.outputHeight);
  std::vector<Part> parts;
  for (int64_t image = 0; image < images; image++) {
    for (int64_t b = 0; b < bands; b++) {
      parts.push_back({image, {s.outputHeight * b / bands, s.outputHeight * (b + 1) / bands}});
    }
  }
  return parts;
}

struct Side {
  int64_t output, padBefore;
};

/** Output side and zeros before the input, as TensorFlow counts: SAME pads the odd pixel at the end. */
Side windowed(int64_t input, int64_t window, int64_t stride, bool same) {
  if (!same) return {(input - window + stride) / stride, 0};
  const int64_t output = (input + stride - 1) / stride;
  return {output, std::max<int64_t>(0, (output - 1) * stride + window - input) / 2};
}

/** x, dy → dfilter [filter_height, filter_width, C, 1]. */
class DepthwiseFilterGrad {
 public:
  explicit DepthwiseFilterGrad(const Attributes& attributes)
      : stride_(attributes.whole("stride")), filterHeight_(attributes.whole("filter_height")),
        filterWidth_(attributes.whole("filter_width")), same_(attributes.text("padding") == "SAME") {}

  void run(const Run& run) const {
    const Tensor x = run.input(0);
    const Shape shape = x.shape();
    if (shape.size() != 4) throw std::runtime_error("Expected [N,H,W,C] for x but received another rank.");
    const DepthwiseShape s = describe(shape);
    const Tensor dy = run.input(1, shape[0] * s.outputHeight * s.outputWidth * s.channels, "dy");
    const Tensor filter = run.output(0, {filterHeight_, filterWidth_, s.channels, 1});
    const std::vector<Part> parts = divide(shape[0], s);
    const int64_t size = filterHeight_ * filterWidth_ * s.channels;
    std::vector<float> sums(parts.size() * size);
    const int64_t tiles = (s.channels + CHANNELS_AT_ONCE - 1) / CHANNELS_AT_ONCE;
    parallelFor(parts.size() * tiles, [&](int64_t item) {
      const auto& [image, band] = parts[item / tiles];
      const int64_t channel = item % tiles * CHANNELS_AT_ONCE;
      const float* xImage = x.data() + image * s.height * s.width * s.channels;
      const float* dyImage = dy.data() + image * s.outputHeight * s.outputWidth * s.channels;
      loops().depthwiseFilter(s, xImage, dyImage, band, channel, std::min(CHANNELS_AT_ONCE, s.channels - channel),
                              &sums[item / tiles * size]);
    });
    std::fill_n(filter.data(), size, 0.0f);
    for (size_t part = 0; part < parts.size(); part++) {
      for (int64_t i = 0; i < size; i++) filter.data()[i] += sums[part * size + i];
    }
  }

 private:
  DepthwiseShape describe(const Shape& x) const {
    const Side rows = windowed(x[1], filterHeight_, stride_, same_), columns = windowed(x[2], filterWidth_, stride_, same_);
    if (x[0] == 0 || x[3] == 0 || rows.output <= 0 || columns.output <= 0) {
      throw std::runtime_error("Expected x no smaller than the filter but received a smaller one.");
    }
    return {x[1], x[2], x[3], rows.output, columns.output, stride_, filterHeight_, filterWidth_, rows.padBefore,
            columns.padBefore};
  }

  const int64_t stride_, filterHeight_, filterWidth_;
  const bool same_;
};

}  // namespace

void registerDepthwiseFilter() {
  // The C interface gives a shape function no whole-number attribute: the shape is known when it runs.
  registerOp({"HarnessDepthwiseFilterGrad", {"x", "dy"}, {"dfilter"},
              {"stride: int >= 1", "padding: {'SAME', 'VALID'}", "filter_height: int >= 1", "filter_width: int >= 1"},
              TF_ShapeInferenceContextSetUnknownShape});
  registerKernel<DepthwiseFilterGrad>("HarnessDepthwiseFilterGrad");
}

}  // namespace harness
