// Other programs: xz, apt-get, qemu, runc.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace sockproof {

// The path of `name` in PATH; empty when there is none.
std::string FindProgram(const std::string& name);

// Starts `command` (a path first) with these as standard input, output and error; 0 or more is a
// descriptor of this process, -1 the null device; `fourth`, if it is not -1, becomes descriptor 3.
// It dies with this process and holds no other descriptor. `in_child` is called between fork and
// exec (async-signal-safe calls only) while all descriptors are still there; an errno that it
// returns is why the program could not be started, 0 means to go on. Throws HarnessError.
pid_t StartProgram(const std::vector<std::string>& command, int input, int output, int error,
                   int fourth = -1, const std::function<int()>& in_child = {});

// Runs `command` (a name that PATH knows first) and returns what it printed. Throws HarnessError
// when it cannot be started or fails, with the end of what it complained about.
std::string RunProgram(std::vector<std::string> command);

}  // namespace sockproof
