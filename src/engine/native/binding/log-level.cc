// TensorFlow 2.21 looks at TF_CPP_MIN_LOG_LEVEL when its library is initialized, and before that it has logged already that
// oneDNN is on. The binding, which this is linked into, is initialized first (-z initfirst) and sets the same level by then.
#include <cstdlib>

namespace absl {
inline namespace lts_20250814 {
enum class LogSeverityAtLeast : int {};
void SetMinLogLevel(LogSeverityAtLeast level);
}
}

namespace {
__attribute__((constructor)) void setLogLevel() {
  const char* level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  if (level != nullptr) absl::SetMinLogLevel(static_cast<absl::LogSeverityAtLeast>(std::atoi(level)));
}
}
