// Shell commands of scripts, as they are, inside the namespaces of the test.
#pragma once

#include <string>
#include <vector>

#include "harness/base/event_loop.h"
#include "harness/net/namespace.h"
#include "src/packetdrill/simple_commands.h"

namespace sockproof::packetdrill {

// From here on this process, and what it starts, has a /tmp and a /proc of its own, and is in `folder`.
// Where it may not mount anything, they stay what they are.
void UsePrivateFolders(const std::string& folder);

class Shell {
 public:
  // Commands run in `space`, which must outlive this, as must the loop.
  Shell(EventLoop& loop, const NetworkNamespace& space) : loop_(loop), space_(space) {}

  using Result = CommandResult;
  // Returns when it has ended. Throws HarnessError when it does not within a minute.
  Result Run(const std::string& command);

 private:
  Result Start(const std::vector<std::string>& words, bool with_output);

  EventLoop& loop_;
  const NetworkNamespace& space_;
};

// What the system lacks, if that is why the command failed: "sysctl: cannot stat /proc/sys/...".
std::string LackToldBy(const Shell::Result& result);

// Of a command that has succeeded: what it said is missing. Of sysctls those count that `script` names
// itself; what scripts share sets those of many kernels.
std::string LackDespiteSuccess(const Shell::Result& result, const std::string& script);

}  // namespace sockproof::packetdrill
