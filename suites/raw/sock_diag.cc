// Sockets as netlink lists them, and SOCK_DESTROY: sock_diag(7) of the Linux man-pages, ss(8) -K.
#include <algorithm>
#include <string>
#include <vector>

#include "harness/test/test.h"
#include "suites/raw/netlink_messages.h"
#include "suites/raw/sock_diag_test.h"

namespace sockproof {
namespace {

using netlink::Number;

// --- AF_INET and AF_INET6 ------------------------------------------------------------------------

class InetDiagTest : public SockDiagTest {
 protected:
  // An address and its port as struct inet_diag_sockid has them: in network order.
  static std::string PortOf(const Endpoint& endpoint) {
    return {static_cast<char>(endpoint.port >> 8), static_cast<char>(endpoint.port & 0xff)};
  }
  static std::string AddressOf(const Endpoint& endpoint) {
    std::string octets(reinterpret_cast<const char*>(endpoint.address.bytes()),
                       endpoint.address.size());
    octets.resize(16, '\0');
    return octets;
  }
  // From idiag_sport to idiag_dst.
  static std::string Id(const Endpoint& local, const Endpoint& remote) {
    return PortOf(local) + PortOf(remote) + AddressOf(local) + AddressOf(remote);
  }
  // struct inet_diag_req_v2.
  std::string Request(int protocol, std::uint32_t states, const std::string& id) const {
    const std::uint32_t domain = family.ip == IpVersion::kIpv4 ? AF_INET : AF_INET6;
    return Number(domain, 1) + Number(static_cast<std::uint32_t>(protocol), 1) + Number(0, 2) +
           Number(states) + id + Number(0) + Number(kAnyCookie) + Number(kAnyCookie);
  }
  std::vector<Entry> Sockets(int protocol, std::uint32_t states = kEveryState) {
    return List(Request(protocol, states, std::string(36, '\0')));
  }
  // Of those the one between these; nullptr when it is not listed.
  static const Entry* Find(const std::vector<Entry>& entries, const Endpoint& local,
                           const Endpoint& remote) {
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
      return entry.size() >= 72 && entry.substr(4, 36) == Id(local, remote);
    });
    return found == entries.end() ? nullptr : &*found;
  }
  static const Entry* Find(const std::vector<Entry>& entries, const Socket& connected) {
    return Find(entries, connected.LocalEndpoint(), connected.RemoteEndpoint());
  }
  Endpoint Nobody() const { return {Wildcard().endpoint()->address, 0}; }
  static std::uint32_t StateOf(const Entry& entry) {
    return netlink::NumberAt(entry, 1, 1).value_or(0);
  }
  static std::uint32_t ReceiveQueueOf(const Entry& entry) {
    return netlink::NumberAt(entry, 56).value_or(0);
  }
  static std::uint32_t SendQueueOf(const Entry& entry) {
    return netlink::NumberAt(entry, 60).value_or(0);
  }
};

TEST_WITH(InetDiagTest, InetDiag, AConnectionIsListedAtBothEnds,
          .claims = {"man:sock_diag(7)-inet"}) {
  auto [near, far] = ConnectedPair();
  const std::vector<Entry> listed = Sockets(IPPROTO_TCP);
  for (const Socket& end : {near, far}) {
    const Entry* entry = Find(listed, end);
    ASSERT_NE(entry, nullptr) << "no entry from " << end.LocalEndpoint().ToString();
    EXPECT_EQ(StateOf(*entry), kEstablishedState);
  }
}

TEST_WITH(InetDiagTest, InetDiag, WhatIsResetIsListedNoMore, .claims = {"man:sock_diag(7)-inet"}) {
  auto [near, far] = ConnectedPair();
  const Endpoint local = near.LocalEndpoint();
  const Endpoint remote = near.RemoteEndpoint();
  ASSERT_THAT(near.SetLinger(0), Succeeds());
  near.Close().value();
  EXPECT_EQ(Find(Sockets(IPPROTO_TCP), local, remote), nullptr);
}

