#pragma once
#include <cstdint>
#include <functional>

namespace harness {

/**
 * Calls work(0) … work(count − 1), each once, on as many threads as TensorFlow uses within an operation
 * (TF_NUM_INTRAOP_THREADS, else one per processor), and returns when all are done. Which thread takes which item is left
 * to chance: an item must write only what is its own, and sums over items belong after this, in the order of the items.
 * The C interface of TensorFlow does not give out its own threads, which idle meanwhile.
 */
void parallelFor(int64_t count, const std::function<void(int64_t)>& work);

}  // namespace harness
