// sockproof doctor: each thing that tests are made of, tried for real in a child process.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "harness/base/errors.h"
#include "harness/base/program.h"
#include "harness/base/unique_fd.h"
#include "harness/claims/missing.h"
#include "harness/net/namespace.h"
#include "harness/net/netlink.h"
#include "harness/net/sock_diag.h"
#include "harness/sut/container/runtime.h"
#include "src/cli/command.h"
#include "src/cli/options.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/container/confinement.h"
#include "src/fetch/runtime_store.h"
#include "src/run/child.h"
#include "src/vm/kernel_store.h"

namespace sockproof {
namespace {

constexpr auto kPatience = 30s;

// Returns a detail worth showing; throws what is wrong.
using Probe = std::function<std::string()>;

struct Diagnosis {
  const char* name;
  bool essential;
  const char* meaning;  // what it is for, or what goes without it
  std::string fix;
  Probe probe;  // runs in private namespaces
};

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// What a container engine could do about it; outside of a container, or if that is not it, `fix`.
std::string InContainer(const std::string& advice, const std::string& fix) {
  return advice.empty() || !NamespaceLimit().empty() ? fix : advice;
}

// The one of many locks on namespaces that is shut here.
std::string FixForNamespaces() {
  const std::string limit = NamespaceLimit();
  if (!limit.empty()) return "sysctl -w " + limit.substr(0, limit.find(' ')) + "=10000";
  if (FirstLine("/proc/sys/kernel/unprivileged_userns_clone") == "0") {
    return "sysctl -w kernel.unprivileged_userns_clone=1";
  }
  if (FirstLine("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1") {
    return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
  }
  return "run as root; in a container, see docker/README.md";
}

std::string UserNamespace() { return std::filesystem::read_symlink("/proc/thread-self/ns/user"); }

std::string TryNamespaces() {
  const std::string own = UserNamespace();
  EnterPrivateNamespaces();
  return UserNamespace() == own ? "as root" : "in a user namespace";
}

void MakeVethPair(Netlink& netlink) {
  const NetworkNamespace other = NetworkNamespace::Create();
  VethPlan plan;
  plan.name = "doctor";
  plan.mac = {2, 0, 0, 0, 0, 1};
  plan.peer_name = "patient";
  plan.peer_mac = {2, 0, 0, 0, 0, 2};
  plan.peer_namespace = &other;
  netlink.CreateVeth(plan);
  {
    const InNamespace there(other);
    Netlink remote;
    remote.SetUp(remote.IndexOf(plan.peer_name));
  }
  const int link = netlink.IndexOf(plan.name);
  netlink.SetUp(link);
  netlink.WaitUntilOperational(link);
}

std::string TryVeth() {
  Netlink netlink;
  MakeVethPair(netlink);
  return "";
}

std::string TryOffloads() {
  Netlink netlink;
  MakeVethPair(netlink);
  DisableOffloads("doctor");
  return "";
}

std::string TryRawFrames() {
  const UniqueFd packet(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!packet) ThrowErrno("socket(AF_PACKET)");
  sockaddr_ll loopback{};
  loopback.sll_family = AF_PACKET;
  loopback.sll_protocol = htons(0x0003);  // ETH_P_ALL
  loopback.sll_ifindex = static_cast<int>(if_nametoindex("lo"));
  if (bind(packet.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) != 0) {
    ThrowErrno("bind(AF_PACKET)");
  }
  return "";
}

std::string TryDiag() {
  SockDiag().TcpSockets(IpVersion::kIpv4);
  return "";
}

std::string TrySysctl() {
  WriteSysctl("net.ipv4.tcp_fin_timeout", "60");
  return "";
}

std::string TryIpv6() {
  if (FirstLine("/proc/sys/net/ipv6/conf/all/disable_ipv6") == "1") {
    throw HarnessError("net.ipv6.conf.all.disable_ipv6 is 1");
  }
  const UniqueFd socket6(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket6) ThrowErrno("socket(AF_INET6)");
  return "";
}

std::string TryMachines() {
  if (FindProgram("qemu-system-x86_64").empty()) {
    throw HarnessError("qemu-system-x86_64 is not installed");
  }
  std::string names;
  for (const Kernel& kernel : FetchedKernels()) names += " " + kernel.name;
  return names.empty() ? "no kernel was fetched yet" : "fetched:" + names;
}

std::string TryContainers() {
  std::string found;
  for (const std::string& name : Runtime::Names()) {
    try {
      const Runtime runtime = Runtime::Find(name, FetchedRuntimes());
      found += fmt::format("{}{} {}", found.empty() ? "" : ", ", name, runtime.Version());
    } catch (const HarnessError&) {
      // The others may be there.
    }
  }
  if (found.empty()) throw HarnessError("no OCI runtime is installed");
  return found;
}

bool Diagnose(const Diagnosis& check, const Probe& probe) {
  try {
    const std::string detail = CallInChild(probe, kPatience);
    Print("ok       {:<20} {}\n", check.name, detail);
    return true;
  } catch (const HarnessError& error) {
    Print("missing  {:<20} {}\n", check.name, error.what());
    Print("{:29} {}\n{:29} mend: {}\n", "", check.meaning, "", check.fix);
    return !check.essential;
  }
}

// What a kernel in a virtual machine needs of this machine: no namespaces, but QEMU.
int DoctorOfMachine(const std::string& sut) {
  const Diagnosis machines{"QEMU", true, "the kernel cannot be booted",
                           "apt-get install --no-install-recommends qemu-system-x86", TryMachines};
  if (!Diagnose(machines, machines.probe)) return 3;
  try {
    const Facts facts = MakeTarget(sut)->Prepare();
    Print("ok       {:<20} {} facts about {} {}\n", "kernel and agent", facts.values().size(),
          facts.Find("os").value_or("?"), facts.Find("release").value_or("?"));
    for (const char* capability : {"ipv6", "diag", "epoll", "counters", "sysctl"}) {
      if (facts.Find(std::string("capability.") + capability)) {
        Print("ok       capability {}\n", capability);
      } else {
        Print("missing  {}; tests that need it are skipped\n", WhyNoCapability(capability, facts));
      }
    }
    return 0;
  } catch (const HarnessError& error) {
    Print("missing  {:<20} {}\n", "kernel and agent", error.what());
    return 3;
  }
}

int Examine(const std::string& sut) {
  if (ParseSut(sut).kind == "vm") return DoctorOfMachine(sut);
  const std::unique_ptr<Target> target = MakeTarget(sut);
  utsname kernel{};
  uname(&kernel);
  double load = 0;
  getloadavg(&load, 1);
  Print("ok       {:<20} {} {} {}\n", "kernel", kernel.sysname, kernel.release, kernel.machine);
  Print("ok       {:<20} {} cores, load {:.1f}\n", "machine", std::thread::hardware_concurrency(),
        load);

  const std::string advice = WhatToAdd(ProbeConfinement());
  const Diagnosis namespaces{"private namespaces", true,
                             "every test runs in its own; nothing can be tested",
                             InContainer(advice, FixForNamespaces()), TryNamespaces};
  if (!Diagnose(namespaces, namespaces.probe)) {
    Print("the rest was not tried: it needs private namespaces\n");
    return 3;
  }
  const std::vector<Diagnosis> checks = {
      {"veth", true, "the wire of every test is a veth pair; nothing can be tested",
       InContainer(advice, "modprobe veth; or a kernel with CONFIG_VETH"), TryVeth},
      {"raw frames", true, "the harness reads and sends frames itself; nothing can be tested",
       InContainer(advice, "a kernel with CONFIG_PACKET"), TryRawFrames},
      {"offloads off", true, "with offloads on, every checksum on the wire is partial",
       "a kernel with CONFIG_ETHTOOL_NETLINK (5.6 or later)", TryOffloads},
      {"capability ipv6", false, "the ipv6 form of every test is skipped",
       "sysctl -w net.ipv6.conf.all.disable_ipv6=0; boot without ipv6.disable=1", TryIpv6},
      {"capability diag", false, "tests that look at TCP states are skipped",
       "modprobe tcp_diag; or a kernel with CONFIG_INET_DIAG", TryDiag},
      {"sysctl", true,
       "each test's world is set up by its own net.* sysctls; nothing can be tested",
       InContainer(advice, "mount /proc/sys writable"), TrySysctl},
  };
  bool able = true;
  for (const Diagnosis& check : checks) {
    const bool good = Diagnose(check, [&check] {
      EnterPrivateNamespaces();
      return check.probe();
    });
    able = able && good;
  }
  const Diagnosis whole{
      "system and agent",
      true,
      "a test's whole world, once; nothing can be tested",
      "what is missing above; else build sockproof-agent beside sockproof, or name it "
      "in SOCKPROOF_AGENT",
      {}};
  try {
    const Facts facts = target->Prepare();
    Print("ok       {:<20} {} facts about {} {}\n", whole.name, facts.values().size(),
          facts.Find("os").value_or("?"), facts.Find("release").value_or("?"));
  } catch (const HarnessError& error) {
    able = Diagnose(whole, [&error]() -> std::string { throw HarnessError(error.what()); });
  }
  const Diagnosis machines{"kernels in QEMU", false,
                           "only this kernel can be tested, not --sut vm:...",
                           "apt-get install --no-install-recommends qemu-system-x86; then "
                           "'sockproof kernels fetch debian:6.1', or name an image of your own",
                           TryMachines};
  Diagnose(machines, machines.probe);
  const Diagnosis containers{"container runtimes", false, "no --sut rootfs:..., container:...",
                             "apt-get install --no-install-recommends runc (or crun); 'sockproof "
                             "runtimes fetch runsc' for gVisor",
                             TryContainers};
  Diagnose(containers, containers.probe);
  return able ? 0 : 3;
}

constexpr const char* kDoctorHelp = R"(Examples:
  sockproof doctor
  sockproof doctor -s vm:debian:6.1

Exit code: 0 tests can run, 2 wrong usage, 3 something that every test needs is missing.)";

Action AddDoctor(CLI::App& app) {
  auto sut = std::make_shared<std::string>("host");
  AddSut(app, *sut);
  return [sut](const std::string&) { return Examine(*sut); };
}

const CommandRegistration kDoctor({"doctor", CommandGroup::kProgram,
                                   "What this machine can do, and the fix for what it cannot",
                                   kDoctorHelp, AddDoctor});

}  // namespace
}  // namespace sockproof
