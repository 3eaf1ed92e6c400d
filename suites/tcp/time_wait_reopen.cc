// SYNs that arrive in TIME-WAIT: which of them open a new connection between the same ports. RFC
// 9293 section 3.6.1, and RFC 6191 for connections with timestamps.
#include <optional>
#include <vector>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

// How far sequence number `a` is past `b`; negative before it.
std::int32_t Past(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b); }

constexpr std::uint32_t kFar = 100'000;

// A listener, and a connection to it that its side closed.
class Reopening : public PeerTest {
 protected:
  void CloseActively() {
    listener.Bind(kPort).value();
    listener.Listen(4).value();
    peer.Send(Syn());
    peer.Expect(SynAck().Ack(peer.snd_nxt));
    peer.Send(Ack());
    Socket accepted = listener.Accept().value().socket;
    accepted.Close().value();
    peer.Expect(Fin().Seq(peer.rcv_nxt));
    peer.Send(Ack());
    const Segment fin = peer.Send(Fin());
    peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
    last_seq = fin.seq;
    if (const auto timestamps = fin.timestamps()) last_timestamp = timestamps->first;
    ExpectStateIfShown(TcpState::kTimeWait, {listener, peer});
  }

  void CloseActivelyWithTimestamps() {
    peer.syn_options.push_back(tcp_option::Timestamps(ScriptedTcp::TimestampNow(), 0));
    CloseActively();
    if (!last_timestamp) NotReached("the connection uses no timestamps");
  }

  // Whether a connection to the listener that asks for timestamps gets them.
  bool UsesTimestamps() {
    ScriptedTcp& other = host.Towards(*peer.remote(), NextPort());
    other.syn_options.push_back(tcp_option::Timestamps(ScriptedTcp::TimestampNow(), 0));
    other.Send(Syn());
    const bool uses_them = other.Expect(SynAck()).timestamps().has_value();
    other.Send(Rst());
    return uses_them;
  }

  // A SYN from the same port with this initial sequence number, and with this timestamp if any.
  void SendSyn(std::uint32_t seq, std::optional<std::uint32_t> timestamp = std::nullopt) {
    peer.iss = peer.snd_una = peer.snd_nxt = seq;
    std::vector<TcpOption> options{tcp_option::Mss(1200)};
    if (timestamp) options.push_back(tcp_option::Timestamps(*timestamp, 0));
    peer.Send(Syn().OnlyOptions(options));
  }

  void ExpectNewConnection() {
    const Segment syn_ack = peer.Expect(SynAck().Ack(peer.snd_nxt));
    PartialSegment ack = Ack();
    if (const auto timestamps = syn_ack.timestamps()) {
      ack.OnlyOptions({tcp_option::Nop(), tcp_option::Nop(),
                       tcp_option::Timestamps(timestamps->second, timestamps->first)});
    }
    peer.Send(ack);
    EXPECT_THAT(listener.Accept(), Succeeds());
  }

  // It is answered like any segment outside the window, and TIME-WAIT goes on.
  void ExpectRefusal() {
    peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(last_seq + 1));
    ExpectTimeWait();
  }

  // It opens nothing, answered or not, and TIME-WAIT goes on.
  void ExpectRefusalOrSilence() {
    Settle();
    if (peer.waiting() > 0) peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(last_seq + 1));
    ExpectTimeWait();
  }

  // Whether a SYN that may open a connection is answered so. Where it does not, it does no harm.
  bool IsGranted() {
    Settle();
    if (peer.waiting() > 0) {
      const Segment answer = peer.Expect(AnySegment());
      if (SynAck().Ack(peer.snd_nxt).Matches(answer)) return true;
      EXPECT_TRUE(Ack().Ack(last_seq + 1).Matches(answer)) << testing::PrintToString(answer);
    }
    ExpectTimeWait();
    return false;
  }

  // The FIN of the old connection is still acknowledged.
  void ExpectTimeWait() {
    peer.Send(Fin().Seq(last_seq));
    peer.Expect(Ack().Ack(last_seq + 1));
  }

  Socket listener = sut.NewSocket(ip);
  ScriptedTcp& peer = host.Towards(sut.At(ip, kPort), NextPort());
  std::uint32_t last_seq = 0;  // the highest that the peer used
  std::optional<std::uint32_t> last_timestamp;

 private:
  static constexpr std::uint16_t kPort = 8080;
};

}  // namespace

// --- Without timestamps --------------------------------------------------------------------------