TEST_WITH(InetDiagTest, InetDiag, OfAListenerThePendingConnectionsAndTheBacklogAreTold,
          .claims = {"man:sock_diag(7)-idiag_rqueue-listening",
                     "man:sock_diag(7)-idiag_wqueue-listening"}) {
  Socket listener = Listening(9);
  Socket client = NewSocket();
  client.Connect(listener.LocalName().value()).value();
  const std::vector<Entry> listed = Sockets(IPPROTO_TCP);
  const Entry* entry = Find(listed, listener.LocalEndpoint(), Nobody());
  if (entry == nullptr) NotReached("the listener is not listed");
  Deciding("man:sock_diag(7)-idiag_rqueue-listening");
  EXPECT_EQ(ReceiveQueueOf(*entry), 1U);
  Deciding("man:sock_diag(7)-idiag_wqueue-listening");
  EXPECT_EQ(SendQueueOf(*entry), 9U);
}

TEST_WITH(InetDiagTest, InetDiag, WhatWaitsToBeReadIsTold,
          .claims = {"man:sock_diag(7)-idiag_rqueue"}) {
  auto [near, far] = ConnectedPair();
  far.Send("unread").value();
  ASSERT_THAT(near.Poll({"POLLIN"}, 1s), Returns(Events{"POLLIN"}));
  const std::vector<Entry> listed = Sockets(IPPROTO_TCP);
  const Entry* entry = Find(listed, near);
  if (entry == nullptr) NotReached("the connection is not listed");
  EXPECT_EQ(ReceiveQueueOf(*entry), 6U);
}

TEST_WITH(InetDiagTest, InetDiag, OnlyTheStatesAskedForAreListed,
          .claims = {"man:sock_diag(7)-idiag_states"}) {
  Socket listener = Listening();
  auto [near, far] = ConnectedPair();
  const Endpoint listening = listener.LocalEndpoint();
  const std::vector<Entry> listeners = Sockets(IPPROTO_TCP, 1U << kListenState);
  EXPECT_NE(Find(listeners, listening, Nobody()), nullptr);
  EXPECT_EQ(Find(listeners, near), nullptr);
  const std::vector<Entry> connections = Sockets(IPPROTO_TCP, 1U << kEstablishedState);
  EXPECT_EQ(Find(connections, listening, Nobody()), nullptr);
  EXPECT_NE(Find(connections, near), nullptr);
}

TEST_WITH(InetDiagTest, InetDiag, OneSocketIsAskedForByItsAddresses,
          .claims = {"man:sock_diag(7)-individual"}) {
  auto [near, far] = ConnectedPair();
  const Endpoint local = near.LocalEndpoint();
  const Endpoint remote = near.RemoteEndpoint();
  const Listed found = Ask(kByFamily, 0, Request(IPPROTO_TCP, kEveryState, Id(local, remote)));
  ASSERT_EQ(found.entries.size(), 1U);
  EXPECT_NE(Find(found.entries, near), nullptr);
  const Listed none =
      Ask(kByFamily, 0, Request(IPPROTO_TCP, kEveryState, Id(local, {remote.address, 1})));
  EXPECT_NE(none.error, 0) << "nobody is there";
}

inline constexpr Family kDiagDatagrams[] = {kEachDatagram[0], kEachDatagram[1]};

TEST_WITH(InetDiagTest, InetDiag, ADatagramSocketThatIsBoundIsListed,
          .claims = {"man:sock_diag(7)-inet"}, .over = kDiagDatagrams) {
  Socket bound = Bound();
  const std::vector<Entry> listed = Sockets(IPPROTO_UDP);
  EXPECT_NE(Find(listed, bound.LocalEndpoint(), Nobody()), nullptr);
}

TEST_WITH(InetDiagTest, InetDiag, ASocketWithoutANameIsNotListed,
          .claims = {"man:sock_diag(7)-name"}, .over = kDiagDatagrams) {
  Socket unbound = NewSocket();
  EXPECT_EQ(Find(Sockets(IPPROTO_UDP), Nobody(), Nobody()), nullptr);
  ASSERT_THAT(unbound.Connect(Loopback(7)), Succeeds());
  EXPECT_NE(Find(Sockets(IPPROTO_UDP), unbound), nullptr) << "connect() has given it one";
}

