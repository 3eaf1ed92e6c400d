// ICMP errors about a SYN or SYN,ACK: which end the attempt, and what the application is told.
// RFC 9293 section 3.9.2.2, RFC 5461, RFC 5927, and the tables of errnos in Linux.
#include <string>
#include <vector>

#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

struct Meaning {
  const char* name;
  IcmpError error;
  int error_number;
};

// Those that RFC 9293 calls soft; the errnos are of linux:icmp_err_convert and
// linux:icmpv6_err_convert.
std::vector<Meaning> SoftErrorsOfAttempts(IpVersion ip) {
  std::vector<Meaning> errors = {
      {"net unreachable", icmp::NetUnreachable(ip), ENETUNREACH},
      {"host unreachable", icmp::HostUnreachable(ip), EHOSTUNREACH},
      {"hop limit exceeded", icmp::HopLimitExceeded(ip), EHOSTUNREACH},
      {"parameter problem", icmp::ParameterProblem(ip), EPROTO},
  };
  if (ip == IpVersion::kIpv4) {
    errors.push_back({"source route failed", icmp::SourceRouteFailed(), EOPNOTSUPP});
  }
  return errors;
}

// The others. Of ICMP those that RFC 9293 calls hard; it classifies none of ICMPv6.
std::vector<Meaning> HardErrors(IpVersion ip) {
  std::vector<Meaning> errors = {{"port unreachable", icmp::PortUnreachable(ip), ECONNREFUSED}};
  if (ip == IpVersion::kIpv4) {
    errors.push_back({"protocol unreachable", icmp::ProtocolUnreachable(), ENOPROTOOPT});
  } else {
    errors.push_back({"administratively prohibited", icmp::AdminProhibited(), EACCES});
  }
  return errors;
}

std::string PendingError(Socket& socket) { return ErrnoName(socket.TakeError()); }

class AttemptWithIcmp : public PeerTest {
 protected:
  struct Attempt {
    Socket socket;
    ScriptedTcp& peer;
    Segment syn;
  };

  // A nonblocking connect() and its SYN.
  Attempt Connecting() {
    ScriptedTcp& peer = host.Listen(ip, 80);
    Socket socket = sut.NewSocket(ip, "SOCK_STREAM", {"SOCK_NONBLOCK"});
    socket.Connect(peer.local());  // EINPROGRESS
    return {socket, peer, peer.Expect(Syn())};
  }

  // Returns when the system has taken it in.
  void Report(const IcmpError& error, const Segment& about) {
    host.Report(error, about);
    Settle();
  }

  // The attempt goes on, and an answer to its SYN connects.
  void ExpectUnharmed(Attempt& attempt) {
    EXPECT_EQ(PendingError(attempt.socket), ErrnoName(0));
    attempt.peer.Send(SynAck());
    attempt.peer.Expect(Ack().Seq(attempt.peer.rcv_nxt).Ack(attempt.peer.snd_nxt));
    EXPECT_THAT(attempt.socket.Send("still here"), Returns(10));
    attempt.peer.Expect(Data("still here").Seq(attempt.peer.rcv_nxt));
  }
};

}  // namespace

// --- SYN-SENT ------------------------------------------------------------------------------------

TEST_WITH(AttemptWithIcmp, SynIcmp, AHardErrorEndsTheAttempt,
          .claims = {"rfc9293:SHLD-26", "rfc9293:MUST-54"},
          .ipv4_only_because = "RFC 9293 calls no error of ICMPv6 hard") {
  for (const Meaning& hard : HardErrors(ip)) {
    SCOPED_TRACE(hard.name);
    Attempt attempt = Connecting();
    Report(hard.error, attempt.syn);
    Deciding("rfc9293:MUST-54");
    EXPECT_NE(PendingError(attempt.socket), ErrnoName(0)) << "nobody is told";
    Deciding("rfc9293:SHLD-26");
    const Segment late = attempt.peer.Send(SynAck());
    attempt.peer.Expect(Rst().Seq(late.ack));
  }
}

TEST_WITH(AttemptWithIcmp, SynIcmp, OnLinuxAnErrorThatEndsTheAttemptHasItsErrnoAndIsToldOnce,
          .claims = {"linux:icmp_err_convert", "linux:icmpv6_err_convert",
                     "man:socket(7)-SO_ERROR"}) {
  const char* const table =
      ip == IpVersion::kIpv4 ? "linux:icmp_err_convert" : "linux:icmpv6_err_convert";
  for (const Meaning& hard : HardErrors(ip)) {
    SCOPED_TRACE(hard.name);
    Attempt attempt = Connecting();
    Report(hard.error, attempt.syn);
    Deciding(table);
    EXPECT_EQ(PendingError(attempt.socket), ErrnoName(hard.error_number));
    Deciding("man:socket(7)-SO_ERROR");
    EXPECT_EQ(PendingError(attempt.socket), ErrnoName(0));
  }
}

TEST_WITH(AttemptWithIcmp, SynIcmp, OnLinuxASoftErrorEndsTheAttemptToo,
          .claims = {"linux:soft-errors-as-hard", "linux:icmp_err_convert",
                     "linux:icmpv6_err_convert"}) {
  for (const Meaning& soft : SoftErrorsOfAttempts(ip)) {
    SCOPED_TRACE(soft.name);
    Attempt attempt = Connecting();
    Report(soft.error, attempt.syn);
    EXPECT_EQ(PendingError(attempt.socket), ErrnoName(soft.error_number));

    const Segment late = attempt.peer.Send(SynAck());
    attempt.peer.Expect(Rst().Seq(late.ack));
  }
}