TEST_WITH(Reopening, TimeWaitReopen, ASynWithAHigherSequenceNumberMayOpenANewConnection,
          .claims = {"rfc9293:MUST-13", "rfc9293:MAY-2"}) {
  CloseActively();
  const std::uint32_t last_sent = peer.rcv_nxt - 1;
  SendSyn(last_seq + kFar);
  Deciding("rfc9293:MUST-13");
  if (!IsGranted()) {
    NotTaken("rfc9293:MAY-2", "a SYN opens nothing from TIME-WAIT");
    return;
  }
  EXPECT_GT(Past(peer.irs, last_sent), 0) << "the new initial sequence number is no larger";
  Deciding("rfc9293:MAY-2");
  peer.Send(Ack());
  EXPECT_THAT(listener.Accept(), Succeeds());
}

TEST_WITH(Reopening, TimeWaitReopen, ASynWithALowerSequenceNumberDoesNot,
          .claims = {"rfc9293:3.10.7.4-unacceptable-segment"}) {
  CloseActively();
  SendSyn(last_seq - kFar);
  ExpectRefusal();
}

TEST_WITH(Reopening, TimeWaitReopen, WhereNobodyListensASynIsAcknowledged,
          .claims = {"rfc9293:3.10.7.4-unacceptable-segment"}) {
  CloseActively();
  ASSERT_THAT(listener.Close(), Succeeds());
  SendSyn(last_seq + kFar);
  ExpectRefusal();
}

// The second condition of MAY-2, without which TIME-WAIT must not be left.
TEST_WITH(Reopening, TimeWaitReopen, AsTheRfcSaysAnOldDuplicateLeadsBackToTimeWait,
          .claims = {"rfc9293:MUST-13", "rfc9293:MAY-2"}) {
  CloseActively();
  SendSyn(last_seq + kFar);
  Deciding("rfc9293:MUST-13");
  if (!IsGranted()) {
    NotTaken("rfc9293:MAY-2", "a SYN opens nothing from TIME-WAIT");
    return;
  }
  peer.Send(Rst());
  ExpectTimeWait();
  Deciding("rfc9293:MAY-2");
}

// --- With timestamps -----------------------------------------------------------------------------

TEST_WITH(Reopening, TimeWaitReopen, ANewerTimestampOpensWithALowerSequenceNumberToo,
          .claims = {"rfc6191:2-newer-timestamp", "rfc9293:SHLD-4"}) {
  CloseActivelyWithTimestamps();
  SendSyn(last_seq - kFar, *last_timestamp + 1000);
  ExpectNewConnection();
}

TEST_WITH(Reopening, TimeWaitReopen, TheSameTimestampOpensWithAHigherSequenceNumber,
          .claims = {"rfc6191:2-same-timestamp"}) {
  CloseActivelyWithTimestamps();
  SendSyn(last_seq + kFar, *last_timestamp);
  ExpectNewConnection();
}

TEST_WITH(Reopening, TimeWaitReopen, TheSameTimestampDoesNotOpenWithALowerSequenceNumber,
          .claims = {"rfc9293:SHLD-4"}) {
  CloseActivelyWithTimestamps();
  SendSyn(last_seq - kFar, *last_timestamp);
  ExpectRefusalOrSilence();
}

TEST_WITH(Reopening, TimeWaitReopen, ASynWithoutTimestampOpensWithAHigherSequenceNumber,
          .claims = {"rfc6191:2-without-timestamp"}) {
  CloseActivelyWithTimestamps();
  SendSyn(last_seq + kFar);
  ExpectNewConnection();
}

TEST_WITH(Reopening, TimeWaitReopen, AnOlderTimestampDoesNotOpenAnything,
          .claims = {"rfc9293:SHLD-4"}) {
  CloseActivelyWithTimestamps();
  SendSyn(last_seq + kFar, *last_timestamp - 1000);
  ExpectRefusalOrSilence();
}

// RFC 9293 leaves SYNs with timestamps to RFC 6191, which wants silence.
TEST_WITH(Reopening, TimeWaitReopen, AsRfc6191SaysOtherSynsAreSilentlyDropped,
          .claims = {"rfc6191:2-otherwise"}) {
  CloseActivelyWithTimestamps();
  SendSyn(last_seq - kFar, *last_timestamp - 1000);
  Settle();
  EXPECT_EQ(peer.waiting(), 0U) << "a SYN with an older timestamp is answered";
}

TEST_WITH(Reopening, TimeWaitReopen, AsRfc6191SaysAFirstTimestampOpensAnything,
          .claims = {"rfc6191:2-first-timestamp"}) {
  CloseActively();
  if (!UsesTimestamps()) NotReached("a new connection would use no timestamps");
  SendSyn(last_seq - kFar, 1'000'000);
  ExpectNewConnection();
}
