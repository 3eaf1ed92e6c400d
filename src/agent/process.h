// An agent as a process.
#pragma once

namespace sockproof::agent {

// To be called first of all: the process ends with its parent, not by a Ctrl-C that is meant for
// all, and survives SIGPIPE.
void BecomeAgent();

}  // namespace sockproof::agent
