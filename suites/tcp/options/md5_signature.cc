// Segments that are signed with MD5, RFC 2385: as BGP does, on systems that have TCP_MD5SIG.
#include <cstring>

#include "harness/test/test.h"
#include "harness/wire/digest.h"

using namespace sockproof;

namespace {

const std::string kKey = "the key of both";

class Md5Test : public PeerTest {
 protected:
  // struct tcp_md5sig of linux/tcp.h: an address in 128 octets, flags, a prefix, the length of the
  // key, an interface, and 80 octets for the key.
  static Bytes Md5Sig(const IpAddress& address, const std::string& key) {
    Bytes value(216);
    const auto family = static_cast<std::uint16_t>(address.family());
    std::memcpy(value.data(), &family, sizeof family);
    const std::size_t at = address.version() == IpVersion::kIpv4 ? 4 : 8;
    std::memcpy(&value[at], address.bytes(), address.size());
    const auto length = static_cast<std::uint16_t>(key.size());
    std::memcpy(&value[130], &length, sizeof length);
    std::memcpy(&value[136], key.data(), key.size());
    return value;
  }

  // This socket signs what it sends to the peer, and wants it signed.
  void Protect(const Socket& socket, const std::string& key = kKey) {
    const IpAddress peer = host.Address(ip);
    if (!socket.SetOption("TCP_MD5SIG", Md5Sig(peer, key)).ok()) {
      NotReached("it does not sign by RFC 2385");
    }
  }

  // What the peer would send, signed.
  static Segment SendSigned(ScriptedTcp& peer, const PartialSegment& partial,
                            const std::string& key = kKey) {
    Segment segment;
    segment.source = peer.local();
    segment.destination = peer.remote().value();
    segment.seq = peer.snd_nxt;
    segment.ack = peer.rcv_nxt;
    segment.window = peer.rcv_wnd;
    segment = partial.Over(segment);
    if (segment.Has(kSyn)) segment.options = peer.syn_options;
    Sign(segment, key);
    return peer.Send(PartialSegment(partial).OnlyOptions(segment.options));
  }

  // Tells "it has none" from "it is wrong".
  static void ExpectSigned(const Segment& segment, const std::string& key = kKey) {
    Deciding("rfc2385:2-every-segment");
    const TcpOption* option = segment.FindOption(tcp_option::kMd5);
    ASSERT_TRUE(option != nullptr && option->data.size() == 16) << testing::PrintToString(segment);
    Deciding("rfc2385:2-digest");
    EXPECT_TRUE(IsSigned(segment, key)) << "another signature: " << testing::PrintToString(segment);
  }

  // connect() of a protected socket, and its SYN.
  struct Opening {
    Socket socket;
    ScriptedTcp& peer;
    Pending<int> connecting;
    Segment syn;
  };
  Opening Open(const std::string& key = kKey) {
    ScriptedTcp& peer = host.Listen(ip, NextPort());
    Socket socket = sut.NewSocket(ip);
    Protect(socket, key);
    Pending<int> connecting = socket.StartConnect(peer.local());
    const Segment syn = peer.Expect(Syn());
    return {socket, peer, std::move(connecting), syn};
  }
  // The same of a system that signs. One that takes the option, and signs nothing, is told once.
  Opening OpenSigned() {
    Opening opening = Open();
    RequireSignature(opening.syn);
    return opening;
  }
  static void RequireSignature(const Segment& segment) {
    if (segment.FindOption(tcp_option::kMd5) == nullptr) NotReached("it signs nothing");
  }

  // A protected connection, by connect() of the system under test.
  Connection Protected() {
    Opening opening = OpenSigned();
    SendSigned(opening.peer, SynAck());
    opening.peer.Expect(Ack().Ack(opening.peer.snd_nxt));
    opening.connecting.Await().value();
    return {opening.socket, opening.peer};
  }

  // A listener that wants the segments of the peer signed.
  Connection Listening() {
    Connection listening = InState(TcpState::kListen);
    Protect(listening.socket);
    return listening;
  }

  void ExpectNoAnswer(const ScriptedTcp& peer) {
    Settle();
    EXPECT_EQ(peer.waiting(), 0U) << "it is answered";
  }
};

}  // namespace

TEST_WITH(Md5Test, Md5Signature, EverySegmentOfAnActiveOpenIsSigned,
          .claims = {"rfc2385:2-every-segment", "rfc2385:2-digest"}) {
  auto [socket, peer, connecting, syn] = Open();
  ExpectSigned(syn);
  SendSigned(peer, SynAck());
  ExpectSigned(peer.Expect(Ack().Ack(peer.snd_nxt)));
  ASSERT_THAT(connecting.Await(), Succeeds());
  ASSERT_THAT(socket.Send("data"), Returns(4));
  ExpectSigned(peer.Expect(Data("data")));
  SendSigned(peer, Ack());
  ASSERT_THAT(socket.Close(), Succeeds());
  ExpectSigned(peer.Expect(Fin()));
}

