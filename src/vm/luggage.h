// What a run brings along into its guests, beside the program and its agent: files with a user's own
// tests, and the programs of this machine that these start.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sockproof {

struct Luggage {
  std::map<std::string, std::string> files;  // contents by absolute path; executable in the guest
  std::set<std::filesystem::path> programs;  // to the same place, with their libraries
  std::vector<std::string> modules;          // of the kernel, as far as it has them
  bool takes_no_time = false;                // in virtual time: an instruction takes 1 ns, and not 4

  bool empty() const { return files.empty(); }
};

// Of this run; to be filled before a machine is prepared. Not thread-safe.
Luggage& LuggageOfRun();

// What a guest does with it before a test is chosen: adds tests to the registry. To be a constant at
// namespace scope.
using UseLuggage = void (*)();
class LuggageRegistration {
 public:
  explicit LuggageRegistration(UseLuggage use);
};
void UnpackLuggage();

}  // namespace sockproof
