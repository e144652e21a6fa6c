// Loading this module into Node makes the harness's operations known to the TensorFlow in the process.
#include <exception>

#include "node_api.h"

namespace harness {
void registerBatchNorm();
void registerDepthwiseFilter();
void registerGate();
void registerGroupNorm();
void registerLovaszHinge();
}

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  // Node calls this again in another thread of workers; TensorFlow knows the operations already.
  static bool registered = false;
  if (registered) return exports;
  try {
    harness::registerBatchNorm();
    harness::registerDepthwiseFilter();
    harness::registerGate();
    harness::registerGroupNorm();
    harness::registerLovaszHinge();
    registered = true;
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
  }
  return exports;
}
