// What the commands of scripts need, found in their text: files beside the scripts, and programs.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sockproof::packetdrill {

struct Companions {
  std::map<std::string, std::string> files;  // contents by absolute path
  std::set<std::filesystem::path> programs;  // the shell, and whatever has the name of one
};

// Of these scripts, which are among the files themselves: the files that their commands name by a
// relative path, with all that is in the same folder, and each word there that names a program of this
// machine.
Companions CompanionsOf(const std::vector<std::string>& scripts);

}  // namespace sockproof::packetdrill
