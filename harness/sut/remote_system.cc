// A system somewhere else: a command starts an agent there, an interface of this machine is the
// wire to it (src/agent/README.md, "A system of your own").
#include <errno.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "harness/base/errors.h"
#include "harness/net/netlink.h"
#include "harness/sut/stack.h"
#include "harness/sut/system.h"
#include "harness/wire/addresses.h"
#include "harness/wire/neighbour.h"
#include "harness/wire/segment.h"

namespace sockproof {
namespace {

constexpr Duration kNeighbourPatience = 5s;
constexpr Duration kCarrierPatience = 3s;
constexpr int kSecondHost = 2;

// Ports of tests are below 10000. Each turn has its own, in steps of more ports than a test listens
// on, and all of them below those that systems give to clients (from 32768 on Linux).
constexpr unsigned kPortsOfATurn = 8;
constexpr unsigned kTurnsOfPorts = (32768 - 10000) / kPortsOfATurn;
// Hosts 1 and 2 are the wire's own.
constexpr int kFirstStranger = 3;
constexpr unsigned kStrangers = 250;

// Which test it is, across the processes that each run one. Begins where no earlier run of the
// last minutes has been, at ten tests a second.
class Turns {
 public:
  Turns() {
    void* shared =
        mmap(nullptr, sizeof(Counter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) ThrowErrno("mmap");
    counter_ = new (shared) Counter(static_cast<unsigned>(Clock::now().time_since_epoch() / 100ms));
  }
  ~Turns() { munmap(counter_, sizeof(Counter)); }
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  unsigned Next() { return counter_->fetch_add(1); }

 private:
  using Counter = std::atomic<unsigned>;
  static_assert(Counter::is_always_lock_free);
  Counter* counter_;
};

// ---- is the interface fit for a wire? ----

class Interface {
 public:
  explicit Interface(std::string name)
      : name_(std::move(name)), any_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    if (!any_) ThrowErrno("socket(AF_INET)");
  }

  // Throws HarnessError.
  void Check() const {
    if (name_.size() >= IFNAMSIZ || if_nametoindex(name_.c_str()) == 0) {
      Refuse("there is no such interface");
    }
    ifreq request = Request();
    if (ioctl(any_.get(), SIOCGIFFLAGS, &request) != 0) ThrowErrno("SIOCGIFFLAGS on " + name_);
    const int flags = request.ifr_flags;
    if ((flags & IFF_LOOPBACK) != 0) Refuse("a loopback interface is no wire");
    if ((flags & IFF_UP) == 0) Refuse("it is down; 'ip link set " + name_ + " up' mends that");
    if ((flags & IFF_RUNNING) == 0) WaitForCarrier();
    CheckPermission();
    CheckAddresses();
    CheckGro();
  }

 private:
  [[noreturn]] void Refuse(const std::string& why) const {
    throw HarnessError(fmt::format("--wire {}: {}", name_, why));
  }

  ifreq Request() const {
    ifreq request{};
    name_.copy(request.ifr_name, IFNAMSIZ - 1);
    return request;
  }

  // It comes a moment after both ends are up.
  void WaitForCarrier() const try {
    Netlink netlink;
    netlink.WaitUntilOperational(netlink.IndexOf(name_), kCarrierPatience);
  } catch (const HarnessError&) {
    Refuse("it has no carrier: is the other end up?");
  }

  void CheckPermission() const {
    const UniqueFd packets(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    if (packets) return;
    if (errno != EPERM) ThrowErrno("socket(AF_PACKET)");
    Refuse(
        "frames may not be sent and received here: run as root, or give the program that right "
        "(setcap cap_net_raw+ep sockproof)");
  }

  // What the test plays must not be answered by this kernel.
  void CheckAddresses() const {
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) ThrowErrno("getifaddrs");
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owned(list, freeifaddrs);
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
      if (entry->ifa_addr == nullptr) continue;
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(entry->ifa_addr);
      const int family = entry->ifa_addr->sa_family;
      if (family != AF_INET && family != AF_INET6) continue;
      const bool ipv4 = family == AF_INET;
      const IpAddress address(
          ipv4 ? IpVersion::kIpv4 : IpVersion::kIpv6,
          bytes + (ipv4 ? offsetof(sockaddr_in, sin_addr) : offsetof(sockaddr_in6, sin6_addr)));
      const IpAddress wire = WireAddress(address.version(), kSecondHost);
      const std::size_t prefix = ipv4 ? kIpv4PrefixLength / 8 : kIpv6PrefixLength / 8;
      if (memcmp(address.bytes(), wire.bytes(), prefix) != 0) continue;
      Refuse(
          fmt::format("this kernel has {} on {} and would answer in place of the test; "
                      "take the address away",
                      address.ToString(), entry->ifa_name));
    }
  }

  // It makes one segment of several before anyone sees them.
  void CheckGro() const {
    ethtool_value value{ETHTOOL_GGRO, 0};
    ifreq request = Request();
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (ioctl(any_.get(), SIOCETHTOOL, &request) != 0 || value.data == 0) return;
    Refuse("it joins segments before they are seen; 'ethtool -K " + name_ +
           " gro off lro off' mends that");
  }

  std::string name_;
  UniqueFd any_;
};

// ---- connections that a test leaves behind ----

// Knows the connections of the system under test on one wire by its segments, and resets them when
// the test is over. Otherwise it would go on retransmitting into the tests that follow.
class Sweeper {
 public:
  explicit Sweeper(WirePort& wire) : wire_(wire) {
    wire_.OnArrival([this](const Bytes& frame) { Note(frame); });
  }

