// Shell commands of scripts, as they are, inside the namespaces of the test.
#pragma once

#include <string>
#include <vector>

#include "harness/base/event_loop.h"
#include "harness/net/namespace.h"
#include "src/packetdrill/simple_commands.h"

namespace sockproof::packetdrill {

class Shell {
 public:
  // Commands run in `space`, which must outlive this, as must the loop. From here on the process has
  // its own /tmp, is in `folder`, and is confined (confinement.h) unless the whole machine is the test's.
  Shell(EventLoop& loop, const NetworkNamespace& space, const std::string& folder, bool machine_is_own);

  using Result = CommandResult;
  // From here on commands go ahead of processes that compute, where that is allowed.
  void GoAhead() { goes_ahead_ = true; }
  // Returns when it has ended. Throws HarnessError when it does not within a minute, Inconclusive
  // when that may be this machine, Skip where commands cannot be confined.
  Result Run(const std::string& command);

 private:
  Result Start(const std::vector<std::string>& words, bool with_output, int script = -1);

  EventLoop& loop_;
  const NetworkNamespace& space_;
  const bool machine_is_own_;
  const std::string why_not_confined_;  // empty: it is, or need not be
  bool goes_ahead_ = false;
};

// What the system lacks, if that is why the command failed: "sysctl: cannot stat /proc/sys/...".
std::string LackToldBy(const Shell::Result& result);

// Of a command that has succeeded: what it said is missing. Of sysctls those count that `script` names
// itself; what scripts share sets those of many kernels.
std::string LackDespiteSuccess(const Shell::Result& result, const std::string& script);

}  // namespace sockproof::packetdrill
