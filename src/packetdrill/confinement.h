// What the commands of a script cannot reach: everything but the network of the test and its own files.
#pragma once

#include <string>

namespace sockproof::packetdrill {

// From here on this process, and what it starts, is in `folder` and has a host name, System V IPC, a
// /proc, a /tmp, a /run and a /dev of its own. All other files, and all sysctls but those of the network
// namespace, can be read and not be written. The process must be alone in its PID namespace, so that
// what it starts sees no other.
// Returns why that is not to be had here: then commands must not be run. Empty: all is as it is said.
std::string ConfineFiles(const std::string& folder);

// The same where the whole machine is the test's: a /proc and a /tmp of its own, if they are to be had.
void OwnFiles(const std::string& folder);

// Between fork and exec: keeps the privileges over the network and over files, and gives up all by which
// a program could undo ConfineFiles() or change the machine, for good. Returns 0 or the errno.
int GiveUpPrivileges();

}  // namespace sockproof::packetdrill
