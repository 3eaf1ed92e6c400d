// How a connection of Multipath TCP begins, RFC 8684 section 3.1, and when it is one of regular
// TCP.
#include "suites/mptcp/mptcp_test.h"

using namespace sockproof;
using namespace sockproof::mptcp;

namespace {

class MptcpHandshakeTest : public MptcpTest {
 protected:
  // What a listener, which grants what is proper, answers to a SYN with this option, or with none.
  std::optional<Bytes> AnswerTo(const std::optional<TcpOption>& option) {
    ConnectedByAccept();
    ScriptedTcp& peer = host.Towards(sut.At(ip, kPort), NextPort());
    peer.Send(option ? Syn().Option(*option) : Syn());
    return Find(peer.Expect(SynAck().Ack(peer.snd_nxt)), kMpCapable);
  }

  // Data flows both ways, and no segment of the system has an MPTCP option.
  static void ExpectRegularTcp(Socket socket, ScriptedTcp& peer) {
    ASSERT_THAT(socket.Send("data"), Returns(4));
    EXPECT_FALSE(HasMptcp(peer.Expect(Data("data"))));
    peer.Send(Ack());
    peer.Send(Data("answer"));
    EXPECT_FALSE(HasMptcp(peer.Expect(Ack().Ack(peer.snd_nxt))));
    EXPECT_THAT(socket.Receive(64), Returns("answer"));
    ASSERT_THAT(socket.Close(), Succeeds());
    EXPECT_FALSE(HasMptcp(peer.Expect(Fin())));
  }
};

}  // namespace

// --- The options
// -----------------------------------------------------------------------------------

TEST_WITH(MptcpHandshakeTest, MptcpHandshake, ASynHasAnMpCapableWithoutKey,
          .claims = {"rfc8684:3.1-syn", "rfc8684:3.1-b-flag", "rfc8684:3.1-crypto",
                     "rfc8684:3.1-checksum-asked"}) {
  const Opening opening = Open();
  Deciding("rfc8684:3.1-syn");
  EXPECT_EQ(LengthOf(opening.capable), 4U);
  Deciding("rfc8684:3.1-b-flag");
  EXPECT_EQ(opening.capable[1] & kB, 0);
  Deciding("rfc8684:3.1-crypto");
  EXPECT_NE(opening.capable[1] & 0x1f, 0) << "no bit of D to H is set";
  Deciding("rfc8684:3.1-checksum-asked");
  EXPECT_NE(opening.capable[1] & kA, 0) << "it asks for no checksums";
}

TEST_WITH(MptcpHandshakeTest, MptcpHandshake, ASynAckHasAnMpCapableWithItsKey,
          .claims = {"rfc8684:3.1-syn-ack", "rfc8684:3.1-b-flag", "rfc8684:3.1-crypto"}) {
  const std::optional<Bytes> capable = AnswerTo(MpCapable({}));
  Deciding("rfc8684:3.1-syn-ack");
  ASSERT_TRUE(capable) << "it has no MP_CAPABLE";
  EXPECT_EQ(LengthOf(*capable), 12U);
  Deciding("rfc8684:3.1-b-flag");
  EXPECT_EQ((*capable)[1] & kB, 0);
  Deciding("rfc8684:3.1-crypto");
  EXPECT_NE((*capable)[1] & 0x1f, 0) << "no bit of D to H is set";
}

TEST_WITH(MptcpHandshakeTest, MptcpHandshake, TheAckHasTheKeysOfBoth,
          .claims = {"rfc8684:3.1-ack"}) {
  const Opening opening = Open();
  ScriptedTcp& peer = opening.peer;
  Deciding("rfc8684:3.1-ack");
  peer.Send(SynAck().Option(MpCapable({kPeerKey})));
  const std::optional<Bytes> capable = Find(peer.Expect(Ack().Ack(peer.snd_nxt)), kMpCapable);
  ASSERT_TRUE(capable) << "it has no MP_CAPABLE";
  ASSERT_EQ(LengthOf(*capable), 20U);
  EXPECT_EQ(Read(*capable, 10, 8), kPeerKey) << "it does not repeat the key of its peer";
}

TEST_WITH(MptcpHandshakeTest, MptcpHandshake, TheFirstDataHasThemAgain,
          .claims = {"rfc8684:3.1-first-data"}) {
  auto [socket, peer, key, peer_key, has_checksums] = Connected();
  Deciding("rfc8684:3.1-first-data");
  ASSERT_THAT(socket.Send("data"), Returns(4));
  const std::optional<Bytes> capable = Find(peer.ExpectEventually(Data("data")), kMpCapable);
  ASSERT_TRUE(capable) << "it has no MP_CAPABLE";
  ASSERT_EQ(LengthOf(*capable), has_checksums ? 24U : 22U);
  EXPECT_EQ(Read(*capable, 2, 8), key);
  EXPECT_EQ(Read(*capable, 10, 8), peer_key);
  EXPECT_EQ(Read(*capable, 18, 2), 4U) << "another length of the data";
}