TEST_WITH(AttemptWithIcmp, SynIcmp, AsTheRfcSaysASoftErrorDoesNotEndTheAttempt,
          .claims = {"rfc9293:MUST-56"}) {
  for (const Meaning& soft : SoftErrorsOfAttempts(ip)) {
    SCOPED_TRACE(soft.name);
    Attempt attempt = Connecting();
    Report(soft.error, attempt.syn);
    ExpectUnharmed(attempt);
  }
}

// However the system takes it: at once, or when it gives up.
TEST_WITH(
    AttemptWithIcmp, SynIcmp, ASoftErrorIsToldToABlockingConnect, .claims = {"rfc9293:SHLD-25"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  ScriptedTcp& peer = host.Listen(ip, 80);
  Socket socket = sut.NewSocket(ip);
  ASSERT_THAT(socket.SetOption("TCP_SYNCNT", 1), Succeeds());
  Pending<int> connecting = socket.StartConnect(peer.local());
  peer.Expect(Syn());
  // The call holds the socket while it sends the first one.
  const Segment again = peer.Expect(Syn().Seq(peer.irs), OpeningPatience());
  host.Report(icmp::HostUnreachable(ip), again);
  // Another error than that of an attempt of which nothing was heard.
  EXPECT_THAT(connecting.Await(Within(15s)),
              testing::AllOf(testing::Not(Succeeds()), testing::Not(FailsWith(ETIMEDOUT))));
}

TEST_WITH(AttemptWithIcmp, SynIcmp, AnErrorConcernsOnlyTheConnectionItQuotes,
          .claims = {"rfc9293:MUST-54"}) {
  Attempt spared = Connecting();
  Attempt concerned = Connecting();
  Report(icmp::PortUnreachable(ip), concerned.syn);
  EXPECT_NE(PendingError(concerned.socket), ErrnoName(0));
  ExpectUnharmed(spared);
}

TEST_WITH(AttemptWithIcmp, SynIcmp, AnErrorThatQuotesAnotherSequenceNumberIsIgnored,
          .claims = {"rfc5927:4.1-sequence-number"}) {
  Attempt attempt = Connecting();
  for (const std::uint32_t off : {1000U, -1000U}) {
    Segment forged = attempt.syn;
    forged.seq += off;
    Report(icmp::PortUnreachable(ip), forged);
  }
  if (ErrnoName(attempt.socket.TakeError()) != ErrnoName(0)) {
    NotTaken("rfc5927:4.1-sequence-number", "an ICMP error is taken whatever number it quotes");
  } else {
    ExpectUnharmed(attempt);
  }
}

TEST_WITH(AttemptWithIcmp, SynIcmp, ASynThatIsTooBigIsNoError,
          .claims = {"linux:tcp_v4_err-too-big"}) {
  constexpr std::uint16_t kMtu = 1400;
  Attempt attempt = Connecting();
  Report(icmp::TooBig(ip, kMtu), attempt.syn);
  ExpectUnharmed(attempt);
}

TEST_WITH(AttemptWithIcmp, SynIcmp, SourceQuenchIsDiscarded, .claims = {"rfc9293:MUST-55"},
          .ipv4_only_because = "ICMPv6 has no source quench") {
  Attempt attempt = Connecting();
  Report(icmp::SourceQuench(), attempt.syn);
  ExpectUnharmed(attempt);
}

// --- SYN-RECEIVED --------------------------------------------------------------------------------

TEST_WITH_PEER(SynIcmp, AnErrorThatEndsAHalfOpenConnectionIsNotToldToAccept,
               .claims = {"linux:tcp_req_err"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.Send(Syn());
  const Segment syn_ack = peer.Expect(SynAck());
  Pending<Accepted> accepting = listener.StartAccept();
  // Of the errors that end it, one for each version.
  host.Report(ip == IpVersion::kIpv4 ? icmp::HostUnreachable(ip) : icmp::PortUnreachable(ip),
                     syn_ack);
  Settle();

  const Segment late = peer.Send(Ack());
  peer.Expect(Rst().Seq(late.ack));
  EXPECT_TRUE(accepting.BlocksFor(100ms)) << "accept() is told";
}

TEST_WITH_PEER(SynIcmp, AsTheRfcSaysASoftErrorDoesNotEndAHalfOpenConnection,
               .claims = {"rfc9293:MUST-56"}) {
  for (const Meaning& soft : SoftErrorsOfAttempts(ip)) {
    SCOPED_TRACE(soft.name);
    auto [listener, peer] = InState(TcpState::kListen);
    peer.Send(Syn());
    host.Report(soft.error, peer.Expect(SynAck()));
    Settle();
    peer.Send(Ack());
    ASSERT_THAT(listener.Accept(), Succeeds());
  }
}

TEST_WITH_PEER(SynIcmp, AHalfOpenConnectionIgnoresAnErrorThatQuotesAnotherSequenceNumber,
               .claims = {"rfc5927:4.1-sequence-number"}) {
  auto [listener, peer] = InState(TcpState::kListen);
  peer.Send(Syn());
  Segment forged = peer.Expect(SynAck());
  forged.seq += 1000;
  for (const IcmpError& error : {icmp::HostUnreachable(ip), icmp::PortUnreachable(ip)}) {
    host.Report(error, forged);
  }
  Settle();
  peer.Send(Ack());
  Settle();
  if (peer.waiting() > 0) {
    peer.Expect(Rst());
    NotTaken("rfc5927:4.1-sequence-number", "an ICMP error is taken whatever number it quotes");
  } else {
    EXPECT_THAT(listener.Accept(), Succeeds());
  }
}
