#include "harness/base/errors.h"

#include <errno.h>
#include <string.h>

namespace sockproof {

void ThrowErrno(const std::string& what) { ThrowErrno(what, errno); }

void ThrowErrno(const std::string& what, int error_number) {
  throw HarnessError(what + ": " + strerror(error_number) + " (" + ErrnoName(error_number) + ")");
}

std::string ErrnoName(int error_number) {
  const char* name = strerrorname_np(error_number);
  return name != nullptr ? name : "errno " + std::to_string(error_number);
}

int ErrnoFromName(const std::string& name) {
  constexpr int kLargestErrno = 4095;
  for (int number = 1; number <= kLargestErrno; ++number) {
    const char* candidate = strerrorname_np(number);
    if (candidate != nullptr && name == candidate) return number;
  }
  return 0;
}

}  // namespace sockproof
