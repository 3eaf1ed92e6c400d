// The kernel that runs this process, as a system under test: each stack is a network namespace.
#include <errno.h>
#include <sched.h>
#include <string.h>

#include <memory>

#include "harness/base/errors.h"
#include "harness/net/namespace.h"
#include "harness/net/netlink.h"
#include "harness/sut/stack.h"
#include "harness/wire/addresses.h"

namespace sockproof {
namespace {

constexpr const char* kLink = "eth0";
constexpr int kLoopbackIndex = 1;
constexpr int kOurMac = 0x80;  // the harness's ends of links, apart from all hosts

class HostSystem final : public System {
 public:
  HostSystem(std::string agent_program, std::vector<std::string> capabilities)
      : agent_program_(std::move(agent_program)), capabilities_(std::move(capabilities)) {}

  std::string name() const override { return "host"; }

  void EnterPrivateWorld() override {
    EnterPrivateNamespaces();
    // This side of a wire must stay silent: whatever answers there is a test's.
    WriteSysctl("net.ipv6.conf.all.disable_ipv6", "1");
    WriteSysctl("net.ipv6.conf.default.disable_ipv6", "1");
  }

  std::unique_ptr<Stack> Start(EventLoop& loop, EventLog& log, const StackPlan& plan) override {
    auto space = std::make_shared<NetworkNamespace>(NetworkNamespace::Create());
    const std::string our_link = "wire-" + plan.actor;
    Netlink here;
    here.CreateVeth(
        {our_link, WireMac(kOurMac + plan.index), kLink, WireMac(plan.index), space.get()});
    here.SetUp(here.IndexOf(our_link));

    Stack::Parts parts;
    parts.plan = plan;
    parts.capabilities = capabilities_;
    {
      const InNamespace inside(*space);
      // Sysctls are pinned where the host's administrator would otherwise decide for the test.
      WriteSysctl("net.ipv4.tcp_congestion_control", "reno");
      WriteSysctl("net.ipv6.conf." + std::string(kLink) + ".accept_dad", "0");
      DisableOffloads(kLink);
      Netlink there;
      const int link = there.IndexOf(kLink);
      there.SetUp(kLoopbackIndex);
      there.SetUp(link);
      for (const IpVersion version : {IpVersion::kIpv4, IpVersion::kIpv6}) {
        there.AddAddress(link, WireAddress(version, plan.index),
                         version == IpVersion::kIpv4 ? kIpv4PrefixLength : kIpv6PrefixLength);
        if (plan.default_gateway_index != 0) {
          there.AddDefaultRoute(link, WireAddress(version, plan.default_gateway_index));
        }
      }
      there.WaitUntilOperational(link);
      there.WaitUntilReceiving(WireAddress(IpVersion::kIpv6, plan.index));
      parts.diag.emplace();
    }
    here.WaitUntilOperational(here.IndexOf(our_link));
    parts.wire = std::make_unique<WirePort>(loop, our_link);
    const auto enter = [space_fd = space->fd()] {
      // Every processor, whatever the test process itself is bound to.
      cpu_set_t all;
      memset(&all, 0xff, sizeof all);
      sched_setaffinity(0, sizeof all, &all);
      return setns(space_fd, CLONE_NEWNET) == 0 ? 0 : errno;
    };
    parts.agent = Agent::Spawn(loop, log, plan.actor, {agent_program_, {}, enter});
    parts.world = std::move(space);
    return std::make_unique<Stack>(loop, log, std::move(parts));
  }

 private:
  std::string agent_program_;
  std::vector<std::string> capabilities_;
};

}  // namespace

std::unique_ptr<System> MakeHostSystem(std::string agent_program,
                                       std::vector<std::string> capabilities) {
  return std::make_unique<HostSystem>(std::move(agent_program), std::move(capabilities));
}

}  // namespace sockproof
