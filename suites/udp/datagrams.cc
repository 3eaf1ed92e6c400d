// Datagrams and the calls that send and receive them: RFC 768, POSIX, udp(7).
#include <set>

#include "harness/claims/link.h"
#include "suites/udp/udp_test.h"

using namespace sockproof;

// --- boundaries ----------------------------------------------------------------------------------

TEST_WITH(UdpTest, Datagrams, EachCallReceivesOne,
          .claims = {"man:udp(7)-one-packet", "posix:recv-message"}) {
  auto [socket, peer] = Bound();
  for (const char* text : {"one", "two", "three"}) peer.Send(Datagram(text));
  for (const char* text : {"one", "two", "three"}) EXPECT_THAT(socket.Receive(64), Returns(text));
}

TEST_WITH(UdpTest, Datagrams, EachCallSendsOne, .claims = {"man:udp(7)-connect"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("one"), Returns(3));
  ASSERT_THAT(socket.Send("and two"), Returns(7));
  peer.Expect(Datagram("one"));
  peer.Expect(Datagram("and two"));
}

TEST_WITH(UdpTest, Datagrams, AnEmptyOneIsSentAndReceived,
          .claims = {"rfc768:length-minimum", "man:udp(7)-one-packet"}) {
  auto [socket, peer] = Bound();
  ASSERT_THAT(socket.SendTo(peer.local(), ""), Returns(0));
  EXPECT_EQ(peer.Expect(Datagram("")).packet.Find<packet::Udp>()->length, 8);
  peer.Send(Datagram(""));
  ExpectReceived(socket, "", peer.local());
}

TEST_WITH(UdpTest, Datagrams, TheSourceIsToldWithTheData, .claims = {"rfc768:ports"}) {
  auto [socket, peer] = Bound();
  ScriptedUdp& other = host.UdpTowards(*peer.remote(), NextPort());
  peer.Send(Datagram("one"));
  other.Send(Datagram("two"));
  ExpectReceived(socket, "one", peer.local());
  ExpectReceived(socket, "two", other.local());
}

TEST_WITH(UdpTest, Datagrams, WhatDoesNotFitTheBufferIsLost, .claims = {"posix:recv-excess"}) {
  auto [socket, peer] = Bound();
  peer.Send(Datagram("too long"));
  peer.Send(Datagram("next"));
  EXPECT_THAT(socket.Receive(3), Returns("too"));
  EXPECT_THAT(socket.Receive(64), Returns("next"));
}

TEST_WITH(UdpTest, Datagrams, OneThatIsCutIsMarked,
          .claims = {"man:udp(7)-MSG_TRUNC", "posix:recvmsg-MSG_TRUNC"}, .needs = {"messages"}) {
  auto [socket, peer] = Bound();
  peer.Send(Datagram("too long"));
  peer.Send(Datagram("it fits"));
  const Received cut = socket.ReceiveMessage(3).value();
  EXPECT_EQ(cut.data, "too");
  EXPECT_TRUE(cut.Has("MSG_TRUNC"));
  EXPECT_FALSE(socket.ReceiveMessage(7).value().Has("MSG_TRUNC"));
}

TEST_WITH(UdpTest, Datagrams, MsgTruncTellsTheTrueLength, .claims = {"man:recv(2)-MSG_TRUNC"}) {
  auto [socket, peer] = Bound();
  peer.Send(Datagram("too long"));
  const ReceivedFrom cut = socket.ReceiveFrom(3, {"MSG_TRUNC"}).value();
  EXPECT_EQ(cut.data, "too");
  EXPECT_EQ(cut.length, 8U);
}

