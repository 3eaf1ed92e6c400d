// Commands that need no shell: those that nearly all scripts begin with set thirty sysctls, each by a
// process of its own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/time.h"

namespace sockproof::packetdrill {

struct CommandResult {
  int status = 0;      // the exit code, 128 and the number for a signal
  std::string output;  // of both outputs
  Duration computed{0};  // the time of processors that its programs used
};

// What is said of a sysctl of FreeBSD that Linux has no equal for.
inline constexpr const char* kWithoutEqual = "and Linux has nothing that does the same";

// Starts a program with these words, its output dropped or not, and waits for it.
using RunWords =
    std::function<CommandResult(const std::vector<std::string>& words, bool with_output)>;

// Does what a shell would do for `command` in the current folder and namespaces of the calling thread,
// if that is a list of sysctl(8) (of FreeBSD, too: bsd_sysctls.h), echo to a file, set_sysctls.py (the helper of google/packetdrill and
// Linux), scripts of the shell that consist of the same, and programs with plain arguments. None: it
// is more than that, and nothing was done. `pid` is what ${PPID} stands for. Unless `machine_is_own`,
// files of the kernel that are not of the network are "Read-only", but for the value that they have.
std::optional<CommandResult> RunSimpleCommands(const std::string& command, int pid, bool machine_is_own,
                                               const RunWords& run);

}  // namespace sockproof::packetdrill
