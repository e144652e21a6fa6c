// Every x86-64 (SSE2).
#define INSTRUCTIONS baseline
#define LANES 4
#include "all-loops.h"
