// Urgent data, RFC 9293 section 3.8.5. Sockets know one octet of it, the last one.
#include <string>
#include <vector>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

const Events kUrgent = {"POLLPRI"};

class UrgentTest : public PeerTest {
 protected:
  // Data whose last octet is urgent: the pointer is to what follows it.
  static PartialSegment Urgent(const std::string& text) {
    return Data(text).With(kUrg).UrgentPointer(static_cast<std::uint16_t>(text.size()));
  }

  // Sends it, and returns when the system under test has it.
  static void Deliver(ScriptedTcp& peer, const PartialSegment& segment) {
    peer.Send(segment);
    peer.Expect(Ack().Ack(peer.snd_nxt));
  }
};

}  // namespace

TEST_WITH_PEER(Urgent, ThePointerIsToTheOctetAfterUrgentData,
               .claims = {"rfc9293:MUST-30", "rfc9293:MUST-62"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("hurry!", {"MSG_OOB"}), Returns(6));
  Deciding("rfc9293:MUST-30");
  const Segment urgent = peer.Expect(Data("hurry!").With(kUrg).Seq(peer.rcv_nxt));
  Deciding("rfc9293:MUST-62");
  EXPECT_EQ(urgent.urgent_pointer, 6);
}

TEST_WITH_PEER(Urgent, ItIsAnnouncedBeforeItIsSent,
               .claims = {"rfc9293:MUST-30", "rfc9293:MUST-62"}) {
  auto [socket, peer] = Connected({.options = std::vector{tcp_option::Mss(600)}});
  ASSERT_THAT(socket.Send(std::string(1000, 'x'), {"MSG_OOB"}), Returns(1000));
  Deciding("rfc9293:MUST-30");
  const Segment first = peer.Expect(AnyData().With(kUrg));
  Deciding("rfc9293:MUST-62");
  EXPECT_EQ(first.urgent_pointer, 1000);
}

TEST_WITH_PEER(Urgent, OtherDataIsNotMarked, .claims = {"rfc9293:3.1-urgent-pointer"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("no hurry"), Returns(8));
  peer.Expect(Data("no hurry").Without(kUrg));
}

TEST_WITH(UrgentTest, Urgent, ItIsToldAsynchronously,
          .claims = {"rfc9293:MUST-32", "rfc9293:MUST-30", "man:tcp(7)-POLLPRI"}) {
  auto [socket, peer] = Connected();
  Deliver(peer, Data("calm"));
  EXPECT_THAT(socket.Poll(kUrgent), Returns(Events{}));
  Pending<Events> polling = socket.StartPoll(kUrgent, 5s);
  const Segment urgent = peer.Send(Urgent("!"));
  const Outcome<Events> polled = polling.Await(Within(10s));
  for (const char* claim : {"rfc9293:MUST-32", "rfc9293:MUST-30", "man:tcp(7)-POLLPRI"}) {
    Deciding(claim);
    EXPECT_THAT(polled, Returns(kUrgent));
    EXPECT_GT(polled.end, urgent.time) << "told too early";
  }
}

TEST_WITH(UrgentTest, Urgent, ItIsToldAgainWhenThePointerAdvances,
          .claims = {"rfc9293:MUST-32", "man:tcp(7)-POLLPRI"}) {
  auto [socket, peer] = Connected();
  for (const char* text : {"1", "2"}) {
    Deliver(peer, Urgent(text));
    Deciding("rfc9293:MUST-32");
    EXPECT_THAT(socket.Poll(kUrgent), Returns(kUrgent));
    EXPECT_THAT(socket.Receive(1, {"MSG_OOB"}), Returns(text));
    Deciding("man:tcp(7)-POLLPRI");
    EXPECT_THAT(socket.Poll(kUrgent), Returns(Events{}));
  }
}

TEST_WITH(UrgentTest, Urgent, TheLastOctetIsReadOutOfBand,
          .claims = {"rfc9293:MUST-30", "man:tcp(7)-MSG_OOB"}) {
  auto [socket, peer] = Connected();
  Deliver(peer, Urgent("hurry!"));
  const Outcome<std::string> urgent = socket.Receive(64, {"MSG_OOB"});
  for (const char* claim : {"rfc9293:MUST-30", "man:tcp(7)-MSG_OOB"}) {
    Deciding(claim);
    EXPECT_THAT(urgent, Returns("!"));
  }
  EXPECT_THAT(socket.Receive(64), Returns("hurry"));
}

