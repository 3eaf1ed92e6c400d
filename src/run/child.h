// Child processes of the runner: forked, not executed, because a test is a function of this
// program.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "harness/base/time.h"

namespace sockproof {

// Forks a child that runs `work` and leaves with exit code 0, or 1 after an exception. The child
// leads its own process group, dies with this process, ignores SIGINT, dies of SIGPIPE, blocks no
// signal, reads nothing on stdin, prints into `output`, and holds no other descriptor of this
// process than `channel`, whose new number `work` is given.
// The calling process must be single-threaded. Throws HarnessError when fork() fails.
pid_t ForkChild(int channel, int output, const std::function<void(int channel)>& work);

// How a child ended.
struct ChildEnd {
  bool clean = false;  // with exit code 0
  bool by_signal = false;
  std::string text;  // "crashed: SIGSEGV", "exited with 3"
};

// False while the child runs. Once it has ended: kills what is left of its process group, reaps it
// and fills `end`.
bool Reap(pid_t child, ChildEnd& end);

// Waits until the child has ended; it is still to be reaped.
void WaitForEnd(pid_t child);

// Kills the child's process group; the child is still to be reaped.
void Kill(pid_t child);

// Calls `work` in a child and returns what it returned. Throws HarnessError when it threw (with its
// text), crashed, or took longer than `limit`.
std::string CallInChild(const std::function<std::string()>& work, Duration limit);

}  // namespace sockproof
