// ICMP errors about datagrams: what an application is told of those that come, and which ones the
// system sends. udp(7), ip(7), RFC 1122 sections 3.2.2 and 4.1.3, RFC 4443.
#include "harness/claims/link.h"
#include "suites/udp/udp_test.h"

using namespace sockproof;

namespace {

// Errnos of linux:icmp_err_convert and linux:icmpv6_err_convert.
struct UdpError {
  const char* name;
  IcmpError error;
  int error_number;
};

class UdpErrorTest : public UdpTest {
 protected:
  // A datagram of this socket, and an error about it that the system has taken in.
  IpPacket Provoke(Dialogue& dialogue, const IcmpError& error,
                   const ScriptedPeer::Reporting& how = ScriptedPeer::Reporting()) {
    dialogue.socket.SendTo(dialogue.peer.local(), "anyone?").value();
    const IpPacket datagram = dialogue.peer.Expect(Datagram("anyone?"));
    host.Report(error, datagram, how);
    Settle();
    return datagram;
  }
  void Refuse(Dialogue& dialogue, const ScriptedPeer::Reporting& how = ScriptedPeer::Reporting()) {
    Provoke(dialogue, icmp::PortUnreachable(ip), how);
  }
  // A connected socket whose datagram found nobody.
  Dialogue Refused() {
    Dialogue dialogue = Connected();
    Refuse(dialogue);
    return dialogue;
  }

  std::vector<UdpError> EveryError() const {
    std::vector<UdpError> errors = {
        {"port unreachable", icmp::PortUnreachable(ip), ECONNREFUSED},
        {"net unreachable", icmp::NetUnreachable(ip), ENETUNREACH},
        {"host unreachable", icmp::HostUnreachable(ip), EHOSTUNREACH},
        {"hop limit exceeded", icmp::HopLimitExceeded(ip), EHOSTUNREACH},
        {"parameter problem", icmp::ParameterProblem(ip), EPROTO},
    };
    if (IsIpv4()) {
      errors.push_back({"protocol unreachable", icmp::ProtocolUnreachable(), ENOPROTOOPT});
      errors.push_back({"source route failed", icmp::SourceRouteFailed(), EOPNOTSUPP});
    } else {
      errors.push_back({"prohibited", icmp::AdminProhibited(), EACCES});
    }
    return errors;
  }

  const char* ReportOption() const { return Of("IP_RECVERR", "IPV6_RECVERR"); }

  // The next error in the queue.
  Received QueuedError(Socket& socket) {
    return socket.ReceiveMessage(2048, ControlRoom::Octets(512), {"MSG_ERRQUEUE"}).value();
  }
  ExtendedError ErrorIn(const Received& received) {
    const ControlItem* item = received.Find(ReportOption());
    if (item == nullptr) {
      throw Departure("  Expected: an error in the control data\n  Observed: none",
                      SourceLocation::Current());
    }
    return std::get<ExtendedError>(item->value);
  }
  static constexpr int kLocal = 1, kIcmp = 2, kIcmp6 = 3;  // SO_EE_ORIGIN_ of ip(7)
};

}  // namespace

// --- what is told --------------------------------------------------------------------------------

TEST_WITH(UdpErrorTest, UdpErrors, ARefusalIsToldToTheNextSendAndOnlyOnce,
          .claims = {"man:udp(7)-ECONNREFUSED", "rfc1122:4.1.3.3-icmp",
                     "rfc4443:3.1-upper-layer"}) {
  auto [socket, peer] = Refused();
  const Outcome<int> sent = socket.Send("still?");
  // The RFCs leave open by which call.
  Deciding(IsIpv4() ? "rfc1122:4.1.3.3-icmp" : "rfc4443:3.1-upper-layer");
  EXPECT_TRUE(!sent.ok() || socket.TakeError() != 0) << "nobody is told";
  Deciding("man:udp(7)-ECONNREFUSED");
  EXPECT_THAT(sent, FailsWith(ECONNREFUSED));
  EXPECT_THAT(socket.Send("still?"), Returns(6));
  peer.Expect(Datagram("still?"));
}

