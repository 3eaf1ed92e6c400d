#include "src/cli/say.h"

#include <errno.h>
#include <stdio.h>

#include "harness/base/errors.h"

namespace sockproof {

void PrintText(std::string_view text) { PrintDocument(CleanLog(text)); }

void PrintDocument(std::string_view document) {
  if (fwrite(document.data(), 1, document.size(), stdout) != document.size()) {
    ThrowErrno("cannot write to standard output");
  }
}

void FlushOutput() {
  if (fflush(stdout) != 0) ThrowErrno("cannot write to standard output");
}

void Say(const std::string& text) {
  const std::string line = CleanLog("sockproof: " + OnOneLine(text)) + "\n";
  fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace sockproof
