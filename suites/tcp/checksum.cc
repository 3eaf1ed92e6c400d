// The checksum, RFC 9293 section 3.1: every segment carries one, and none is taken without it.
#include <vector>

#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

TEST_WITH_PEER(Checksum, EverySegmentSentHasTheRightOne, .claims = {"rfc9293:MUST-2"}) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  Pending<int> connecting = socket.StartConnect(peer.local());
  std::vector<Segment> segments = {peer.Expect(Syn())};
  peer.Send(SynAck());
  segments.push_back(peer.Expect(Ack()));
  connecting.Await().value();
  for (const std::string data : {"even", "odd"}) {
    ASSERT_THAT(socket.Send(data), Returns(static_cast<int>(data.size())));
    segments.push_back(peer.Expect(Data(data)));
    peer.Send(Ack());
  }
  ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
  segments.push_back(peer.Expect(Fin()));
  peer.Send(Fin());
  segments.push_back(peer.Expect(Ack().Ack(peer.snd_nxt)));
  for (const Segment& segment : segments) {
    EXPECT_TRUE(segment.checksum_valid) << Describe(segment, 0, 0);
  }
}

TEST_WITH_PEER(Checksum, AnAnswerToASynHasTheRightOne, .claims = {"rfc9293:MUST-2"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.Send(Syn());
  EXPECT_TRUE(peer.Expect(SynAck()).checksum_valid);
}

TEST_WITH_PEER(Checksum, ResetsHaveTheRightOneToo, .claims = {"rfc9293:MUST-2"}) {
  auto [socket, peer] = InState(TcpState::kClosed);
  peer.Send(Syn());
  EXPECT_TRUE(peer.Expect(Rst()).checksum_valid);
}

TEST_WITH_PEER(Checksum, ASynWithAWrongOneIsIgnored, .claims = {"rfc9293:MUST-3"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  const std::uint32_t iss = peer.iss;
  peer.Send(Syn().BadChecksum());
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "it is answered";

  peer.Send(Syn().Seq(iss));
  peer.Expect(SynAck().Ack(iss + 1));
}

TEST_WITH_PEER(Checksum, AnAnswerToASynWithAWrongOneIsIgnored, .claims = {"rfc9293:MUST-3"}) {
  auto [socket, peer] = InState(TcpState::kSynSent);
  const std::uint32_t iss = peer.iss;
  peer.Send(SynAck().BadChecksum());
  Settle();
  EXPECT_EQ(peer.TakeArrived().size(), 0U) << "it is answered";

  peer.Send(SynAck().Seq(iss));
  peer.ExpectEventually(Ack().Ack(iss + 1));
}

TEST_WITH_PEER(Checksum, DataWithAWrongOneIsIgnored, .claims = {"rfc9293:MUST-3"}) {
  auto [socket, peer] = Connected();
  const std::uint32_t start = peer.snd_nxt;
  peer.Send(Data("wrong").BadChecksum());
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "it is answered";

  peer.Send(Data("right").Seq(start));
  peer.Expect(Ack().Ack(start + 5));
  EXPECT_THAT(socket.Receive(64), Returns("right"));
}

TEST_WITH_PEER(Checksum, AnAcknowledgmentWithAWrongOneIsIgnored, .claims = {"rfc9293:MUST-3"}) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.Send("say it twice"), Returns(12));
  const Segment data = peer.Expect(Data("say it twice"));
  peer.Send(Ack().BadChecksum());
  peer.Expect(Data("say it twice").Seq(data.seq), FirstTimeout());
}

TEST_WITH_PEER(Checksum, AFinWithAWrongOneIsIgnored, .claims = {"rfc9293:MUST-3"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  const std::uint32_t start = peer.snd_nxt;
  peer.Send(Fin().BadChecksum());
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "it is answered";
  EXPECT_THAT(socket.Receive(64, {"MSG_DONTWAIT"}), testing::Not(Succeeds()));

  peer.Send(Fin().Seq(start));
  peer.Expect(Ack().Ack(start + 1));
  EXPECT_THAT(socket.Receive(64), IsEndOfFile());
}

TEST_WITH_PEER(Checksum, AResetWithAWrongOneIsIgnored, .claims = {"rfc9293:MUST-3"}) {
  auto [socket, peer] = Connected();
  peer.Send(Rst().BadChecksum());
  Settle();
  ASSERT_THAT(socket.Send("still here"), Returns(10));
  peer.Expect(Data("still here"));
  EXPECT_EQ(ErrnoName(socket.TakeError()), ErrnoName(0));

  peer.Send(Rst());
  EXPECT_THAT(socket.Receive(64), testing::Not(Succeeds()));
}
