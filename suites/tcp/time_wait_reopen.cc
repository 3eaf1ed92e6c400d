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
    if (sut.Can("states")) ExpectState(TcpState::kTimeWait, {listener, peer});
  }

  void CloseActivelyWithTimestamps() {
    peer.syn_options.push_back(tcp_option::Timestamps(ScriptedTcp::TimestampNow(), 0));
    CloseActively();
    if (!last_timestamp) throw Skip("the system under test does not use TCP timestamps");
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

  // It is answered like any segment that does not belong to the old connection, which remains.
  void ExpectRefusal() {
    peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(last_seq + 1));
    peer.Send(Fin().Seq(last_seq));
    peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(last_seq + 1));
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

TEST_WITH(Reopening, TimeWaitReopen, ASynWithAHigherSequenceNumberOpensANewConnection,
          .claims = {"rfc9293:MAY-2", "rfc6191:2-without-timestamp"}) {
  CloseActively();
  const std::uint32_t last_sent = peer.rcv_nxt - 1;
  SendSyn(last_seq + kFar);
  ExpectNewConnection();
  EXPECT_GT(Past(peer.irs, last_sent), 0) << "the new initial sequence number is no larger";
}

TEST_WITH(Reopening, TimeWaitReopen, ASynWithALowerSequenceNumberDoesNot,
          .claims = {"rfc9293:MAY-2", "rfc9293:3.10.7.4-challenge-ack"}) {
  CloseActively();
  SendSyn(last_seq - kFar);
  ExpectRefusal();
}

TEST_WITH(Reopening, TimeWaitReopen, WhereNobodyListensASynIsAcknowledged,
          .claims = {"rfc9293:3.10.7.4-challenge-ack"}) {
  CloseActively();
  ASSERT_THAT(listener.Close(), Succeeds());
  SendSyn(last_seq + kFar);
  ExpectRefusal();
}

// The second condition of MAY-2.
TEST_WITH(Reopening, TimeWaitReopen, AsTheRfcSaysAnOldDuplicateLeadsBackToTimeWait,
          .claims = {"rfc9293:MAY-2"}) {
  CloseActively();
  SendSyn(last_seq + kFar);
  peer.Expect(SynAck().Ack(peer.snd_nxt));
  peer.Send(Rst());
  // A FIN of the connection before is still answered.
  peer.Send(Fin().Seq(last_seq));
  peer.Expect(Ack().Ack(last_seq + 1));
}

// --- With timestamps -----------------------------------------------------------------------------

TEST_WITH(Reopening, TimeWaitReopen, ANewerTimestampOpensWithALowerSequenceNumberToo,
          .claims = {"rfc6191:2-newer-timestamp", "rfc9293:SHLD-4"}) {
  CloseActivelyWithTimestamps();
  SendSyn(last_seq - kFar, *last_timestamp + 1000);
  ExpectNewConnection();
}

TEST_WITH(Reopening, TimeWaitReopen, TheSameTimestampOpensWithAHigherSequenceNumber,
          .claims = {"rfc6191:2-same-timestamp", "rfc9293:SHLD-4"}) {
  CloseActivelyWithTimestamps();
  SendSyn(last_seq + kFar, *last_timestamp);
  ExpectNewConnection();
}

TEST_WITH(Reopening, TimeWaitReopen, TheSameTimestampDoesNotOpenWithALowerSequenceNumber,
          .claims = {"rfc9293:3.10.7.4-challenge-ack"}) {
  CloseActivelyWithTimestamps();
  SendSyn(last_seq - kFar, *last_timestamp);
  ExpectRefusal();
}

TEST_WITH(Reopening, TimeWaitReopen, ASynWithoutTimestampOpensWithAHigherSequenceNumber,
          .claims = {"rfc6191:2-without-timestamp", "rfc9293:SHLD-4"}) {
  CloseActivelyWithTimestamps();
  SendSyn(last_seq + kFar);
  ExpectNewConnection();
}

TEST_WITH(Reopening, TimeWaitReopen, AnOlderTimestampDoesNotOpenAnything,
          .claims = {"rfc9293:3.10.7.4-challenge-ack"}) {
  CloseActivelyWithTimestamps();
  SendSyn(last_seq + kFar, *last_timestamp - 1000);
  ExpectRefusal();
}

// RFC 9293 wants an acknowledgment of every SYN that does not open a connection, RFC 6191 silence.
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
  SendSyn(last_seq - kFar, 1'000'000);
  ExpectNewConnection();
}
