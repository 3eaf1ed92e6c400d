#include "src/run/user_file.h"

#include "harness/base/errors.h"
#include "harness/base/files.h"
#include "src/run/usage_error.h"

namespace sockproof {

std::string ReadUserFile(const std::string& path) {
  try {
    return ReadFile(path);
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
}

}  // namespace sockproof