TEST_WITH(UrgentTest, Urgent, InlineItIsReadWithAllOther,
          .claims = {"rfc9293:MUST-31", "man:tcp(7)-SO_OOBINLINE", "man:socket(7)-SO_OOBINLINE"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption("SO_OOBINLINE", 1), Succeeds());
  // More than a segment holds, of which each points to the end.
  const std::vector<std::string> parts = {std::string(1000, 'a'), std::string(1000, 'b'), "end"};
  std::size_t left = 2003;
  for (const std::string& part : parts) {
    Deliver(peer, Data(part).With(kUrg).UrgentPointer(static_cast<std::uint16_t>(left)));
    left -= part.size();
  }
  std::string read;
  for (int reads = 0; reads < 2003 && read.size() < 2003; ++reads) {
    const Outcome<std::string> received = socket.Receive(4096, {"MSG_DONTWAIT"});
    if (!received.ok()) break;  // what was acknowledged is there
    read += received.value();
  }
  for (const char* claim :
       {"rfc9293:MUST-31", "man:tcp(7)-SO_OOBINLINE", "man:socket(7)-SO_OOBINLINE"}) {
    Deciding(claim);
    EXPECT_EQ(read, parts[0] + parts[1] + parts[2]);
  }
}

TEST_WITH(UrgentTest, Urgent, TheMarkTellsWhetherMoreRemains,
          .claims = {"rfc9293:MUST-33", "man:tcp(7)-SIOCATMARK"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption("SO_OOBINLINE", 1), Succeeds());
  Deliver(peer, Data("before the mark").With(kUrg).UrgentPointer(25));
  Deliver(peer, Data(" here it is"));
  Deciding("rfc9293:MUST-33");
  EXPECT_THAT(socket.AtMark(), Returns(0));
  std::string read;
  for (int reads = 0; reads < 26 && read.size() < 26; ++reads) {
    if (socket.AtMark().value() != 0) break;
    read += socket.Receive(64).value();
  }
  EXPECT_LT(read.size(), 26U) << "nothing tells that no more urgent data remains";
  Deciding("man:tcp(7)-SIOCATMARK");
  EXPECT_EQ(read, "before the mark here it ") << "a read crosses the mark, or stops before it";
  EXPECT_THAT(socket.Receive(64), Returns("is"));
  EXPECT_THAT(socket.AtMark(), Returns(0));
}

TEST_WITH(UrgentTest, Urgent, WithoutItsFlagThePointerMeansNothing,
          .claims = {"rfc9293:3.1-urgent-pointer"}) {
  auto [socket, peer] = Connected();
  Deliver(peer, Data("all of it").UrgentPointer(3));
  EXPECT_THAT(socket.Poll(kUrgent), Returns(Events{}));
  EXPECT_THAT(socket.Receive(64), Returns("all of it"));
}

TEST_WITH(UrgentTest, Urgent, OlderUrgentDataBecomesNormalWhenNewerArrives,
          .claims = {"man:tcp(7)-newer-urgent-data"}) {
  auto [socket, peer] = Connected();
  Deliver(peer, Data("normal "));
  Deliver(peer, Urgent("1"));
  Deliver(peer, Urgent("2"));
  EXPECT_THAT(socket.Receive(64, {"MSG_OOB"}), Returns("2"));
  EXPECT_THAT(socket.Receive(64), Returns("normal 1"));
}

TEST_WITH(UrgentTest, Urgent, WithTcpStdurgThePointerIsToTheLastOctet,
          .claims = {"man:tcp(7)-tcp_stdurg"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_stdurg", 1);
  auto [socket, peer] = Connected();
  Deliver(peer, Data("abc").With(kUrg).UrgentPointer(1));
  EXPECT_THAT(socket.Receive(64, {"MSG_OOB"}), Returns("b"));
}

TEST_WITH_PEER(Urgent, AsTheRfcSaysTheFlagIsIgnoredAfterAFin,
               .claims = {"rfc9293:3.10.7.4-urg-after-fin"}) {
  auto [socket, peer] = InState(TcpState::kCloseWait);
  peer.Send(Data("!").With(kUrg).UrgentPointer(1));
  Settle();
  EXPECT_THAT(socket.Poll(kUrgent), Returns(Events{}));
}
