// Intel since Skylake-X, AMD since Zen 4.
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma")
#define INSTRUCTIONS avx512
#define LANES 16
#include "all-loops.h"
