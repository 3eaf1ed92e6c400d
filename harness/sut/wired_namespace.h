// What systems on this machine have in common: a network namespace for a stack, linked to a wire
// whose other end the harness holds, or with its loopback interface alone.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "harness/base/event_loop.h"
#include "harness/net/namespace.h"
#include "harness/sut/system.h"
#include "harness/wire/port.h"

namespace sockproof {

// The link to the wire, in the namespace of the stack.
inline constexpr const char* kWireLink = "eth0";

// The harness's end of it, for the stack of that actor.
std::string OurLink(const std::string& actor);

// Moves the calling process into private namespaces, as System::EnterPrivateWorld() promises, in
// which the harness's ends of wires are silent: whatever answers there is a test's.
void EnterPrivateWorldOfWires();

struct WiredNamespace {
  std::shared_ptr<NetworkNamespace> space;
  std::unique_ptr<WirePort> port;  // the harness's end
};

// Who answers in the namespace: the kernel, which gets the addresses and the default route of the
// plan, or a program that takes frames from kWireLink while the kernel has no address at all.
enum class Answering { kKernel, kProgram };

// Makes a new namespace with a wire to it, all up: the first frame is possible on return. The link
// has the MAC of the plan, offloads are off, and what an administrator's sysctls would decide for a
// test is pinned. The calling process must be in a private world of wires. Throws HarnessError.
WiredNamespace MakeWiredNamespace(EventLoop& loop, const StackPlan& plan, Answering answering);

// The same in a new namespace whose kernel answers; without a wire, null, where the plan has none:
// the loopback interface is up, sysctls are pinned.
std::unique_ptr<WirePort> SetUpNetwork(const NetworkNamespace& space, EventLoop& loop,
                                       const StackPlan& plan);

// Gives the kernel in `space`, which must be up, the second addresses of its host: it takes packets
// for them when this returns. Throws HarnessError.
void AddSecondAddresses(const NetworkNamespace& space, const StackPlan& plan);

// For AgentCommand::in_child: enters the namespace, and runs on every processor. `space` must
// outlive it.
std::function<int()> EnterBeforeExec(const NetworkNamespace& space);

// For the same: whatever the test process itself is bound to.
void RunOnEveryProcessor();

}  // namespace sockproof
