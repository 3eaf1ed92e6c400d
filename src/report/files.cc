#include "src/report/files.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <cctype>

#include "harness/base/errors.h"
#include "src/report/ktap.h"

namespace sockproof {

namespace fs = std::filesystem;

const std::vector<ReportForm>& ReportForms() {
  static const std::vector<ReportForm> forms = {
      {"--junit", "JUnit", &ReportFiles::junit,
       [](const RunResult& run, const ReportFiles& files, const std::string& results_path) {
         return RenderJunit(run, results_path, files.junit_dialect);
       }},
      {"--ktap", "KTAP", &ReportFiles::ktap,
       [](const RunResult& run, const ReportFiles&, const std::string&) {
         return RenderKtap(run);
       }},
      {"--kcidb", "KCIDB", &ReportFiles::kcidb,
       [](const RunResult& run, const ReportFiles& files, const std::string&) {
         return RenderKcidb(run, files.kcidb_names);
       }}};
  return forms;
}

std::string PathForSystem(const std::string& path, const std::string& sut) {
  constexpr std::string_view kPlaceholder = "{sut}";
  std::string name = sut;
  for (char& c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
    if (!plain) c = '-';
  }
  std::string result = path;
  for (std::size_t at = 0; (at = result.find(kPlaceholder, at)) != std::string::npos;) {
    result.replace(at, kPlaceholder.size(), name);
    at += name.size();
  }
  return result;
}

void PrepareReportFile(const std::string& path) {
  try {
    const fs::path folder = fs::absolute(path).parent_path();
    fs::create_directories(folder);
    if (access(folder.c_str(), W_OK | X_OK) != 0) {
      throw HarnessError("cannot write " + path + ": " + strerror(errno));
    }
    if (fs::exists(path) && !fs::is_regular_file(path)) {
      throw HarnessError("cannot write " + path + ": it is not a regular file");
    }
  } catch (const fs::filesystem_error& error) {
    throw HarnessError("cannot write " + path + ": " + error.code().message());
  }
}

void WriteReportFiles(const ReportFiles& files, const RunResult& run, const fs::path& results) {
  for (const ReportForm& form : ReportForms()) {
    if ((files.*form.path).empty()) continue;
    const std::string path = PathForSystem(files.*form.path, run.sut);
    const fs::path folder = fs::weakly_canonical(fs::absolute(path)).parent_path();
    const std::string results_path = fs::canonical(results).lexically_relative(folder);
    ReplaceFile(path, form.render(run, files, results_path));
  }
}

}  // namespace sockproof
