#include "src/run/output_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

// Marks a folder as ours from before the first result to after a kill; also carries the lock.
constexpr const char* kMarker = ".sockproof";

bool HoldsOurResult(const fs::path& directory) {
  std::ifstream file(directory / "result.json");
  const auto json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.value("format", nlohmann::json()) == "sockproof-result";
}

void RemoveRun(const fs::path& folder) {
  fs::remove(folder / "result.json");
  fs::remove_all(folder / "tests");
}

// The results of a single system, in a folder below that of the run.
void RemoveSystem(const fs::path& folder) {
  const UniqueFd lock(open((folder / kMarker).c_str(), O_RDWR | O_CLOEXEC));
  if (lock && flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    throw UsageError("another run is writing to '" + folder.string() + "'; choose another --out");
  }
  RemoveRun(folder);
  fs::remove(folder / kMarker);
  if (fs::is_empty(folder)) fs::remove(folder);
}

}  // namespace

OutputDirectory::OutputDirectory(const std::string& path) : path_(path) {
  try {
    fs::create_directories(path_);
    if (!fs::is_empty(path_) && !fs::exists(path_ / kMarker) && !HoldsOurResult(path_)) {
      throw UsageError("'" + path + "' is not empty and was not made by sockproof; " +
                       "choose another --out");
    }
    lock_.Reset(open((path_ / kMarker).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!lock_) throw UsageError("cannot write to '" + path + "': " + strerror(errno));
    if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      throw UsageError("another run is writing to '" + path + "'; choose another --out");
    }
  } catch (const fs::filesystem_error& error) {
    throw UsageError("cannot write to '" + path + "': " + error.code().message());
  }
}

void OutputDirectory::Remove() {
  try {
    RemoveRun(path_);
    std::vector<fs::path> systems;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_)) {
      const bool is_folder = fs::is_directory(entry.symlink_status());
      if (is_folder && fs::exists(entry.path() / kMarker)) systems.push_back(entry.path());
    }
    for (const fs::path& system : systems) RemoveSystem(system);
  } catch (const fs::filesystem_error& error) {
    throw UsageError("cannot write to '" + path_.string() + "': " + error.code().message());
  }
}

void OutputDirectory::Clear() {
  Remove();
  try {
    fs::create_directory(path_ / "tests");
  } catch (const fs::filesystem_error& error) {
    throw UsageError("cannot write to '" + path_.string() + "': " + error.code().message());
  }
}

}  // namespace sockproof
