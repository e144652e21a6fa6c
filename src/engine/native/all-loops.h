// The loops of one set of instructions. No header of the standard library with code in it may be included here: the
// linker keeps one copy of such code, and it could be one that the processor at hand does not understand.
#include "vector.h"
#include "normalization-loops.h"
#include "depthwise-loops.h"
#include "gate-loops.h"

namespace harness::INSTRUCTIONS {

const Loops LOOPS = {moments, normalize, gradientSums, gradient, depthwiseFilter, scale, scaleGradient};

}  // namespace harness::INSTRUCTIONS