TEST_WITH(Md5Test, Md5Signature, EverySegmentOfAPassiveOpenIsSigned,
          .claims = {"rfc2385:2-every-segment", "rfc2385:2-digest"}) {
  auto [listener, peer] = Listening();
  SendSigned(peer, Syn());
  ExpectSigned(peer.Expect(SynAck().Ack(peer.snd_nxt)));
  SendSigned(peer, Ack());
  Socket socket = listener.Accept().value().socket;
  SendSigned(peer, Data("question"));
  ExpectSigned(peer.Expect(Ack().Ack(peer.snd_nxt)));
  EXPECT_THAT(socket.Receive(64), Returns("question"));
  ASSERT_THAT(socket.Send("answer"), Returns(6));
  ExpectSigned(peer.Expect(Data("answer")));
}

TEST_WITH(Md5Test, Md5Signature, DataThatAnotherKeySignsIsDroppedSilently,
          .claims = {"rfc2385:2-failing"}) {
  auto [socket, peer] = Protected();
  const std::uint32_t first = peer.snd_nxt;
  SendSigned(peer, Data("forged"), "another key");
  Deciding("rfc2385:2-failing");
  ExpectNoAnswer(peer);
  peer.snd_nxt = first;
  SendSigned(peer, Data("proper"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("proper"));
}

TEST_WITH(Md5Test, Md5Signature, ASynThatAnotherKeySignsIsDroppedSilently,
          .claims = {"rfc2385:2-failing"}) {
  const Connection listening = Listening();
  ScriptedTcp& known = host.Towards(listening.local(), NextPort());
  SendSigned(known, Syn());
  RequireSignature(known.Expect(SynAck()));
  Deciding("rfc2385:2-failing");
  SendSigned(listening.peer, Syn(), "another key");
  ExpectNoAnswer(listening.peer);
}

TEST_WITH(Md5Test, Md5Signature, ASynAckWithoutSignatureIsIgnoredAndSigningGoesOn,
          .claims = {"rfc2385:2-unsigned-syn-ack"}) {
  auto [socket, peer, connecting, syn] = OpenSigned();
  Deciding("rfc2385:2-unsigned-syn-ack");
  peer.Send(SynAck());
  ExpectNoAnswer(peer);
  ExpectStillBlocked(connecting);
  peer.snd_nxt = peer.iss;
  SendSigned(peer, SynAck());
  EXPECT_TRUE(IsSigned(peer.Expect(Ack().Ack(peer.snd_nxt)), kKey));
  EXPECT_THAT(connecting.Await(), Succeeds());
}

TEST_WITH(Md5Test, Md5Signature, ARefusalWithoutSignatureIsIgnored,
          .claims = {"rfc2385:4.1-reset"}) {
  auto [socket, peer, connecting, syn] = OpenSigned();
  Deciding("rfc2385:4.1-reset");
  peer.Send(Rst().With(kAck).Seq(0));
  ExpectStillBlocked(connecting);
}

TEST_WITH(Md5Test, Md5Signature, AResetWithoutSignatureIsIgnored, .claims = {"rfc2385:4.1-reset"}) {
  auto [socket, peer] = Protected();
  Deciding("rfc2385:4.1-reset");
  peer.Send(Rst());
  SendSigned(peer, Data("goes on"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("goes on"));
}

TEST_WITH(Md5Test, Md5Signature, AKeyMayHaveEightyOctets, .claims = {"rfc2385:4.5-key"}) {
  OpenSigned();  // or it signs nothing
  const std::string key(80, 'k');
  const IpAddress address = host.Address(ip);
  Deciding("rfc2385:4.5-key");
  ASSERT_THAT(sut.NewSocket(ip).SetOption("TCP_MD5SIG", Md5Sig(address, key)), Succeeds());
  auto [socket, peer, connecting, syn] = Open(key);
  EXPECT_TRUE(IsSigned(syn, key)) << "it signs by another key";
  SendSigned(peer, SynAck(), key);
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(connecting.Await(), Succeeds());
}

// What an MSS leaves for data is less by the options that go with it.
TEST_WITH(Md5Test, Md5Signature, LongDataLeavesRoomForTheSignature, .claims = {"rfc9293:MUST-16"}) {
  auto [socket, peer] = Protected();
  auto sending = socket.StartSend(std::string(4000, 'x'));  // its buffer may be small
  Deciding("rfc9293:MUST-16");
  for (std::size_t octets = 0; octets < 4000;) {
    const Segment data = peer.Expect(AnyData());
    EXPECT_LE(data.payload.size() + data.option_area.size(), peer.snd_mss);
    octets += data.payload.size();
    SendSigned(peer, Ack());
  }
  sending.Await().value();
}