TEST_WITH(MptcpHandshakeTest, MptcpHandshake, EachConnectionHasAKeyOfItsOwn,
          .claims = {"rfc8684:3.1-unique-key"}) {
  const Key one = Connected().key;
  const Key other = Connected().key;
  const Key third = ConnectedByAccept().key;
  Deciding("rfc8684:3.1-unique-key");
  EXPECT_NE(one, other);
  EXPECT_NE(one, third);
  EXPECT_NE(other, third);
}

TEST_WITH(MptcpHandshakeTest, MptcpHandshake, NoLaterVersionIsAnswered,
          .claims = {"rfc8684:3.1-version"}) {
  const std::optional<Bytes> capable = AnswerTo(MpCapable({kPeerKey}, kH, 0));  // as of RFC 6824
  Deciding("rfc8684:3.1-version");
  EXPECT_EQ(capable ? (*capable)[0] & 0xf : 0, 0);
}

// A host that does not want checksums falls back.
TEST_WITH(MptcpHandshakeTest, MptcpHandshake, ChecksumsThatOneHostAsksForAreUsed,
          .claims = {"rfc8684:3.1-checksum-used"}) {
  const Opening opening = Open();
  ScriptedTcp& peer = opening.peer;
  Socket socket = opening.socket;
  Deciding("rfc8684:3.1-checksum-used");
  peer.Send(SynAck().Option(MpCapable({kPeerKey}, kA | kH)));
  const std::optional<Bytes> ack = Find(peer.Expect(Ack().Ack(peer.snd_nxt)), kMpCapable);
  ASSERT_THAT(socket.Send("data"), Returns(4));
  const Segment data = peer.ExpectEventually(Data("data"));
  const std::optional<Bytes> capable = Find(data, kMpCapable);
  if (!ack) {
    EXPECT_FALSE(HasMptcp(data)) << "it has not fallen back";
    return;
  }
  EXPECT_NE((*ack)[1] & kA, 0) << "the ACK does not confirm it";
  ASSERT_TRUE(capable && capable->size() == 22) << "there is no checksum";
  const Mapping mapping{Idsn(KeyIn(ack)) + 1, 1, 4};
  EXPECT_EQ(Read(*capable, 20, 2), ChecksumOf(mapping, "data"));
}

// --- Fallback
// --------------------------------------------------------------------------------------

TEST_WITH(MptcpHandshakeTest, MptcpFallback, ASynAckWithoutMpCapableMakesItRegularTcp,
          .claims = {"rfc8684:3.1-not-granted"}) {
  Opening opening = Open();
  Deciding("rfc8684:3.1-not-granted");
  opening.peer.Send(SynAck());
  const Segment answer = opening.peer.Expect(AnySegment());
  if (answer.Has(kRst)) NotReached("it may try an earlier version of MPTCP instead");
  EXPECT_FALSE(HasMptcp(answer));
  ASSERT_THAT(opening.connecting.Await(), Succeeds());
  ExpectRegularTcp(opening.socket, opening.peer);
}

TEST_WITH(MptcpHandshakeTest, MptcpFallback, ASynWithoutMpCapableGetsNone,
          .claims = {"rfc8684:3.1-not-asked"}) {
  const std::optional<Bytes> capable = AnswerTo(std::nullopt);
  Deciding("rfc8684:3.1-not-asked");
  EXPECT_FALSE(capable);
}

// It may send options more than once before it decides so.
TEST_WITH(MptcpHandshakeTest, MptcpFallback, AThirdSegmentWithoutMpCapableMakesItRegularTcp,
          .claims = {"rfc8684:3.1-third-without"}) {
  auto [listener, peer] = Listening();
  peer.Send(Syn().Option(MpCapable({})));
  KeyIn(Find(peer.Expect(SynAck().Ack(peer.snd_nxt)), kMpCapable));
  Deciding("rfc8684:3.1-third-without");
  peer.Send(Ack());
  Socket socket = listener.Accept().value().socket;
  peer.Send(Data("regular"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("regular"));
  ASSERT_THAT(socket.Send("data"), Returns(4));
  peer.Expect(Data("data"));
  peer.Send(Ack());
  ExpectRegularTcp(socket, peer);
}

TEST_WITH(MptcpHandshakeTest, MptcpFallback, AnMpCapableWithBitBIsIgnored,
          .claims = {"rfc8684:3.1-b-flag-ignored"}) {
  const std::optional<Bytes> capable = AnswerTo(MpCapable({}, kB | kH));
  Deciding("rfc8684:3.1-b-flag-ignored");
  EXPECT_FALSE(capable);
}

TEST_WITH(MptcpHandshakeTest, MptcpFallback, AnMpCapableWithoutAlgorithmIsIgnored,
          .claims = {"rfc8684:3.1-no-crypto"}) {
  const std::optional<Bytes> capable = AnswerTo(MpCapable({}, 0));
  Deciding("rfc8684:3.1-no-crypto");
  EXPECT_FALSE(capable);
}