TEST_WITH(InetDiagTest, InetDiag, ARawSocketThatIsBoundIsListed, .claims = {"linux:raw_diag"},
          .needs = {"fresh"}) {
  const auto raw_sockets_here = [&] {
    const std::vector<Entry> listed = Sockets(IPPROTO_RAW);
    return std::count_if(listed.begin(), listed.end(), [&](const Entry& entry) {
      return entry.size() >= 72 && entry.substr(8, 16) == AddressOf(*Loopback().endpoint());
    });
  };
  const Outcome<Socket> opened =
      sut.OpenSocket(std::string(family.domain), "SOCK_RAW", {}, "0xfd");  // RFC 3692: for all
  if (opened.error() == EPERM) NotReached("the agent may open no raw sockets");
  EXPECT_EQ(raw_sockets_here(), 0);
  Socket raw = opened.value();
  ASSERT_THAT(raw.Bind(Loopback(0)), Succeeds());
  EXPECT_EQ(raw_sockets_here(), 1);
  raw.Close().value();
  EXPECT_EQ(raw_sockets_here(), 0);
}

// --- SOCK_DESTROY --------------------------------------------------------------------------------

class SockDestroyTest : public InetDiagTest {
 protected:
  // Asks for the end of the socket between these.
  void Destroy(int protocol, const Endpoint& local, const Endpoint& remote) {
    const Listed answer =
        Ask(kDestroy, netlink::kAck, Request(protocol, kEveryState, Id(local, remote)));
    if (answer.error == EOPNOTSUPP) NotReached("the kernel has no SOCK_DESTROY");
    if (answer.error == EPERM) NotReached("the agent is no privileged process");
    ASSERT_EQ(ErrnoName(answer.error), ErrnoName(0));
  }
};

TEST_WITH(SockDestroyTest, SockDestroy, ACallThatWaitsFailsWithEconnaborted,
          .claims = {"linux:SOCK_DESTROY-ECONNABORTED"}) {
  auto [near, far] = ConnectedPair();
  Pending<std::string> receiving = near.StartReceive(64);
  ExpectStillBlocked(receiving);
  Destroy(IPPROTO_TCP, near.LocalEndpoint(), near.RemoteEndpoint());
  EXPECT_THAT(receiving.Await(), FailsWith(ECONNABORTED));
}

TEST_WITH(SockDestroyTest, SockDestroy, TheOtherEndIsReset,
          .claims = {"linux:SOCK_DESTROY-reset"}) {
  auto [near, far] = ConnectedPair();
  Pending<std::string> receiving = far.StartReceive(64);
  ExpectStillBlocked(receiving);
  Destroy(IPPROTO_TCP, near.LocalEndpoint(), near.RemoteEndpoint());
  EXPECT_THAT(receiving.Await(), FailsWith(ECONNRESET));
}

TEST_WITH(SockDestroyTest, SockDestroy, AListenerAcceptsNoMore,
          .claims = {"linux:SOCK_DESTROY-closes"}) {
  Socket listener = Listening();
  const Name name = listener.LocalName().value();
  Destroy(IPPROTO_TCP, listener.LocalEndpoint(), Nobody());
  EXPECT_THAT(NewSocket().Connect(name), testing::Not(Succeeds()));
}

TEST_WITH(SockDestroyTest, SockDestroy, ADatagramSocketThatWaitsFailsWithEconnaborted,
          .claims = {"linux:SOCK_DESTROY-udp-ECONNABORTED"}, .over = kDiagDatagrams) {
  Socket bound = Bound();
  Pending<std::string> receiving = bound.StartReceive(64);
  ExpectStillBlocked(receiving);
  Destroy(IPPROTO_UDP, bound.LocalEndpoint(), Nobody());
  EXPECT_THAT(receiving.Await(), FailsWith(ECONNABORTED));
}