TEST_WITH(UdpTest, Datagrams, APeekLeavesIt, .claims = {"posix:recv-MSG_PEEK"}) {
  auto [socket, peer] = Bound();
  peer.Send(Datagram("one"));
  peer.Send(Datagram("two"));
  for (int time = 0; time < 2; ++time) {
    EXPECT_THAT(socket.Receive(2, {"MSG_PEEK"}), Returns("on"));
  }
  EXPECT_THAT(socket.Receive(64), Returns("one"));
  EXPECT_THAT(socket.Receive(64), Returns("two"));
}

// --- size ----------------------------------------------------------------------------------------

namespace {

// What the length field of UDP, or that of IP, leaves for data.
std::size_t LargestPayload(IpVersion ip) { return ip == IpVersion::kIpv4 ? 65507 : 65527; }

std::string LongText(std::size_t size) {
  std::string text;
  while (text.size() < size) text += "0123456789abcdefghijklmnopqrstuvwxyz";
  text.resize(size);
  return text;
}

}  // namespace

TEST_WITH(UdpTest, Datagrams, TheLargestIsSent, .claims = {"rfc768:length"}) {
  auto [socket, peer] = Bound();
  const std::string text = LongText(LargestPayload(ip));
  const Outcome<int> sent = socket.SendTo(peer.local(), text);
  if (sent.error() == EMSGSIZE) NotReached("the largest datagram of this host is smaller");
  if (sent.error() == ENOBUFS || sent.error() == ENOMEM) NotReached("it has no memory for that");
  ASSERT_THAT(sent, Returns(static_cast<int>(text.size())));
  const IpPacket datagram = peer.Expect(AnyDatagram());
  EXPECT_TRUE(datagram.payload_text() == text) << "other data";
  EXPECT_TRUE(datagram.checksum_valid());
}

TEST_WITH(UdpTest, Datagrams, OneMoreOctetThanTheLargestIsRefused,
          .claims = {"posix:send-EMSGSIZE"}) {
  auto [socket, peer] = Bound();
  const std::string text = LongText(LargestPayload(ip) + 1);
  EXPECT_THAT(socket.SendTo(peer.local(), text), FailsWith(EMSGSIZE));
  ASSERT_THAT(socket.SendTo(peer.local(), "small"), Returns(5));
  peer.Expect(Datagram("small"));
}

TEST_WITH(UdpTest, Datagrams, TheLargestIsReceived, .claims = {"rfc1122:3.3.2-indefinite"},
          .ipv4_only_because = "RFC 8200 demands 1500 octets and allows more") {
  auto [socket, peer] = Bound();
  const std::string text = LongText(LargestPayload(ip));
  peer.Send(Datagram(text).InFragmentsOfMtu(LinkMtu(sut.facts())));
  Settle();
  const Outcome<std::string> received = socket.Receive(66000, {"MSG_DONTWAIT"});
  // RFC 1122 section 3.3.2: a limit that can be configured is as good as none.
  if (!received.ok()) NotReached("the largest datagram that this host reassembles is smaller");
  EXPECT_TRUE(received.value() == text) << "other data, " << received.value().size() << " octets";
}

TEST_WITH(UdpTest, Datagrams, TheSizeOfTheNextOneIsTold, .claims = {"man:udp(7)-FIONREAD"}) {
  auto [socket, peer] = Bound();
  EXPECT_THAT(socket.Inquire("FIONREAD"), Returns(0));
  peer.Send(Datagram("seven77"));
  peer.Send(Datagram("11 in total"));
  Settle();
  EXPECT_THAT(socket.Inquire("FIONREAD"), Returns(7));
  ASSERT_THAT(socket.Receive(64), Succeeds());
  EXPECT_THAT(socket.Inquire("FIONREAD"), Returns(11));
}

// --- waiting -------------------------------------------------------------------------------------

TEST_WITH(UdpTest, Datagrams, AReceiveWaitsForOne, .claims = {"posix:recv-blocks"}) {
  auto [socket, peer] = Bound();
  Pending<std::string> receiving = socket.StartReceive(64);
  ExpectStillBlocked(receiving);
  peer.Send(Datagram("at last"));
  EXPECT_THAT(receiving.Await(), Returns("at last"));
}

