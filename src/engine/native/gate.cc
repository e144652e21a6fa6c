// The gate of squeeze-and-excitation (Hu et al., 2018, equation 4): y[n,h,w,c] = x[n,h,w,c]·gate[n,c]. Its gradient takes both
// dx = dy·gate and dgate = Σ dy·x over h and w in one reading, without a product of x's size.
#include <algorithm>

#include "loops.h"
#include "op.h"
#include "parallel.h"
#include "rows.h"

namespace harness {
namespace {

/** The images of x, each seen as rows. */
struct Images {
  Shape shape;
  int64_t count, size;
  Rows rows;

  explicit Images(const Shape& shape) : shape(checked(shape)), count(shape[0]), size(elements(shape) / shape[0]),
                                        rows(shape[1] * shape[2], shape[3]) {}

  /** Calls work(image, its block, its offset) for every block of every image, in parallel. */
  template <class Work>
  void eachBlock(const Work& work) const {
    parallelFor(count * rows.blocks, [&](int64_t item) {
      const int64_t image = item / rows.blocks;
      work(image, item % rows.blocks, image * size);
    });
  }

 private:
  static const Shape& checked(const Shape& shape) {
    if (shape.size() == 4 && elements(shape) > 0) return shape;
    throw std::runtime_error("Expected [N,H,W,C] with at least one element for x but received another shape.");
  }
};

struct Kernel {
  explicit Kernel(const Attributes&) {}
};

/** x, gate → y. */
struct Gate : Kernel {
  using Kernel::Kernel;

  void run(const Run& run) const {
    const Images images(run.input(0).shape());
    const Rows& rows = images.rows;
    const Tensor gate = run.input(1, images.count * rows.channels, "gate");
    const Tensor y = run.outputInPlaceOf(0, 0, images.shape), x = run.input(0);
    images.eachBlock([&](int64_t image, int64_t block, int64_t offset) {
      const float* byChannel = gate.data() + image * rows.channels;
      const int64_t first = rows.blockStart(block), count = rows.blockStart(block + 1) - first;
      const float* from = x.data() + offset;
      float* to = y.data() + offset;
      loops().scale(rows.row(from, first), count, rows.width, rows.repeated(byChannel).data(), rows.row(to, first));
      if (block > 0) return;
      for (int64_t i = rows.rows * rows.width; i < images.size; i++) to[i] = from[i] * byChannel[i % rows.channels];
    });
  }
};

/** dy, x, gate → dx, dgate. */
struct GateGrad : Kernel {
  using Kernel::Kernel;

  void run(const Run& run) const {
    const Tensor x = run.input(1);
    const Images images(x.shape());
    const Rows& rows = images.rows;
    run.input(0, images.count * images.size, "dy");
    const Tensor gate = run.input(2, images.count * rows.channels, "gate");
    const Tensor dx = run.outputInPlaceOf(0, 0, images.shape), dy = run.input(0);
    const Tensor dgate = run.output(1, {images.count, 1, 1, rows.channels});
    std::vector<double> sums(images.count * rows.blocks * rows.channels);
    images.eachBlock([&](int64_t image, int64_t block, int64_t offset) {
      const float* byChannel = gate.data() + image * rows.channels;
      double* sum = &sums[(image * rows.blocks + block) * rows.channels];
      gradientOfBlock(rows, block, dy.data() + offset, x.data() + offset, byChannel, dx.data() + offset, sum);
    });
    for (int64_t i = 0; i < images.count * rows.channels; i++) {
      const double* sum = &sums[i / rows.channels * rows.blocks * rows.channels + i % rows.channels];
      double total = 0;
      for (int64_t block = 0; block < rows.blocks; block++) total += sum[block * rows.channels];
      dgate.data()[i] = static_cast<float>(total);
    }
  }

 private:
  /** The first block has the pixels after the last whole row too. */
  static void gradientOfBlock(const Rows& rows, int64_t block, const float* dy, const float* x, const float* gate,
                              float* dx, double* sum) {
    const std::vector<float> repeated = rows.repeated(gate);
    const int64_t first = rows.blockStart(block);
    rows.eachStrip(first, rows.blockStart(block + 1) - first, [&](int64_t start, int64_t n) {
      std::vector<float> strip(rows.width);
      loops().scaleGradient(rows.row(dy, start), rows.row(x, start), n, rows.width, repeated.data(), rows.row(dx, start),
                            strip.data());
      rows.eachColumn(1, [&](int64_t channel, int64_t i) { sum[channel] += strip[i]; });
    });
    if (block > 0) return;
    for (int64_t i = rows.rows * rows.width; i < rows.pixels * rows.channels; i++) {
      sum[i % rows.channels] += static_cast<double>(dy[i]) * x[i];
      dx[i] = dy[i] * gate[i % rows.channels];
    }
  }
};

}  // namespace

void registerGate() {
  registerOp({"HarnessGate", {"x", "gate"}, {"y"}, {}, likeInputs<0>});
  registerKernel<Gate>("HarnessGate");
  registerOp({"HarnessGateGrad", {"dy", "x", "gate"}, {"dx", "dgate"}, {}, likeInputs<1, 2>});
  registerKernel<GateGrad>("HarnessGateGrad");
}

}  // namespace harness