TEST_WITH(SockDestroyTest, SockDestroy, ADatagramSocketLosesItsPeer,
          .claims = {"linux:SOCK_DESTROY-udp-disconnects"}, .over = kDiagDatagrams) {
  auto [near, far] = ConnectedPair();
  Destroy(IPPROTO_UDP, near.LocalEndpoint(), near.RemoteEndpoint());
  EXPECT_THAT(near.PeerName(), FailsWith(ENOTCONN));
}

TEST_WITH(SockDestroyTest, SockDestroy, NeedsACapability,
          .claims = {"linux:SOCK_DESTROY-privileged"}, .needs = {"processes"}) {
  auto [near, far] = ConnectedPair();
  Process ordinary = sut.process().Fork({.without_capabilities = {"CAP_NET_ADMIN"}}).value();
  diag = ordinary.OpenSocket("AF_NETLINK", "SOCK_RAW", {}, "0x4").value();
  const Listed answer =
      Ask(kDestroy, netlink::kAck,
          Request(IPPROTO_TCP, kEveryState, Id(near.LocalEndpoint(), near.RemoteEndpoint())));
  EXPECT_NE(answer.error, 0);
  ASSERT_THAT(near.Send("still open"), Returns(10));
  EXPECT_THAT(far.Receive(64), Returns("still open"));
}

// --- AF_UNIX -------------------------------------------------------------------------------------

// Of linux/unix_diag.h: what is to be shown, and the attribute of each.
constexpr std::uint32_t kShowName = 1 << 0;
constexpr std::uint32_t kShowPeer = 1 << 2;
constexpr std::uint32_t kShowPending = 1 << 3;
constexpr std::uint32_t kShowQueues = 1 << 4;
constexpr int kNameAttribute = 0;
constexpr int kPeerAttribute = 2;
constexpr int kPendingAttribute = 3;
constexpr int kQueuesAttribute = 4;

class UnixDiagTest : public SockDiagTest {
 protected:
  // struct unix_diag_req.
  static std::string Request(std::uint32_t inode, std::uint32_t cookie0, std::uint32_t cookie1) {
    return Number(AF_UNIX, 1) + Number(0, 3) + Number(kEveryState) + Number(inode) +
           Number(kShowName | kShowPeer | kShowPending | kShowQueues) + Number(cookie0) +
           Number(cookie1);
  }
  std::vector<Entry> Sockets() { return List(Request(0, kAnyCookie, kAnyCookie)); }
  static std::string Attribute(const Entry& entry, int type) {
    return netlink::Attribute(entry, 16, static_cast<std::uint32_t>(type)).value_or("");
  }
  static std::uint32_t InodeOf(const Entry& entry) {
    return netlink::NumberAt(entry, 4).value_or(0);
  }
  static std::uint32_t TypeOf(const Entry& entry) {
    return netlink::NumberAt(entry, 1, 1).value_or(0);
  }
  static std::uint32_t StateOf(const Entry& entry) {
    return netlink::NumberAt(entry, 2, 1).value_or(0);
  }
  // The one of that name and state. NotReached() when none is listed.
  static Entry Find(const std::vector<Entry>& entries, const Name& name,
                    std::uint32_t state = kEstablishedState) {
    for (const Entry& entry : entries) {
      if (Attribute(entry, kNameAttribute) == name.unix_name()->octets &&
          (state == 0 || StateOf(entry) == state)) {
        return entry;
      }
    }
    NotReached("the socket is not listed under its name");
  }
  std::uint32_t FirstNumber(const Entry& entry, int attribute) {
    return netlink::NumberAt(Attribute(entry, attribute), 0).value_or(0);
  }
};

