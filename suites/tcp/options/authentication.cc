// Segments that are authenticated by TCP-AO, RFC 5925 and RFC 5926: on systems that have
// TCP_AO_ADD_KEY.
#include <cstring>

#include "harness/test/test.h"
#include "harness/wire/digest.h"

using namespace sockproof;

namespace {

using Algorithm = MasterKey::Algorithm;

// A master key tuple of the system under test: KeyIDs of what it sends, and of what it receives.
struct Tuple {
  std::uint8_t send_id, recv_id;
  std::string key;
  Algorithm algorithm = Algorithm::kHmacSha1;

  // As one signs at that end.
  MasterKey OfTheSystem() const { return {send_id, recv_id, key, algorithm}; }
  MasterKey OfThePeer() const { return {recv_id, send_id, key, algorithm}; }
};
const Tuple kTuple{5, 7, "the key of both"};
const Tuple kNextTuple{50, 70, "the next key of both"};

class AoTest : public PeerTest {
 protected:
  // struct tcp_ao_add of linux/tcp.h: an address in 128 octets, the name of an algorithm in 64, an
  // interface, flags, a prefix, the two identifiers, the length of MACs (0: as usual), flags, the
  // length of the key, and 80 octets for the key.
  static Bytes AoAdd(const IpAddress& address, const Tuple& tuple) {
    Bytes value(288);
    const auto family = static_cast<std::uint16_t>(address.family());
    std::memcpy(value.data(), &family, sizeof family);
    const bool is_ipv4 = address.version() == IpVersion::kIpv4;
    std::memcpy(&value[is_ipv4 ? 4 : 8], address.bytes(), address.size());
    const std::string algorithm =
        tuple.algorithm == Algorithm::kHmacSha1 ? "hmac(sha1)" : "cmac(aes128)";
    std::memcpy(&value[128], algorithm.data(), algorithm.size());
    value[202] = is_ipv4 ? 32 : 128;
    value[203] = tuple.send_id;
    value[204] = tuple.recv_id;
    value[207] = static_cast<std::uint8_t>(tuple.key.size());
    std::memcpy(&value[208], tuple.key.data(), tuple.key.size());
    return value;
  }

  void Protect(const Socket& socket, const Tuple& tuple = kTuple) {
    if (!socket.SetOption("TCP_AO_ADD_KEY", AoAdd(host.Address(ip), tuple)).ok()) {
      NotReached("it does not authenticate by RFC 5925");
    }
  }

  // What the peer would send, with this option put behind the others before it is signed.
  static void SendSigned(ScriptedTcp& peer, const PartialSegment& partial,
                         const MasterKey& key = kTuple.OfThePeer(),
                         const std::vector<TcpOption>& more = {}) {
    Segment segment;
    segment.source = peer.local();
    segment.destination = peer.remote().value();
    segment.seq = peer.snd_nxt;
    segment.ack = peer.rcv_nxt;
    segment.window = peer.rcv_wnd;
    segment = partial.Over(segment);
    if (segment.Has(kSyn)) segment.options = peer.syn_options;
    segment.options.insert(segment.options.end(), more.begin(), more.end());
    Authenticate(segment, key, peer.iss, peer.irs);
    peer.Send(PartialSegment(partial).OnlyOptions(segment.options));
  }

  // Tells "it has none" from "other identifiers" and "another MAC".
  static void ExpectSigned(const ScriptedTcp& peer, const Segment& segment) {
    Deciding("rfc5925:7.4-every-segment");
    const TcpOption* option = segment.FindOption(tcp_option::kAo);
    ASSERT_TRUE(option != nullptr && option->data.size() >= 2) << testing::PrintToString(segment);
    Deciding("rfc5925:7.4-identifiers");
    EXPECT_EQ(option->data[0], kTuple.send_id) << "KeyID";
    EXPECT_EQ(option->data[1], kTuple.recv_id) << "RNextKeyID";
    const bool is_syn = segment.Has(kSyn) && !segment.Has(kAck);
    Deciding(is_syn ? "rfc5925:5.2-syn" : "rfc5925:5.1-mac");
    EXPECT_TRUE(IsAuthentic(segment, kTuple.OfTheSystem(), peer.irs, peer.iss))
        << "another MAC: " << testing::PrintToString(segment);
  }

