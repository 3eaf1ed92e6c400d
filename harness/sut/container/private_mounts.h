// The mounts of a test process that runs containers: its own, gone with its processes. Nothing is
// written to this machine's folders, whatever a runtime keeps lies in a tmpfs.
#pragma once

#include <filesystem>
#include <memory>

#include "harness/net/namespace.h"

namespace sockproof {

// What is brought along into the private mounts, whatever may hide it there. Throws HarnessError
// for what is missing or must not be read.
struct BroughtAlong {
  std::filesystem::path root;     // the root file system of containers, a folder
  std::filesystem::path agent;    // a static program
  std::filesystem::path runtime;  // a program
};

class PrivateMounts {
 public:
  // Moves the calling process, process 1 of its PID namespace, into a mount namespace of its own:
  // /proc is that of the PID namespace, /run an empty tmpfs, /sys/fs/cgroup a hierarchy of control
  // groups in which nothing can be made. Throws HarnessError.
  explicit PrivateMounts(const BroughtAlong& brought);

  // Where things are in it.
  std::filesystem::path agent() const;
  std::filesystem::path runtime() const;

  // A folder for a container, with a root file system, of which changes are kept apart from the
  // original, and its network namespace as a file. Throws HarnessError.
  std::filesystem::path MakeContainerFolder(const std::string& name,
                                            const NetworkNamespace& network) const;

  // For AgentCommand::in_child: hides net.* of /proc/sys from the program that is about to run.
  // runsc takes them for the sign that it is not in a network namespace of its own, which is no
  // longer true from Linux 6.11 on (https://github.com/google/gvisor/issues/10704).
  static int HideNetworkSysctls();
};

}  // namespace sockproof