TEST_WITH(UnixDiagTest, UnixDiag, ASocketThatIsBoundIsListedWithItsNameAndType,
          .claims = {"man:sock_diag(7)-UNIX_DIAG_NAME", "man:sock_diag(7)-udiag_type"},
          .over = kEachUnixType) {
  const Name name = Bound().LocalName().value();
  Deciding("man:sock_diag(7)-UNIX_DIAG_NAME");
  const std::vector<Entry> listed = Sockets();
  const auto found = std::find_if(listed.begin(), listed.end(), [&](const Entry& entry) {
    return Attribute(entry, kNameAttribute) == name.unix_name()->octets;
  });
  ASSERT_NE(found, listed.end());
  Deciding("man:sock_diag(7)-udiag_type");
  const int type = family.type == "SOCK_STREAM"  ? SOCK_STREAM
                   : family.type == "SOCK_DGRAM" ? SOCK_DGRAM
                                                 : SOCK_SEQPACKET;
  EXPECT_EQ(TypeOf(*found), static_cast<std::uint32_t>(type));
}

TEST_WITH(UnixDiagTest, UnixDiag, ConnectedSocketsAreEachOthersPeers,
          .claims = {"man:sock_diag(7)-UNIX_DIAG_PEER"}, .over = kEachUnixConnection) {
  Socket listener = Listening();
  Socket client = Bound();
  ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  Socket server = listener.Accept().value().socket;
  const std::vector<Entry> listed = Sockets();
  const Entry near = Find(listed, client.LocalName().value());
  const Entry far = Find(listed, listener.LocalName().value());
  EXPECT_EQ(FirstNumber(near, kPeerAttribute), InodeOf(far));
  EXPECT_EQ(FirstNumber(far, kPeerAttribute), InodeOf(near));
}

TEST_WITH(UnixDiagTest, UnixDiag, OfAListenerThePendingConnectionsAndTheBacklogAreTold,
          .claims = {"man:sock_diag(7)-UNIX_DIAG_RQLEN-listening",
                     "man:sock_diag(7)-UNIX_DIAG_ICONS"},
          .over = kEachUnixConnection) {
  Socket listener = Listening(9);
  for (int i = 0; i < 2; ++i) NewSocket().Connect(listener.LocalName().value()).value();
  const Entry entry = Find(Sockets(), listener.LocalName().value(), kListenState);
  Deciding("man:sock_diag(7)-UNIX_DIAG_RQLEN-listening");
  EXPECT_EQ(Attribute(entry, kQueuesAttribute), Number(2) + Number(9));
  Deciding("man:sock_diag(7)-UNIX_DIAG_ICONS");
  EXPECT_EQ(Attribute(entry, kPendingAttribute).size(), 2 * sizeof(std::uint32_t));
}

TEST_WITH(UnixDiagTest, UnixDiag, WhatWaitsToBeReadIsTold,
          .claims = {"man:sock_diag(7)-UNIX_DIAG_RQLEN"}, .over = kEachUnixConnection) {
  Socket listener = Listening();
  Socket client = Bound();
  ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  ASSERT_THAT(listener.Accept().value().socket.Send("unread"), Returns(6));
  const Entry entry = Find(Sockets(), client.LocalName().value());
  EXPECT_EQ(FirstNumber(entry, kQueuesAttribute), 6U);
}

TEST_WITH(UnixDiagTest, UnixDiag, OneSocketIsAskedForByItsNumberAndCookie,
          .claims = {"man:sock_diag(7)-individual"}, .over = kEachUnixType) {
  const Name name = Bound().LocalName().value();
  const Entry entry = Find(Sockets(), name, 0);
  const std::uint32_t cookie = netlink::NumberAt(entry, 8).value_or(0);
  const std::uint32_t rest = netlink::NumberAt(entry, 12).value_or(0);
  const Listed found = Ask(kByFamily, 0, Request(InodeOf(entry), cookie, rest));
  ASSERT_EQ(found.entries.size(), 1U);
  EXPECT_EQ(Attribute(found.entries[0], kNameAttribute), name.unix_name()->octets);
  const Listed other = Ask(kByFamily, 0, Request(InodeOf(entry), cookie + 1, rest));
  EXPECT_NE(other.error, 0) << "another cookie";
}

}  // namespace
}  // namespace sockproof