TEST_WITH(UdpErrorTest, UdpErrors, ARefusalIsToldToTheNextReceive,
          .claims = {"man:udp(7)-ECONNREFUSED"}) {
  auto [socket, peer] = Refused();
  EXPECT_THAT(socket.Receive(64), FailsWith(ECONNREFUSED));
  EXPECT_THAT(socket.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

TEST_WITH(UdpErrorTest, UdpErrors, ARefusalEndsAReceiveThatWaits,
          .claims = {"man:udp(7)-ECONNREFUSED"}) {
  Dialogue dialogue = Connected();
  Pending<std::string> receiving = dialogue.socket.StartReceive(64);
  ExpectStillBlocked(receiving);
  Refuse(dialogue);
  EXPECT_THAT(receiving.Await(), FailsWith(ECONNREFUSED));
}

TEST_WITH(UdpErrorTest, UdpErrors, ARefusalMakesASocketReadyUntilItIsTold,
          .claims = {"man:poll(2)-POLLERR", "man:socket(7)-SO_ERROR"}) {
  auto [socket, peer] = Refused();
  Deciding("man:poll(2)-POLLERR");
  EXPECT_THAT(socket.Poll({"POLLIN"}), testing::Not(Returns(Events{})));
  Deciding("man:socket(7)-SO_ERROR");
  EXPECT_EQ(ErrnoName(socket.TakeError()), "ECONNREFUSED");
  EXPECT_EQ(ErrnoName(socket.TakeError()), ErrnoName(0)) << "told twice";
  EXPECT_THAT(socket.Poll({"POLLIN"}), Returns(Events{}));
}

TEST_WITH(UdpErrorTest, UdpErrors, ARefusalThatQuotesNoMoreThanItMustIsTold,
          .claims = {"rfc792:quote", "man:udp(7)-ECONNREFUSED"}) {
  Dialogue dialogue = Connected();
  const std::size_t header = IsIpv4() ? 20 : 40;
  Refuse(dialogue, {.quote_at_most = header + 8});
  EXPECT_THAT(dialogue.socket.Send("still?"), FailsWith(ECONNREFUSED));
}

TEST_WITH(UdpErrorTest, UdpErrors, ARefusalOfAnotherDatagramIsNotTold,
          .claims = {"man:udp(7)-ECONNREFUSED"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("anyone?"), Returns(7));
  IpPacket datagram = peer.Expect(Datagram("anyone?"));
  IpPacket of_another_port = datagram;
  of_another_port.packet.Find<packet::Udp>()->source_port ^= 1;
  host.Report(icmp::PortUnreachable(ip), of_another_port);
  IpPacket to_another_port = datagram;
  to_another_port.packet.Find<packet::Udp>()->destination_port ^= 1;
  host.Report(icmp::PortUnreachable(ip), to_another_port);
  Settle();
  EXPECT_EQ(ErrnoName(socket.TakeError()), ErrnoName(0));
}

TEST_WITH(UdpErrorTest, UdpErrors, ARefusalThatQuotesAnotherProtocolIsNotTold,
          .claims = {"rfc1122:3.2.2-protocol", "rfc4443:2.4-d"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("anyone?"), Returns(7));
  IpPacket datagram = peer.Expect(Datagram("anyone?"));
  constexpr std::uint8_t kTcp = packet::ip_protocol::kTcp;
  if (auto* ipv4 = datagram.packet.Find<packet::Ipv4>()) ipv4->protocol = kTcp;
  if (auto* ipv6 = datagram.packet.Find<packet::Ipv6>()) ipv6->next_header = kTcp;
  host.Report(icmp::PortUnreachable(ip), datagram);
  Settle();
  Deciding(IsIpv4() ? "rfc1122:3.2.2-protocol" : "rfc4443:2.4-d");
  EXPECT_EQ(ErrnoName(socket.TakeError()), ErrnoName(0));
}

TEST_WITH(UdpErrorTest, UdpErrors, WhatWasReceivedBeforeARefusalIsNotLost,
          .claims = {"man:udp(7)-ECONNREFUSED"}) {
  Dialogue dialogue = Connected();
  dialogue.peer.Send(Datagram("before"));
  Refuse(dialogue);
  EXPECT_EQ(ErrnoName(dialogue.socket.TakeError()), "ECONNREFUSED");
  EXPECT_THAT(dialogue.socket.Receive(64), Returns("before"));
}

TEST_WITH(UdpErrorTest, UdpErrors, AsTheManPageSaysASocketWithoutAPeerIsToldToo,
          .claims = {"man:udp(7)-errors"}) {
  Dialogue dialogue = Bound();
  Refuse(dialogue);
  EXPECT_EQ(ErrnoName(dialogue.socket.TakeError()), "ECONNREFUSED");
}

TEST_WITH(UdpErrorTest, UdpErrors, SourceQuenchIsDiscarded, .claims = {"rfc6633:5-transport"},
          .ipv4_only_because = "ICMPv6 has no source quench") {
  Dialogue dialogue = Connected();
  ASSERT_THAT(dialogue.socket.SetOption("IP_RECVERR", 1), Succeeds());
  Provoke(dialogue, icmp::SourceQuench());
  EXPECT_EQ(ErrnoName(dialogue.socket.TakeError()), ErrnoName(0));
  EXPECT_THAT(dialogue.socket.Send("as fast as before"), Returns(17));
}

// --- the error queue -----------------------------------------------------------------------------

TEST_WITH(UdpErrorTest, UdpErrors, WhoAsksIsToldEachByItsErrno,
          .claims = {"man:ip(7)-IP_RECVERR-queue", "rfc1122:4.1.3.3-icmp",
                     "rfc4443:3.1-upper-layer", "linux:icmp_err_convert",
                     "linux:icmpv6_err_convert"}) {
  Dialogue dialogue = Bound();
  ASSERT_THAT(dialogue.socket.SetOption(ReportOption(), 1), Succeeds());
  for (const UdpError& error : EveryError()) {
    SCOPED_TRACE(error.name);
    Provoke(dialogue, error.error);
    const std::string told = ErrnoName(dialogue.socket.TakeError());
    Deciding("man:ip(7)-IP_RECVERR-queue");
    EXPECT_NE(told, ErrnoName(0));
    // RFC 4443 section 3.1 speaks of what is unreachable alone.
    if (IsIpv4() || error.error.type == icmp::PortUnreachable(ip).type) {
      Deciding(IsIpv4() ? "rfc1122:4.1.3.3-icmp" : "rfc4443:3.1-upper-layer");
      EXPECT_NE(told, ErrnoName(0));
    }
    Deciding(IsIpv4() ? "linux:icmp_err_convert" : "linux:icmpv6_err_convert");
    EXPECT_EQ(told, ErrnoName(error.error_number));
  }
}

TEST_WITH(UdpErrorTest, UdpErrors, TheQueueTellsWhatWhereAndWho,
          .claims = {"man:ip(7)-sock_extended_err", "man:recv(2)-MSG_ERRQUEUE"},
          .needs = {"messages"}) {
  Dialogue dialogue = Bound();
  ASSERT_THAT(dialogue.socket.SetOption(ReportOption(), 1), Succeeds());
  const IpAddress router(IsIpv4() ? "192.0.2.99" : "2001:db8::99");
  for (const UdpError& error : EveryError()) {
    SCOPED_TRACE(error.name);
    Provoke(dialogue, error.error, {.from = router});
    const Received received = QueuedError(dialogue.socket);
    Deciding("man:ip(7)-sock_extended_err");
    const ExtendedError told = ErrorIn(received);
    EXPECT_EQ(ErrnoName(told.error), ErrnoName(error.error_number));
    EXPECT_EQ(told.origin, IsIpv4() ? kIcmp : kIcmp6);
    EXPECT_EQ(told.type, error.error.type);
    EXPECT_EQ(told.code, error.error.code);
    ASSERT_NE(told.offender.endpoint(), nullptr);
    EXPECT_EQ(told.offender.endpoint()->address, router);
    Deciding("man:recv(2)-MSG_ERRQUEUE");
    EXPECT_EQ(received.data, "anyone?");
    EXPECT_EQ(received.from, Name(dialogue.peer.local()));
    EXPECT_TRUE(received.Has("MSG_ERRQUEUE"));
  }
}

TEST_WITH(UdpErrorTest, UdpErrors, OneThatIsTooBigIsToldWithTheMtu,
          .claims = {"man:ip(7)-sock_extended_err"}, .needs = {"messages"}) {
  Dialogue dialogue = Bound();
  ASSERT_THAT(dialogue.socket.SetOption(ReportOption(), 1), Succeeds());
  // One that is larger: who checks what a message quotes (RFC 8201 section 4) believes this.
  const std::string text(1400, 'x');
  dialogue.socket.SendTo(dialogue.peer.local(), text).value();
  host.Report(icmp::TooBig(ip, 1300), dialogue.peer.Expect(Datagram(text)));
  Settle();
  const ExtendedError told = ErrorIn(QueuedError(dialogue.socket));
  EXPECT_EQ(ErrnoName(told.error), "EMSGSIZE");
  EXPECT_EQ(told.info, 1300U);
}

TEST_WITH(UdpErrorTest, UdpErrors, ALocalOneIsQueuedAsLocal,
          .claims = {"man:ip(7)-SO_EE_ORIGIN_LOCAL", "man:ip(7)-IP_PMTUDISC_DO"},
          .needs = {"messages"}) {
  constexpr int kDo = 2;  // IP_PMTUDISC_DO, IPV6_PMTUDISC_DO
  const std::size_t mtu = LinkMtu(sut.facts());
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption(ReportOption(), 1), Succeeds());
  ASSERT_THAT(socket.SetOption(Of("IP_MTU_DISCOVER", "IPV6_MTU_DISCOVER"), kDo), Succeeds());
  Deciding("man:ip(7)-IP_PMTUDISC_DO");
  EXPECT_THAT(socket.Send(std::string(mtu + 500, 'x')), FailsWith(EMSGSIZE));
  Deciding("man:ip(7)-SO_EE_ORIGIN_LOCAL");
  const ExtendedError told = ErrorIn(QueuedError(socket));
  EXPECT_EQ(ErrnoName(told.error), "EMSGSIZE");
  EXPECT_EQ(told.origin, kLocal);
  EXPECT_EQ(told.info, mtu);
}

TEST_WITH(UdpErrorTest, UdpErrors, TheQueueKeepsTheirOrder,
          .claims = {"man:ip(7)-IP_RECVERR-queue"}, .needs = {"messages"}) {
  Dialogue dialogue = Bound();
  ASSERT_THAT(dialogue.socket.SetOption(ReportOption(), 1), Succeeds());
  const std::vector<UdpError> errors = EveryError();
  for (const UdpError& error : errors) {
    dialogue.socket.TakeError();
    dialogue.socket.SendTo(dialogue.peer.local(), error.name).value();
    host.Report(error.error, dialogue.peer.Expect(Datagram(error.name)));
    Settle();
  }
  for (const UdpError& error : errors) {
    const Received received = QueuedError(dialogue.socket);
    EXPECT_EQ(received.data, error.name);
    EXPECT_EQ(ErrorIn(received).type, error.error.type);
  }
}

// --- what is sent --------------------------------------------------------------------------------

TEST_WITH(UdpErrorTest, UdpErrors, APortThatNobodyHasIsToldUnreachable,
          .claims = {"rfc1122:4.1.3.1-port-unreachable", "rfc4443:3.1-port-unreachable"}) {
  ScriptedUdp& peer = host.UdpTowards(sut.At(ip, 81), NextPort());
  const IpPacket error = host.Expect(PortUnreachable().About(peer.Send(Datagram("anyone?"))));
  EXPECT_EQ(error.source().address, sut.Address(ip));
  EXPECT_TRUE(error.checksum_valid());
}

TEST_WITH(UdpErrorTest, UdpErrors, TheQuotationIsWhatWasReceived,
          .claims = {"rfc1122:3.2.2-quote", "rfc4443:2.4-c"}) {
  ScriptedUdp& peer = host.UdpTowards(sut.At(ip, 81), NextPort());
  for (const std::size_t size : {0, 100, 1400}) {
    const Bytes sent = peer.Send(Datagram(std::string(size, 'x')).TrafficClass(0x20)).octets();
    const Bytes quoted = host.Expect(PortUnreachable()).payload();
    // RFC 4443: as much as fits 1280 octets with the headers of IPv6 and of ICMPv6 before it.
    const std::size_t least = IsIpv4() ? 20 + 8 : std::min(sent.size(), std::size_t{1280 - 40 - 8});
    ASSERT_GE(quoted.size(), least);
    ASSERT_LE(quoted.size(), sent.size());
    EXPECT_EQ(quoted, Bytes(sent.begin(), sent.begin() + static_cast<long>(quoted.size())));
  }
}

TEST_WITH(UdpErrorTest, UdpErrors, AnErrorHasNoTypeOfService, .claims = {"rfc1122:3.2.2-tos"},
          .ipv4_only_because = "RFC 4443 says nothing of it") {
  // Not the precedence, which is no part of them: RFC 1122 section 3.2.1.6.
  constexpr int kTosBits = 0x1f, kLowDelay = 0x10;
  ScriptedUdp& peer = host.UdpTowards(sut.At(ip, 81), NextPort());
  peer.Send(Datagram("anyone?").TrafficClass(kLowDelay));
  const int tos = host.Expect(PortUnreachable()).traffic_class() & kTosBits;
  EXPECT_EQ(tos, 0);
}

TEST_WITH(UdpErrorTest, UdpErrors, NoneIsSentAboutWhatWentToMany,
          .claims = {"rfc1122:3.2.2-about-broadcast", "rfc4443:2.4-e.3"}) {
  ScriptedUdp& peer = host.UdpTowards(sut.At(ip, 81), NextPort());
  if (IsIpv4()) {
    for (const char* many : {"255.255.255.255", "192.0.2.255", "224.0.0.1"}) {
      peer.Send(Datagram("anyone?").To(IpAddress(many)));
    }
  } else {
    peer.Send(Datagram("anyone?").To(IpAddress("ff02::1")));
  }
  ExpectNoError();
}

TEST_WITH(UdpErrorTest, UdpErrors, NoneIsSentAboutWhatCameToManyOnTheLink,
          .claims = {"rfc1122:3.2.2-about-link-broadcast", "rfc4443:2.4-e.4", "rfc4443:2.4-e.5"}) {
  ScriptedUdp& peer = host.UdpTowards(sut.At(ip, 81), NextPort());
  Deciding(IsIpv4() ? "rfc1122:3.2.2-about-link-broadcast" : "rfc4443:2.4-e.5");
  peer.Send(Datagram("anyone?").ToLink({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  ExpectNoError();
  if (IsIpv4()) return;
  Deciding("rfc4443:2.4-e.4");
  peer.Send(Datagram("anyone?").ToLink({0x33, 0x33, 0, 0, 0, 1}));
  ExpectNoError();
}

TEST_WITH(UdpErrorTest, UdpErrors, NoneIsSentToWhoIsNoSingleHost,
          .claims = {"rfc1122:3.2.2-about-source", "rfc4443:2.4-e.6"}) {
  ScriptedUdp& peer = host.UdpTowards(sut.At(ip, 81), NextPort());
  const std::vector<const char*> sources =
      IsIpv4() ? std::vector<const char*>{"0.0.0.0", "127.0.0.1", "192.0.2.255", "255.255.255.255",
                                          "224.0.0.9"}
               : std::vector<const char*>{"::", "ff02::9"};
  for (const char* source : sources) peer.Send(Datagram("anyone?").Source(IpAddress(source)));
  ExpectNoError();
}

TEST_WITH(UdpErrorTest, UdpErrors, NoneIsSentToAnAddressOfClassE,
          .claims = {"rfc1122:3.2.2-about-source"},
          .ipv4_only_because = "IPv6 has no classes of addresses") {
  ScriptedUdp& peer = host.UdpTowards(sut.At(ip, 81), NextPort());
  peer.Send(Datagram("anyone?").Source(IpAddress("240.0.0.1")));
  ExpectNoError();
}

TEST_WITH(UdpErrorTest, UdpErrors, NoneIsSentAboutALaterFragment,
          .claims = {"rfc1122:3.2.2-about-fragment"},
          .ipv4_only_because = "RFC 4443 has no such rule") {
  ScriptedUdp& peer = host.UdpTowards(sut.At(ip, 81), NextPort());
  peer.Send(Datagram(std::string(100, 'x')).InFragments({{.offset = 64, .size = 1000}}));
  ExpectNoError();
}

TEST_WITH(UdpErrorTest, UdpErrors, TheirRateIsLimited, .claims = {"rfc4443:2.4-f"},
          .ipv6_only_because = "RFC 1122 demands no limit of a host") {
  constexpr std::size_t kDatagrams = 500;
  ScriptedUdp& peer = host.UdpTowards(sut.At(ip, 81), NextPort());
  for (std::size_t number = 0; number < kDatagrams; ++number) peer.Send(Datagram("anyone?"));
  Settle();
  EXPECT_LT(host.TakeArrived(PacketKind::kIcmp).size(), kDatagrams);
}
