// sockproof merge.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "harness/base/errors.h"
#include "src/cli/command.h"
#include "src/cli/say.h"
#include "src/report/merge.h"
#include "src/report/read_result.h"
#include "src/report/summary.h"
#include "src/run/output_directory.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

struct MergeArguments {
  std::string out;                 // folder
  std::vector<std::string> parts;  // folders with a result.json, or such files
};

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

int MergeResults(const MergeArguments& arguments) {
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
  PrintText(RenderSummary(merged, /*color=*/false));
  Print("results in {}\n", arguments.out);
  return 0;
}

constexpr const char* kMergeHelp = R"(Examples:
  sockproof merge all shard-1 shard-2 shard-3    one result, with the evidence of each test

Exit code: 0 done, 2 wrong usage, or results that do not go together.)";

Action AddMerge(CLI::App& app) {
  auto arguments = std::make_shared<MergeArguments>();
  app.add_option("OUT", arguments->out, "Folder to write, as --out of run")
      ->required()
      ->type_name("");
  app.add_option("DIR", arguments->parts, "Folders of results")->required()->type_name("");
  return [arguments](const std::string&) { return MergeResults(*arguments); };
}

const CommandRegistration kMerge({"merge", CommandGroup::kResults,
                                  "Make one result of those of shards, or of different tests",
                                  kMergeHelp, AddMerge});

}  // namespace
}  // namespace sockproof
