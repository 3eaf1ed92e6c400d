// The folder that a run writes its results to.
#pragma once

#include <filesystem>
#include <string>

#include "harness/base/unique_fd.h"

namespace sockproof {

// Makes the folder, or takes one over that an earlier run made. Holds a lock on it for as long as
// it lives. Move-only.
class OutputDirectory {
 public:
  // Throws UsageError when the folder cannot be written, is not empty and was not made by
  // sockproof, or is in use by another run.
  explicit OutputDirectory(const std::string& path);

  // Removes the results of earlier runs, those in folders of single systems too; files of others
  // are left alone. Throws UsageError, also when another run is writing to such a folder.
  void Remove();

  // Remove(), and a folder for the evidence of tests.
  void Clear();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  UniqueFd lock_;
};

}  // namespace sockproof
