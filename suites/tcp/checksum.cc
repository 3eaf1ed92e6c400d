// The checksum, RFC 9293 section 3.1: every segment carries one, and none is taken without it.
#include "harness/test/test.h"

using namespace sockproof;

TEST_WITH_WIRE(Checksum, EverySegmentSentHasTheRightOne, .claims = {"rfc9293:MUST-2"}) {
  auto [near, far] = Connected();
  for (const std::string data : {"even", "odd"}) {
    ASSERT_THAT(near.Send(data), Returns(static_cast<int>(data.size())));
    ASSERT_THAT(far.Receive(64), Returns(data));
  }
  ASSERT_THAT(near.Close(), Succeeds());
  ASSERT_THAT(far.Receive(64), IsEndOfFile());
  ASSERT_THAT(far.Close(), Succeeds());
  const Segment last_fin = wire.Expect(Fin().From(server));
  wire.Expect(Ack().Ack(last_fin.seq + 1).From(client));

  for (const Segment& segment : wire.Seen(AnySegment())) {
    EXPECT_TRUE(segment.checksum_valid) << Describe(segment, 0, 0);
  }
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
  peer.Expect(Data("say it twice").Seq(data.seq));
}

TEST_WITH_PEER(Checksum, AFinWithAWrongOneIsIgnored, .claims = {"rfc9293:MUST-3"}) {
  Connection connection = Connected();
  auto& [socket, peer] = connection;
  const std::uint32_t start = peer.snd_nxt;
  peer.Send(Fin().BadChecksum());
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "it is answered";
  EXPECT_THAT(socket.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));

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
  EXPECT_THAT(socket.Receive(64), FailsWith(ECONNRESET));
}
