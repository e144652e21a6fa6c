// Intel since Haswell, AMD since Zen.
#pragma GCC target("avx2,fma")
#define INSTRUCTIONS avx2
#define LANES 8
#include "all-loops.h"
