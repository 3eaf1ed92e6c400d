#include "harness/sut/wired_namespace.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include <fstream>
#include <string>

#include "harness/net/netlink.h"
#include "harness/wire/addresses.h"

namespace sockproof {
namespace {

constexpr int kLoopbackIndex = 1;
constexpr int kOurMac = 0x80;  // the harness's ends of links, apart from all hosts

void SilenceKernel() {
  WriteSysctl("net.ipv6.conf.all.disable_ipv6", "1");
  WriteSysctl("net.ipv6.conf.default.disable_ipv6", "1");
}

bool IsSilent() {
  char disabled = '0';
  std::ifstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") >> disabled;
  return disabled == '1';
}

// Sysctls are pinned where the host's administrator would otherwise decide for the test.
void PinSysctls() { WriteSysctl("net.ipv4.tcp_congestion_control", "reno"); }

void PinSysctlsOfWire() {
  PinSysctls();
  WriteSysctl("net.ipv6.conf." + std::string(kWireLink) + ".accept_dad", "0");
}

void AddAddresses(Netlink& netlink, int link, const StackPlan& plan) {
  for (const IpVersion version : {IpVersion::kIpv4, IpVersion::kIpv6}) {
    netlink.AddAddress(link, WireAddress(version, plan.index),
                       version == IpVersion::kIpv4 ? kIpv4PrefixLength : kIpv6PrefixLength);
    if (plan.default_gateway_index != 0) {
      netlink.AddDefaultRoute(link, WireAddress(version, plan.default_gateway_index));
    }
  }
}

// In the namespace of the stack.
void SetUpStackSide(const StackPlan& plan, Answering answering) {
  const bool kernel = answering == Answering::kKernel;
  if (kernel) {
    PinSysctlsOfWire();
  } else {
    SilenceKernel();
  }
  DisableOffloads(kWireLink);
  Netlink netlink;
  const int link = netlink.IndexOf(kWireLink);
  netlink.SetUp(kLoopbackIndex);
  netlink.SetUp(link);
  if (kernel) AddAddresses(netlink, link, plan);
  netlink.WaitUntilOperational(link);
  if (kernel) netlink.WaitUntilReceiving(WireAddress(IpVersion::kIpv6, plan.index));
}

std::unique_ptr<WirePort> WireTo(const NetworkNamespace& space, EventLoop& loop,
                                 const StackPlan& plan, Answering answering) {
  // Only before the first wire: these sysctls take the lock of all links of this machine, for which
  // the kernel spins.
  if (!IsSilent()) SilenceKernel();
  const std::string our_link = OurLink(plan.actor);
  Netlink here;
  here.CreateVeth(
      {our_link, WireMac(kOurMac + plan.index), kWireLink, WireMac(plan.index), &space});
  here.SetUp(here.IndexOf(our_link));
  {
    const InNamespace inside(space);
    SetUpStackSide(plan, answering);
  }
  here.WaitUntilOperational(here.IndexOf(our_link));
  return std::make_unique<WirePort>(loop, our_link);
}

}  // namespace

std::string OurLink(const std::string& actor) { return "wire-" + actor; }

void EnterPrivateWorldOfWires() { EnterPrivateNamespaces(); }

WiredNamespace MakeWiredNamespace(EventLoop& loop, const StackPlan& plan, Answering answering) {
  auto space = std::make_shared<NetworkNamespace>(NetworkNamespace::Create());
  std::unique_ptr<WirePort> port = WireTo(*space, loop, plan, answering);
  return {std::move(space), std::move(port)};
}

std::unique_ptr<WirePort> SetUpNetwork(const NetworkNamespace& space, EventLoop& loop,
                                       const StackPlan& plan) {
  if (plan.wired) return WireTo(space, loop, plan, Answering::kKernel);
  const InNamespace inside(space);
  PinSysctls();
  Netlink().SetUp(kLoopbackIndex);
  return nullptr;
}

void AddSecondAddresses(const NetworkNamespace& space, const StackPlan& plan) {
  const InNamespace inside(space);
  Netlink netlink;
  const int link = netlink.IndexOf(kWireLink);
  for (const IpVersion version : {IpVersion::kIpv4, IpVersion::kIpv6}) {
    netlink.AddAddress(link, SecondAddress(version, plan.index),
                       version == IpVersion::kIpv4 ? kIpv4PrefixLength : kIpv6PrefixLength);
  }
  netlink.WaitUntilReceiving(SecondAddress(IpVersion::kIpv6, plan.index));
}

std::function<int()> EnterBeforeExec(const NetworkNamespace& space) {
  return [fd = space.fd()] {
    RunOnEveryProcessor();
    return setns(fd, CLONE_NEWNET) == 0 ? 0 : errno;
  };
}

void RunOnEveryProcessor() {
  cpu_set_t all;
  memset(&all, 0xff, sizeof all);
  sched_setaffinity(0, sizeof all, &all);
}

}  // namespace sockproof