  // connect() of a socket that is protected by these, and its SYN.
  struct Opening {
    Socket socket;
    ScriptedTcp& peer;
    Pending<int> connecting;
    Segment syn;
  };
  Opening Open(const std::vector<Tuple>& tuples = {kTuple}) {
    ScriptedTcp& peer = host.Listen(ip, NextPort());
    Socket socket = sut.NewSocket(ip);
    for (const Tuple& tuple : tuples) Protect(socket, tuple);
    Pending<int> connecting = socket.StartConnect(peer.local());
    const Segment syn = peer.Expect(Syn());
    return {socket, peer, std::move(connecting), syn};
  }
  // A system that takes the option, and signs nothing, is told once.
  static void RequireSignature(const Segment& segment) {
    if (segment.FindOption(tcp_option::kAo) == nullptr) NotReached("it signs nothing");
  }

  // A connection that is protected by these, by connect() of the system under test.
  Connection Protected(const std::vector<Tuple>& tuples = {kTuple}) {
    Opening opening = Open(tuples);
    RequireSignature(opening.syn);
    ScriptedTcp& peer = opening.peer;
    SendSigned(peer, SynAck(), tuples.front().OfThePeer());
    peer.Expect(Ack().Ack(peer.snd_nxt));
    opening.connecting.Await().value();
    return {opening.socket, peer};
  }

  Connection Listening() {
    Connection listening = InState(TcpState::kListen);
    Protect(listening.socket);
    return listening;
  }

  // What was sent last was dropped, and nothing was said about it.
  void ExpectDropped(const Connection& connection, std::uint32_t seq) {
    Settle();
    EXPECT_EQ(connection.peer.waiting(), 0U) << "it is answered";
    ExpectDiscarded(connection, seq);
  }
  // What was sent last came to nothing, answered or not.
  void ExpectDiscarded(const Connection& connection, std::uint32_t seq) {
    Settle();
    connection.peer.TakeArrived();
    connection.peer.snd_nxt = seq;
    SendSigned(connection.peer, Data("proper"));
    connection.peer.Expect(Ack().Ack(connection.peer.snd_nxt));
    EXPECT_THAT(connection.socket.Receive(64), Returns("proper"));
  }
};

}  // namespace

TEST_WITH(AoTest, AuthenticationOption, EverySegmentOfAnActiveOpenIsSigned,
          .claims = {"rfc5925:7.4-every-segment", "rfc5925:7.4-identifiers", "rfc5925:5.2-syn",
                     "rfc5925:5.1-mac"}) {
  auto [socket, peer, connecting, syn] = Open();
  ExpectSigned(peer, syn);
  SendSigned(peer, SynAck());
  ExpectSigned(peer, peer.Expect(Ack().Ack(peer.snd_nxt)));
  ASSERT_THAT(connecting.Await(), Succeeds());
  ASSERT_THAT(socket.Send("data"), Returns(4));
  ExpectSigned(peer, peer.Expect(Data("data")));
  SendSigned(peer, Ack());
  ASSERT_THAT(socket.Close(), Succeeds());
  ExpectSigned(peer, peer.Expect(Fin()));
}

TEST_WITH(AoTest, AuthenticationOption, EverySegmentOfAPassiveOpenIsSigned,
          .claims = {"rfc5925:7.4-every-segment", "rfc5925:7.4-identifiers", "rfc5925:5.1-mac"}) {
  auto [listener, peer] = Listening();
  SendSigned(peer, Syn());
  ExpectSigned(peer, peer.Expect(SynAck().Ack(peer.snd_nxt)));
  SendSigned(peer, Ack());
  Socket socket = listener.Accept().value().socket;
  SendSigned(peer, Data("question"));
  ExpectSigned(peer, peer.Expect(Ack().Ack(peer.snd_nxt)));
  EXPECT_THAT(socket.Receive(64), Returns("question"));
  ASSERT_THAT(socket.Send("answer"), Returns(6));
  ExpectSigned(peer, peer.Expect(Data("answer")));
}

TEST_WITH(AoTest, AuthenticationOption, WhatAnotherKeySignsIsDroppedSilently,
          .claims = {"rfc5925:7.3-not-valid"}) {
  const Connection connection = Protected();
  const std::uint32_t seq = connection.peer.snd_nxt;
  MasterKey key = kTuple.OfThePeer();
  key.key = "another key";
  Deciding("rfc5925:7.3-not-valid");
  SendSigned(connection.peer, Data("forged"), key);
  ExpectDropped(connection, seq);
}

TEST_WITH(AoTest, AuthenticationOption, WhatIsSignedTwiceIsDroppedSilently,
          .claims = {"rfc5925:2.2-md5-too"}) {
  const Connection connection = Protected();
  const std::uint32_t seq = connection.peer.snd_nxt;
  Deciding("rfc5925:2.2-md5-too");
  SendSigned(connection.peer, Data("forged"), kTuple.OfThePeer(),
             {tcp_option::Nop(), tcp_option::Nop(), tcp_option::Md5({})});
  ExpectDropped(connection, seq);
}

