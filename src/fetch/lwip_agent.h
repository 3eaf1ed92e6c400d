// sockproof-agent-lwip for a release of lwIP in the cache: compiled for it, since the structures of lwIP
// differ by its release and options, from the sources and libraries of the clone that this program is of.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "src/fetch/lwip_store.h"

namespace sockproof {

// A clone that was built.
struct Clone {
  std::filesystem::path source;
  std::filesystem::path build;
};

// The one that `program` was built in. Throws HarnessError for an installed one.
Clone CloneOf(const std::filesystem::path& program);

// The command that compiles it to `output`.
std::vector<std::string> CompilerFor(const FetchedLwip& lwip, const Clone& clone,
                                     const std::filesystem::path& output);

// The agent, compiled unless it is there. `say` is told what is being done. Throws HarnessError.
std::filesystem::path AgentFor(const FetchedLwip& lwip, const Clone& clone,
                               const std::function<void(const std::string&)>& say);

}  // namespace sockproof
