// sockproof merge.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/cli/commands.h"
#include "src/report/merge.h"
#include "src/report/read_result.h"
#include "src/report/summary.h"
#include "src/run/output_directory.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

fs::path FolderOf(const std::string& part) { return fs::absolute(ResultFile(part)).parent_path(); }

// Making the merged result would remove what it is made of.
void RefuseInside(const std::string& out, const std::string& part) {
  const fs::path relative =
      fs::weakly_canonical(FolderOf(part)).lexically_relative(fs::weakly_canonical(out));
  if (!relative.empty() && *relative.begin() != "..") {
    throw UsageError(
        fmt::format("'{}' is in '{}', the folder to write; choose another", part, out));
  }
}

// The evidence of a test, where there is any: a test that was not run has none.
void CopyFolder(const fs::path& from, const fs::path& to) {
  if (!fs::is_directory(fs::symlink_status(from))) return;
  fs::create_directories(to.parent_path());
  fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::skip_symlinks);
}

}  // namespace

int MergeCommand(const MergeArguments& arguments) {
  std::vector<NamedResult> parts;
  for (const std::string& part : arguments.parts) {
    RefuseInside(arguments.out, part);
    parts.emplace_back(part, ReadResult(part));
  }
  const RunResult merged = Merge(parts);

  OutputDirectory directory(arguments.out);
  directory.Clear();
  try {
    for (const auto& [name, run] : parts) {
      const fs::path from = FolderOf(name);
      for (const TestResult& test : run.tests) {
        CopyFolder(from / test.directory, directory.path() / test.directory);
        for (const Attempt& attempt : test.attempts) {
          CopyFolder(from / attempt.directory, directory.path() / attempt.directory);
        }
      }
    }
    ReplaceFile(directory.path() / "result.json", DumpJson(ToJson(merged)));
  } catch (const fs::filesystem_error& error) {
    throw UsageError(
        fmt::format("cannot copy {}: {}", error.path1().string(), error.code().message()));
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
  fmt::print("{}results in {}\n", RenderSummary(merged, /*color=*/false), arguments.out);
  return 0;
}

}  // namespace sockproof
