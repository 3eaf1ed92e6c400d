// Sockets of AF_VSOCK within one machine: vsock(7) of the Linux man-pages. Their ports are of the
// whole machine, whatever network namespace a process is in: only kernels in virtual machines are
// asked.
#include <string>
#include <utility>

#include "harness/test/test.h"
#include "suites/raw/netlink_messages.h"

namespace sockproof {
namespace {

// Of linux/vm_sockets.h.
constexpr std::uint32_t kLocalCid = 1;          // VMADDR_CID_LOCAL
constexpr std::uint32_t kAnyPort = 0xffffffff;  // VMADDR_PORT_ANY
constexpr std::size_t kPlaceOfPort = 2;         // behind the family

class VsockTest : public SocketsTest {
 protected:
  // struct sockaddr_vm, of a host whose lowest octet comes first.
  static Name At(std::uint32_t port, std::uint32_t cid = kLocalCid) {
    using netlink::Number;
    return RawName{"AF_VSOCK", Number(0, 2) + Number(port) + Number(cid) + Number(0)};
  }
  static std::uint32_t PortOf(const Socket& socket) {
    const Name name = socket.LocalName().value();
    if (name.raw() == nullptr) return kAnyPort;
    return netlink::NumberAt(name.raw()->octets, kPlaceOfPort).value_or(kAnyPort);
  }
  Socket NewVsock() {
    const Outcome<Socket> opened = sut.OpenSocket("AF_VSOCK", "SOCK_STREAM");
    if (opened.error() == EAFNOSUPPORT) NotReached("the kernel has no AF_VSOCK");
    return opened.value();
  }
  Socket BoundVsock() {
    Socket socket = NewVsock();
    const Outcome<int> bound = socket.Bind(At(kAnyPort));
    if (bound.error() == EADDRNOTAVAIL) NotReached("the kernel has no loopback of AF_VSOCK");
    bound.value();
    return socket;
  }
  Socket ListeningVsock() {
    Socket listener = BoundVsock();
    listener.Listen(16).value();
    return listener;
  }
  std::pair<Socket, Socket> VsockPair() {
    Socket listener = ListeningVsock();
    Socket client = NewVsock();
    const Outcome<int> connected = client.Connect(At(PortOf(listener)));
    if (connected.error() == ENODEV) NotReached("the kernel has no loopback of AF_VSOCK");
    connected.value();
    return {client, listener.Accept().value().socket};
  }
};

TEST_WITH(VsockTest, Vsock, TheLocalCidReachesTheSameMachine,
          .claims = {"man:vsock(7)-VMADDR_CID_LOCAL"}, .needs = {"own-machine"}, .over = kOnce) {
  auto [near, far] = VsockPair();
  ASSERT_THAT(near.Send("there"), Returns(5));
  EXPECT_THAT(far.Receive(64), Returns("there"));
  ASSERT_THAT(far.Send("and back"), Returns(8));
  EXPECT_THAT(near.Receive(64), Returns("and back"));
}

TEST_WITH(VsockTest, Vsock, AnyPortIsOneOfTheSystemsChoice,
          .claims = {"man:vsock(7)-VMADDR_PORT_ANY"}, .needs = {"own-machine"}, .over = kOnce) {
  const std::uint32_t one = PortOf(BoundVsock());
  EXPECT_NE(one, kAnyPort);
  EXPECT_NE(PortOf(BoundVsock()), one);
}

TEST_WITH(VsockTest, Vsock, ConnectBindsToAFreePort, .claims = {"man:vsock(7)-automatic-port"},
          .needs = {"own-machine"}, .over = kOnce) {
  auto [near, far] = VsockPair();
  EXPECT_NE(PortOf(near), kAnyPort);
  EXPECT_THAT(far.PeerName(), Returns(At(PortOf(near))));
}

TEST_WITH(VsockTest, Vsock, ADataStreamEndsWithItsPeer, .claims = {"man:recv(2)-end-of-file"},
          .needs = {"own-machine"}, .over = kOnce) {
  auto [near, far] = VsockPair();
  ASSERT_THAT(near.Send("last"), Returns(4));
  ASSERT_THAT(near.Close(), Succeeds());
  EXPECT_THAT(far.Receive(64), Returns("last"));
  EXPECT_THAT(far.Receive(64), IsEndOfFile());
}

TEST_WITH(VsockTest, Vsock, APortInUseCannotBeBound, .claims = {"man:vsock(7)-EADDRINUSE"},
          .needs = {"own-machine"}, .over = kOnce) {
  Socket first = BoundVsock();
  EXPECT_THAT(NewVsock().Bind(At(PortOf(first))), FailsWith(EADDRINUSE));
}

TEST_WITH(VsockTest, Vsock, ABoundSocketCannotBeBoundAgain, .claims = {"man:vsock(7)-EINVAL-bound"},
          .needs = {"own-machine"}, .over = kOnce) {
  EXPECT_THAT(BoundVsock().Bind(At(kAnyPort)), FailsWith(EINVAL));
}

TEST_WITH(VsockTest, Vsock, ACidOfSomebodyElseCannotBeBound,
          .claims = {"man:vsock(7)-EADDRNOTAVAIL"}, .needs = {"own-machine"}, .over = kOnce) {
  constexpr std::uint32_t kSomebody = 0x12345678;
  EXPECT_THAT(NewVsock().Bind(At(kAnyPort, kSomebody)), FailsWith(EADDRNOTAVAIL));
}

TEST_WITH(VsockTest, Vsock, APrivilegedPortNeedsACapability, .claims = {"man:vsock(7)-EACCES"},
          .needs = {"own-machine", "processes"}, .over = kOnce) {
  constexpr std::uint32_t kLastPrivileged = 1023;
  Socket socket = NewVsock();
  Process ordinary = sut.process().Fork({.without_capabilities = {"CAP_NET_BIND_SERVICE"}}).value();
  EXPECT_THAT(ordinary.Of(socket).Bind(At(kLastPrivileged)), FailsWith(EACCES));
}

TEST_WITH(VsockTest, Vsock, WhatIsNotConnectedSendsNothing, .claims = {"man:vsock(7)-ENOTCONN"},
          .needs = {"own-machine"}, .over = kOnce) {
  EXPECT_THAT(NewVsock().Send("to nobody", {"MSG_NOSIGNAL"}), FailsWith(ENOTCONN));
}

TEST_WITH(VsockTest, Vsock, OutOfBandDataIsNotSupported, .claims = {"man:vsock(7)-EOPNOTSUPP"},
          .needs = {"own-machine"}, .over = kOnce) {
  auto [near, far] = VsockPair();
  EXPECT_THAT(near.Send("!", {"MSG_OOB"}), FailsWith(EOPNOTSUPP));
}

TEST_WITH(VsockTest, Vsock, ThereIsNoProtocolButZero, .claims = {"man:vsock(7)-EPROTONOSUPPORT"},
          .needs = {"own-machine"}, .over = kOnce) {
  NewVsock();
  EXPECT_THAT(sut.OpenSocket("AF_VSOCK", "SOCK_STREAM", {}, "0x7").error(), EPROTONOSUPPORT);
}

TEST_WITH(VsockTest, Vsock, ThereAreNoRawSockets, .claims = {"man:vsock(7)-ESOCKTNOSUPPORT"},
          .needs = {"own-machine"}, .over = kOnce) {
  NewVsock();
  EXPECT_THAT(sut.OpenSocket("AF_VSOCK", "SOCK_RAW").error(), ESOCKTNOSUPPORT);
}

}  // namespace
}  // namespace sockproof