TEST_WITH(AoTest, AuthenticationOption, ASynWithoutSignatureOpensNothing,
          .claims = {"rfc5925:7.5-syn"}) {
  const Connection listening = Listening();
  ScriptedTcp& known = host.Towards(listening.local(), NextPort());
  SendSigned(known, Syn());
  RequireSignature(known.Expect(SynAck()));
  Deciding("rfc5925:7.5-syn");
  listening.peer.Send(Syn());
  Settle();
  for (const Segment& answer : listening.peer.TakeArrived()) {
    EXPECT_TRUE(answer.Has(kRst)) << "it is accepted: " << testing::PrintToString(answer);
  }
}

TEST_WITH(AoTest, AuthenticationOption, AResetWithoutSignatureIsIgnored,
          .claims = {"rfc5925:7.7-reset"}) {
  const Connection connection = Protected();
  Deciding("rfc5925:7.7-reset");
  connection.peer.Send(Rst());
  ExpectDropped(connection, connection.peer.snd_nxt);
}

TEST_WITH(AoTest, AuthenticationOption, TheKeyThatThePeerWantsNextIsUsed,
          .claims = {"rfc5925:7.5-rnext"}) {
  auto [socket, peer] = Protected({kTuple, kNextTuple});
  MasterKey key = kTuple.OfThePeer();
  key.rnext_key_id = kNextTuple.send_id;
  Deciding("rfc5925:7.5-rnext");
  SendSigned(peer, Data("change"), key);
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("change"));
  ASSERT_THAT(socket.Send("changed"), Returns(7));
  const Segment data = peer.Expect(Data("changed"));
  EXPECT_TRUE(IsAuthentic(data, kNextTuple.OfTheSystem(), peer.irs, peer.iss));
}

TEST_WITH(AoTest, AuthenticationOption, AesIsThereToo, .claims = {"rfc5926:2.2-aes"}) {
  Protected();  // or it has no TCP-AO
  const Tuple tuple{5, 7, "16 octets of key", Algorithm::kAes128Cmac};
  const Bytes option = AoAdd(host.Address(ip), tuple);
  Deciding("rfc5926:2.2-aes");
  ASSERT_THAT(sut.NewSocket(ip).SetOption("TCP_AO_ADD_KEY", option), Succeeds());
  auto [socket, peer, connecting, syn] = Open({tuple});
  EXPECT_TRUE(IsAuthentic(syn, tuple.OfTheSystem(), peer.irs, 0));
  SendSigned(peer, SynAck(), tuple.OfThePeer());
  const Segment ack = peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_TRUE(IsAuthentic(ack, tuple.OfTheSystem(), peer.irs, peer.iss));
  EXPECT_THAT(connecting.Await(), Succeeds());
}

// IP_RECVERR makes an application hear of errors that do not end a connection.
TEST_WITH(AoTest, AuthenticationOption, AHardErrorOfIcmpIsIgnored, .claims = {"rfc5925:7.8-icmp"}) {
  auto [socket, peer] = Protected();
  const bool is_ipv4 = ip == IpVersion::kIpv4;
  socket.SetOption(is_ipv4 ? "IP_RECVERR" : "IPV6_RECVERR", 1).value();
  socket.Send("data").value();
  const Segment data = peer.Expect(Data("data"));
  Deciding("rfc5925:7.8-icmp");
  host.Report(icmp::PortUnreachable(ip), data);
  SendSigned(peer, Data("goes on"));
  peer.Expect(Ack().Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Receive(64), Returns("goes on"));
}

// The second one of them is right.
TEST_WITH(AoTest, AuthenticationOption, WhatHasTwoOfThemIsDiscarded,
          .claims = {"rfc5925:2.2-two"}) {
  const Connection connection = Protected();
  const std::uint32_t seq = connection.peer.snd_nxt;
  SendSigned(connection.peer, Data("forged"), kTuple.OfThePeer(),
             {tcp_option::Ao(kTuple.recv_id, kTuple.send_id, Bytes(12))});
  ExpectDiscarded(connection, seq);
}

TEST_WITH(AoTest, AuthenticationOption, AWrongLengthIsDiscarded, .claims = {"rfc5925:2.2-length"}) {
  const Connection connection = Protected();
  const std::uint32_t seq = connection.peer.snd_nxt;
  constexpr std::uint8_t kTooLong = 60;
  for (const Bytes& options : {Bytes{tcp_option::kAo, 2, 0, 0}, Bytes{tcp_option::kAo, 3, 7, 0},
                               Bytes{tcp_option::kAo, kTooLong, 7, 5}}) {
    connection.peer.snd_nxt = seq;
    connection.peer.Send(Data("forged").RawOptions(options));
  }
  ExpectDiscarded(connection, seq);
}
