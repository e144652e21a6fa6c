#include "loops.h"

namespace harness {
namespace {

const Loops& choose() {
  __builtin_cpu_init();
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (wide) return avx512::LOOPS;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? avx2::LOOPS : baseline::LOOPS;
}

}  // namespace

const Loops& loops() {
  static const Loops& chosen = choose();
  return chosen;
}

}  // namespace harness
