// Limits and privileges of processes: EMFILE, EPERM and EACCES of socket(2), accept(2), dup(2),
// socketpair(2), pipe(2), ip(7), raw(7) and packet(7) of the Linux man-pages, and of POSIX.
#include <functional>
#include <string>

#include "harness/test/test.h"

namespace sockproof {
namespace {

class LimitsTest : public SocketsTest {
 protected:
  // A process that has no descriptor left.
  Process Full() {
    Socket last = NewSocket();
    return sut.process().Fork({.limits = {{"RLIMIT_NOFILE", last.fd() + 1}}}).value();
  }
};

TEST_WITH(LimitsTest, Limits, SocketFailsWithEmfile,
          .claims = {"man:socket(2)-EMFILE", "posix:socket-EMFILE"}, .needs = {"processes"},
          .over = kEachFamily) {
  EXPECT_THAT(Full().OpenSocket(std::string(family.domain), std::string(family.type)),
              FailsWith(EMFILE));
}

TEST_WITH(LimitsTest, Limits, SocketpairFailsWithEmfile,
          .claims = {"man:socketpair(2)-EMFILE", "posix:socketpair-EMFILE"}, .needs = {"processes"},
          .over = kEachUnixType) {
  EXPECT_THAT(Full().OpenSocketPair(std::string(family.type)), FailsWith(EMFILE));
}

TEST_WITH(LimitsTest, Limits, PipeFailsWithEmfile, .claims = {"man:pipe(2)-EMFILE"},
          .needs = {"processes"}, .over = kOnce) {
  Socket last = sut.SocketPair().second;
  Process full = sut.process().Fork({.limits = {{"RLIMIT_NOFILE", last.fd() + 1}}}).value();
  EXPECT_THAT(full.Pipe(), FailsWith(EMFILE));
}

TEST_WITH(LimitsTest, Limits, DupFailsWithEmfile, .claims = {"man:dup(2)-EMFILE"},
          .needs = {"processes"}, .over = kEachFamily) {
  Socket socket = NewSocket();
  EXPECT_THAT(Full().Of(socket).Dup(), FailsWith(EMFILE));
}

TEST_WITH(LimitsTest, Limits, AcceptFailsWithEmfile,
          .claims = {"man:accept(2)-EMFILE", "posix:accept-EMFILE"}, .needs = {"processes"},
          .over = kEachConnection) {
  Socket listener = Listening();
  Socket client = NewSocket();
  client.Connect(listener.LocalName().value()).value();
  EXPECT_THAT(Full().Of(listener).Accept(), FailsWith(EMFILE));
}

struct Guarded {
  const char* name;
  const char* domain;
  const char* type;
  const char* protocol;
  const char* claim;
};
constexpr Guarded kGuarded[] = {
    {"raw-ipv4", "AF_INET", "SOCK_RAW", "IPPROTO_ICMP", "man:raw(7)-EPERM"},
    {"raw-ipv6", "AF_INET6", "SOCK_RAW", "IPPROTO_ICMPV6", "man:raw(7)-EPERM"},
    {"packet", "AF_PACKET", "SOCK_RAW", "", "man:packet(7)-EPERM"}};

TEST_WITH(LimitsTest, Limits, RawAndPacketSocketsNeedACapability,
          .claims = {"man:raw(7)-EPERM", "man:packet(7)-EPERM"}, .needs = {"processes"},
          .over = kOnce, .rows = kGuarded) {
  const Guarded& row = RowOf(kGuarded);
  Deciding(row.claim);
  Process ordinary = sut.process().Fork({.without_capabilities = {"CAP_NET_RAW"}}).value();
  EXPECT_THAT(ordinary.OpenSocket(row.domain, row.type, {}, row.protocol), FailsWith(EPERM));
}

TEST_WITH(LimitsTest, Limits, APrivilegedPortNeedsACapability, .claims = {"man:ip(7)-EACCES-port"},
          .needs = {"processes"}, .over = kEachIp) {
  Socket socket = NewSocket();
  Process ordinary = sut.process().Fork({.without_capabilities = {"CAP_NET_BIND_SERVICE"}}).value();
  const int first = sut.facts().SysctlOr("net.ipv4.ip_unprivileged_port_start", 1024);
  if (first < 2) NotReached("no port is privileged");
  const auto port = static_cast<std::uint16_t>(first - 1);
  EXPECT_THAT(ordinary.Of(socket).Bind(Loopback(port)), FailsWith(EACCES));
  EXPECT_THAT(socket.Bind(Loopback(port)), Succeeds());
}

inline constexpr Family kSendersOfControlData[] = {kEachIpDatagram[0], kEachIpDatagram[1]};

TEST_WITH(LimitsTest, Limits, AncillaryDataIsNotLongerThanOptmemMax,
          .claims = {"man:socket(7)-optmem_max"}, .needs = {"messages"},
          .over = kSendersOfControlData) {
  Socket socket = Bound();
  Message message = Message("x").To(socket.LocalName().value());
  // Each item has 16 octets at least.
  for (int i = 0; i < 100; ++i) message = message.With(TrafficClass(*family.ip));
  ASSERT_THAT(socket.SendMessage(message), Returns(1));
  sut.SetSysctl("net.core.optmem_max", "1024");
  EXPECT_THAT(socket.SendMessage(message), testing::Not(Succeeds()));
}

// The agent is in group 0.
TEST_WITH(LimitsTest, Limits, PingGroupRangeSaysWhoMayOpenAnEchoSocket,
          .claims = {"man:icmp(7)-ping_group_range"}, .over = kOnce) {
  const auto open = [this] {
    return sut.process().OpenSocket("AF_INET", "SOCK_DGRAM", {}, "IPPROTO_ICMP");
  };
  sut.SetSysctl("net.ipv4.ping_group_range", "1 0");
  EXPECT_THAT(open(), FailsWith(EACCES));
  sut.SetSysctl("net.ipv4.ping_group_range", "0 0");
  EXPECT_TRUE(open().ok());
}

}  // namespace
}  // namespace sockproof
