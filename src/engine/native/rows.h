// A tensor [N,H,W,C] as the loops see it: rows of equal width, in blocks that depend on the shape alone.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace harness {

/**
 * A row holds `repeat` pixels, so that its width is a multiple of C and of a vector. Sums are taken by block and added in
 * the order of the blocks, which makes them bit-equal whatever thread took which block, and however many there are.
 */
struct Rows {
  int64_t channels;
  int64_t pixels;
  int64_t repeat;
  int64_t width;
  int64_t rows;    // whole ones
  int64_t rest;    // pixels after the last whole row
  int64_t blocks;  // of whole rows
  int64_t strip;   // rows that stay in the processor's cache between two readings

  Rows(int64_t pixels, int64_t channels);
  int64_t blockStart(int64_t block) const { return rows * block / blocks; }
  const float* row(const float* x, int64_t row) const { return x + row * width; }
  float* row(float* x, int64_t row) const { return x + row * width; }

  /** Values by channel, repeated to the width of a row. */
  std::vector<float> repeated(const float* byChannel) const;
  /** The pixels after the last whole row as a row of its own, filled up with zeros. */
  std::vector<float> restAsRow(const float* x) const;
  /** Calls work(block, first row, rows) for every block, in parallel. */
  void eachBlock(const std::function<void(int64_t, int64_t, int64_t)>& work) const;
  /** Calls work(channel, column) for every column of `count` rows, in order. */
  template <class Work>
  void eachColumn(int64_t count, const Work& work) const {
    for (int64_t start = 0; start < count * width; start += channels) {
      for (int64_t channel = 0; channel < channels; channel++) work(channel, start + channel);
    }
  }
  /** Calls work(first row, rows) for every strip of some rows, in order. */
  template <class Work>
  void eachStrip(int64_t first, int64_t count, const Work& work) const {
    for (int64_t done = 0; done < count; done += strip) work(first + done, done + strip < count ? strip : count - done);
  }
};

}  // namespace harness