  void Sweep(const MacAddress& from, const MacAddress& to) {
    wire_.OnArrival(nullptr);
    for (const auto& [ends, last] : last_) {
      Segment reset;
      reset.source = ends.second;
      reset.destination = ends.first;
      reset.flags = kRst;
      if (last.Has(kAck)) {
        reset.seq = last.ack;  // the next that it expects: the one that RFC 9293 wants in a reset
      } else {
        reset.flags = kRst | kAck;
        reset.ack = last.seq + last.length();
      }
      wire_.Send(BuildFrame(reset, from, to));
    }
  }

 private:
  void Note(const Bytes& frame) {
    const std::optional<Segment> segment = ParseSegment(frame, Clock::now());
    if (!segment) return;
    const auto ends = std::make_pair(segment->source, segment->destination);
    if (segment->Has(kRst)) {
      last_.erase(ends);
    } else {
      last_[ends] = *segment;
    }
  }

  WirePort& wire_;
  std::map<std::pair<Endpoint, Endpoint>, Segment> last_;
};

class RemoteSystem final : public System {
 public:
  RemoteSystem(std::string name, std::vector<RemoteStack> stacks)
      : name_(std::move(name)), stacks_(std::move(stacks)) {}

  std::string name() const override { return name_; }

  bool has_wire() const override { return !stacks_.front().wire.empty(); }

  // The world stays: the command needs the user's network and identity, e.g. for ssh.
  void EnterPrivateWorld() override {
    for (const RemoteStack& stack : stacks_) {
      if (!stack.wire.empty()) Interface(stack.wire).Check();
    }
    turn_ = turns_.Next();
  }

  std::shared_ptr<Stack> Start(EventLoop& loop, EventLog& log, const StackPlan& plan) override {
    if (plan.index > static_cast<int>(stacks_.size())) {
      throw Skip("the test needs two systems under test (--second-agent, --second-wire)");
    }
    const RemoteStack& remote = stacks_[static_cast<std::size_t>(plan.index) - 1];
    Stack::Parts parts;
    parts.plan = plan;
    parts.lives_on = true;
    parts.port_shift = static_cast<std::uint16_t>(turn_ % kTurnsOfPorts * kPortsOfATurn);
    if (!plan.wired) {
      parts.agent = StartAgent(loop, log, plan.actor, remote.command);
      return std::make_unique<Stack>(loop, log, std::move(parts));
    }
    parts.wire = std::make_unique<WirePort>(loop, remote.wire, WirePort::Mode::kPromiscuous);
    auto sweeper = std::make_shared<Sweeper>(*parts.wire);
    parts.agent = StartAgent(loop, log, plan.actor, remote.command);
    const int other = plan.index == kSecondHost ? 1 : kSecondHost;
    parts.mac = Find(loop, *parts.wire, remote, plan.index, other);
    Readdress(*parts.wire, *parts.mac);
    parts.stranger = kFirstStranger + static_cast<int>(turn_ % kStrangers);
    parts.farewell = [sweeper, other](Stack& stack) {
      sweeper->Sweep(WireMac(other), stack.Mac());
    };
    return std::make_unique<Stack>(loop, log, std::move(parts));
  }

 private:
  static int OnAnyProcessor() {
    cpu_set_t all;
    memset(&all, 0xff, sizeof all);
    sched_setaffinity(0, sizeof all, &all);
    return 0;
  }

  // Whatever is meant for somebody at the other end is meant for the one who is there: the sender,
  // when this wire is joined to another, may know that host by another link-layer address from a
  // test before.
  static void Readdress(WirePort& wire, const MacAddress& mac) {
    wire.TamperWithSent([mac](Bytes frame) {
      const bool for_one = (frame.at(0) & 1) == 0;
      if (for_one) std::copy(mac.begin(), mac.end(), frame.begin());
      return std::vector<WirePort::Tampered>{{Duration(0), std::move(frame)}};
    });
  }

  static std::unique_ptr<Agent> StartAgent(EventLoop& loop, EventLog& log, const std::string& actor,
                                           const std::string& shell_command) {
    AgentCommand command{"/bin/sh", {"-c", shell_command}, OnAnyProcessor};
    command.writes_files = true;
    command.own_clock = true;
    try {
      return Agent::Spawn(loop, log, actor, command);
    } catch (const HarnessError& error) {
      throw HarnessError(fmt::format("{}; try by hand whether this starts an agent: {}",
                                     error.what(), shell_command));
    }
  }

  static MacAddress Find(EventLoop& loop, WirePort& wire, const RemoteStack& remote, int host,
                         int other) {
    for (const IpVersion version : {IpVersion::kIpv4, IpVersion::kIpv6}) {
      const auto mac = FindNeighbour(loop, wire, version, host, other, kNeighbourPatience);
      if (mac) return *mac;
    }
    throw HarnessError(fmt::format(
        "--wire {}: nobody at its other end has {} or {}; src/agent/README.md says how to set them",
        remote.wire, WireAddress(IpVersion::kIpv4, host).ToString(),
        WireAddress(IpVersion::kIpv6, host).ToString()));
  }

  std::string name_;
  std::vector<RemoteStack> stacks_;
  Turns turns_;
  unsigned turn_ = 0;
};

}  // namespace

std::unique_ptr<System> MakeRemoteSystem(std::string name, std::vector<RemoteStack> stacks) {
  return std::make_unique<RemoteSystem>(std::move(name), std::move(stacks));
}

}  // namespace sockproof
