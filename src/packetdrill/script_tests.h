// Script files as tests of the registry.
#pragma once

#include <string>
#include <vector>

#include "src/packetdrill/interpreter.h"

namespace sockproof::packetdrill {

struct ScriptOptions {
  Trailing trailing = Trailing::kNote;
  std::vector<Option> options;  // these win over those of a script
  Definitions definitions;      // the same
  bool machine_is_own = false;  // the tests': commands may change all of it
};

// The scripts that `path` means: itself, or all files below it whose name ends in .pkt, sorted.
std::vector<std::string> ScriptsAt(const std::string& path);

// The variants that a script is for: all but those that its name or its --ip_version excludes.
std::vector<Variant> VariantsFor(const std::string& path, const Script& script);

// Adds the tests of all scripts at `path` to the registry and returns the pattern that means them:
// of a folder "tcp" with "blocking/accept.pkt", the test "tcp/blocking.accept/ipv4"; of a file, the
// folder it is in counts. Throws HarnessError for a path that cannot be read.
std::vector<std::string> AddScripts(const std::string& path, const ScriptOptions& options);

}  // namespace sockproof::packetdrill