TEST_WITH(UdpTest, Datagrams, AReceiveThatMustNotWaitFails, .claims = {"posix:recv-EAGAIN"}) {
  auto [socket, peer] = Bound();
  EXPECT_THAT(socket.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

TEST_WITH(UdpTest, Datagrams, AnEmptyOneMakesASocketReady, .claims = {"posix:poll-POLLIN"}) {
  auto [socket, peer] = Bound();
  EXPECT_THAT(socket.Poll({"POLLIN"}), Returns(Events{}));
  peer.Send(Datagram(""));
  Settle();
  EXPECT_THAT(socket.Poll({"POLLIN"}), Returns(Events{"POLLIN"}));
  ASSERT_THAT(socket.Receive(64), Returns(""));
  EXPECT_THAT(socket.Poll({"POLLIN"}), Returns(Events{}));
}

TEST_WITH(UdpTest, Datagrams, ANewSocketIsReadyToSend, .claims = {"posix:poll-POLLOUT"}) {
  EXPECT_THAT(NewUdp().Poll({"POLLOUT"}), Returns(Events{"POLLOUT"}));
}

// --- ports and destinations ----------------------------------------------------------------------

TEST_WITH(UdpTest, Datagrams, WithoutADestinationNothingCanBeSent,
          .claims = {"posix:send-EDESTADDRREQ"}) {
  EXPECT_THAT(NewUdp().Send("to whom?"), testing::AnyOf(FailsWith(EDESTADDRREQ), FailsWith(ENOTCONN)));
}

TEST_WITH(UdpTest, Datagrams, ASocketThatSendsGetsAPortOfItsOwn,
          .claims = {"man:udp(7)-automatic-port"}, .needs = {"fresh", "sysctl"}) {
  sut.SetSysctl("net.ipv4.ip_local_port_range", "50001 50002");
  ScriptedUdp& peer = host.Udp(ip, NextPort());
  Socket one = NewUdp();
  Socket other = NewUdp();
  std::set<std::uint16_t> ports;
  for (Socket* socket : {&one, &other}) {
    ASSERT_THAT(socket->SendTo(peer.local(), "hello"), Returns(5));
    const Endpoint from = peer.Expect(Datagram("hello")).source();
    EXPECT_EQ(socket->LocalEndpoint(),
              (Endpoint{IpAddress(IsIpv4() ? "0.0.0.0" : "::"), from.port}));
    ports.insert(from.port);
    peer.Send(Datagram("answer"));
    EXPECT_THAT(socket->Receive(64), Returns("answer"));
  }
  EXPECT_THAT(ports, testing::ElementsAre(50001, 50002));
}

TEST_WITH(UdpTest, Datagrams, ASourcePortOfZeroIsTaken, .claims = {"rfc768:source-port"}) {
  auto [socket, peer] = Bound();
  peer.Send(Datagram("from nowhere").SourcePort(0));
  ExpectReceived(socket, "from nowhere", {peer.local().address, 0});
}

// --- the length field ----------------------------------------------------------------------------

TEST_WITH(UdpTest, Datagrams, WhatIsBehindItsLengthIsNoData, .claims = {"rfc768:length"}) {
  auto [socket, peer] = Bound();
  peer.Send(Datagram("data").Surplus({'a', 'n', 'd', ' ', 'm', 'o', 'r', 'e'}));
  Settle();
  const Outcome<std::string> received = socket.Receive(64, {"MSG_DONTWAIT"});
  // RFC 768 does not say that such a packet must be taken.
  if (!received.ok()) NotReached("a packet that is longer than its datagram is discarded");
  EXPECT_THAT(received, Returns("data"));
}

TEST_WITH(UdpTest, Datagrams, OneThatIsShorterThanItsHeaderIsNotTaken,
          .claims = {"rfc768:length-minimum"}) {
  Dialogue dialogue = Bound();
  dialogue.peer.Send(Datagram("").Length(7));
  // Of IPv6 it may be that of a jumbogram (RFC 2675 section 4).
  if (IsIpv4()) dialogue.peer.Send(Datagram("").Length(0));
  ExpectNothingReceived(dialogue);
}

TEST_WITH(UdpTest, Datagrams, OneThatIsLongerThanItsPacketIsNotTaken, .claims = {"rfc768:length"}) {
  Dialogue dialogue = Bound();
  dialogue.peer.Send(Datagram("short").Length(8 + 6));
  ExpectNothingReceived(dialogue);
}

// --- collecting ----------------------------------------------------------------------------------

TEST_WITH(UdpTest, Datagrams, ACorkCollectsOne, .claims = {"man:udp(7)-UDP_CORK"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption("UDP_CORK", 1), Succeeds());
  for (const char* text : {"all", " in", " one"}) ASSERT_THAT(socket.Send(text), Succeeds());
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "sent before the cork is pulled";
  ASSERT_THAT(socket.SetOption("UDP_CORK", 0), Succeeds());
  peer.Expect(Datagram("all in one"));
}

TEST_WITH(UdpTest, Datagrams, MsgMoreCollectsOne, .claims = {"man:send(2)-MSG_MORE"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("all ", {"MSG_MORE"}), Returns(4));
  ASSERT_THAT(socket.Send("in ", {"MSG_MORE"}), Returns(3));
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "sent with MSG_MORE";
  ASSERT_THAT(socket.Send("one"), Returns(3));
  peer.Expect(Datagram("all in one"));
}

// --- a full buffer -------------------------------------------------------------------------------

TEST_WITH(UdpTest, Datagrams, WhatIsDroppedIsCounted, .claims = {"man:socket(7)-SO_RXQ_OVFL"},
          .needs = {"messages"}) {
  auto [socket, peer] = Bound();
  ASSERT_THAT(socket.SetOption("SO_RXQ_OVFL", 1), Succeeds());
  ASSERT_THAT(socket.SetOption("SO_RCVBUF", 4096), Succeeds());
  constexpr int kSent = 100;
  for (int number = 0; number < kSent; ++number) peer.Send(Datagram(std::to_string(number)));
  Settle();
  int received = 0;
  while (received < kSent && socket.Receive(64, {"MSG_DONTWAIT"}).ok()) ++received;
  if (received == kSent) NotReached("the buffer has room for all of them");
  peer.Send(Datagram("the count"));
  const Received counted =
      socket.ReceiveMessage(64, RoomFor(NumberItem("SOL_SOCKET", "SO_RXQ_OVFL"))).value();
  EXPECT_EQ(counted.Number("SO_RXQ_OVFL"), kSent - received);
}

// --- shutdown ------------------------------------------------------------------------------------

TEST_WITH(UdpTest, Datagrams, AfterShutdownNothingCanBeSent,
          .claims = {"posix:send-EPIPE", "posix:shutdown-SHUT_WR"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  const Outcome<int> sent = socket.Send("still?", {"MSG_NOSIGNAL"});
  Deciding("posix:send-EPIPE");
  EXPECT_THAT(sent, FailsWith(EPIPE));
  Deciding("posix:shutdown-SHUT_WR");
  EXPECT_THAT(sent, testing::Not(Succeeds()));
  peer.Send(Datagram("one way"));
  EXPECT_THAT(socket.Receive(64), Returns("one way"));
  EXPECT_EQ(peer.waiting(), 0U);
}

TEST_WITH(UdpTest, Datagrams, ASocketWithoutAPeerCannotBeShutDown,
          .claims = {"posix:shutdown-ENOTCONN"}) {
  auto [socket, peer] = Bound();
  EXPECT_THAT(socket.Shutdown("SHUT_WR"), FailsWith(ENOTCONN));
}
