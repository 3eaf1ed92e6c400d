// Other programs: xz, apt-get, qemu, runc.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace sockproof {

// The path of `name` in PATH; empty when there is none.
std::string FindProgram(const std::string& name);

// Whether what a child does before it becomes the program changes memory.
enum class ChildMemory {
  kCopied,  // by fork
  kShared,  // by vfork: cheaper by a copy of the page tables; the child must change no memory and
            // make no user namespace
};

// Starts `command`, a path or a name that PATH knows and its arguments. Its descriptor i is
// descriptors[i] of this process, the null device where that is -1; three at least, nine at most,
// and it has no other. It dies with this process. `in_child` is called between fork and exec
// (async-signal-safe calls only) while all descriptors are still there; an errno that it returns is
// why the program could not be started, 0 means to go on. Throws HarnessError.
pid_t StartProgram(std::vector<std::string> command, const std::vector<int>& descriptors,
                   const std::function<int()>& in_child = {},
                   ChildMemory memory = ChildMemory::kCopied);

// Runs `command`, named as above, and returns what it printed. Throws HarnessError when it cannot be
// started or fails, with the end of what it complained about.
std::string RunProgram(const std::vector<std::string>& command);

}  // namespace sockproof
