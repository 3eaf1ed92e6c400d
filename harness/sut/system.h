// A system under test (SUT), behind one interface. A test never says which system it runs on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/claims/facts.h"

namespace sockproof {

class EventLog;
class EventLoop;
class Stack;

// The addresses that a stack gets on its wire, and its name in the log.
struct StackPlan {
  std::string actor;              // "sut", "client", "server"
  int index = 1;                  // 1 or 2: the last byte of its addresses and of its MAC
  int default_gateway_index = 0;  // index of its default gateway on the wire; 0: no default route
  bool wired = true;              // else it has its loopback interface alone

  bool operator==(const StackPlan&) const = default;
};

// One kind of system, e.g. this kernel. Made once by the runner, used in every test process.
class System {
 public:
  virtual ~System() = default;

  virtual std::string name() const = 0;  // as --sut spells it: "host"

  // Once per test process, before anything else in it: moves the process into private namespaces.
  // Throws HarnessError (a missing permission, with what would mend it).
  virtual void EnterPrivateWorld() = 0;

  // Whether a wire can lead to its stacks. Of a system without, no stack may be planned that has one.
  virtual bool has_wire() const { return true; }

  // Starts one stack, with a wire attached where that is planned, addresses set and the link up, so
  // that its first frame is possible on return. It ends with its last owner. Throws HarnessError, or Skip for a
  // capability the system lacks.
  virtual std::shared_ptr<Stack> Start(EventLoop& loop, EventLog& log, const StackPlan& plan) = 0;

  // The loop that serves stacks which were started before the test; Start() hands out only stacks
  // of that loop then. None: each test has a loop of its own.
  virtual EventLoop* PreparedLoop() { return nullptr; }
};

// This kernel. `agent_program` is the path of sockproof-agent. `capabilities` are those that the
// caller vouches for, beyond what is found out: "virtual-time".
std::unique_ptr<System> MakeHostSystem(std::string agent_program,
                                       std::vector<std::string> capabilities = {});

// How one stack of a system somewhere else is reached.
struct RemoteStack {
  std::string command;  // for /bin/sh: starts an agent there, on its standard input and output
  std::string wire;     // the interface of this machine at whose other end it is; empty: none is
};

// A system that is there already and lives on after the test, with one or two stacks; they have the
// addresses of hosts 1 and 2 of the address plan. Nothing is set on either side, but for sysctls
// that a test asks for, which are set back. Its tests must run one at a time.
std::unique_ptr<System> MakeRemoteSystem(std::string name, std::vector<RemoteStack> stacks);

// Stacks of `system` that are started now, so that a test on them starts at once: one for each of
// `plans`, handed out by Start() once each. They live on until the system ends, so that a process
// whose machine ends with it need not take them down. The calling process must have entered the
// private world of `system`. `loop`, `log` and `system` must outlive it. Throws as System::Start()
// does.
std::unique_ptr<System> MakePreparedSystem(System& system, EventLoop& loop, EventLog& log,
                                           const std::vector<StackPlan>& plans);

}  // namespace sockproof
