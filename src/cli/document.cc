#include "src/cli/document.h"

#include "harness/base/errors.h"
#include "harness/base/files.h"
#include "src/cli/say.h"
#include "src/report/files.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

bool IsFile(const std::string& path) { return !path.empty() && path != "-"; }

}  // namespace

void CheckDocument(const std::string& path) {
  if (!IsFile(path)) return;
  try {
    PrepareReportFile(path);
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
}

void WriteDocument(const std::string& path, std::string_view document) {
  if (path == "-") PrintDocument(document);
  if (!IsFile(path)) return;
  CheckDocument(path);
  try {
    ReplaceFile(path, document);
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
}

}  // namespace sockproof
