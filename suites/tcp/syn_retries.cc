// An unanswered SYN: when it is sent again, and when the attempt is given up. RFC 9293 section
// 3.8.3, RFC 6298, and what Linux documents in ip-sysctl.rst, tcp(7) and socket(7).
#include <vector>

#include "harness/test/test.h"
#include "suites/tcp/schedule.h"

using namespace sockproof;

namespace {

constexpr const char* kSynRetries = "net.ipv4.tcp_syn_retries";
constexpr const char* kLinearTimeouts = "net.ipv4.tcp_syn_linear_timeouts";
constexpr const char* kRtoMax = "net.ipv4.tcp_rto_max_ms";

Duration SynGiveUp(const Facts& facts) { return LinuxSynSchedule(facts).give_up; }

// A connect() to a port of the peer where nobody answers.
struct Attempt {
  Socket socket;
  ScriptedTcp& peer;
  Pending<int> connecting;
};

class UnansweredSyn : public PeerTest {
 protected:
  Attempt Connecting(const std::string& option = "", int value = 0) {
    ScriptedTcp& peer = host.Listen(ip, next_port_++);
    Socket socket = sut.NewSocket(ip);
    if (!option.empty()) socket.SetOption(option, value).value();
    return {socket, peer, socket.StartConnect(peer.local())};
  }

  // Systems without the sysctl have no linear timeouts.
  void NoLinearTimeouts() {
    if (sut.facts().Find(std::string("sysctl.") + kLinearTimeouts)) {
      sut.SetSysctl(kLinearTimeouts, 0);
    }
  }

  // What is documented for a socket that has a value of its own where others have the sysctl's.
  SynSchedule DocumentedWith(const std::string& sysctl, int value) {
    Facts facts = sut.facts();
    facts.Set("sysctl." + sysctl, std::to_string(value));
    return LinuxSynSchedule(facts);
  }

  // What is documented for an attempt that ends after so long: all that would be sent until then.
  SynSchedule DocumentedUntil(Duration end) {
    SynSchedule documented = OwnSynSchedule(sut.facts());
    Duration sum{0};
    std::erase_if(documented.retransmissions,
                  [&](const Duration gap) { return (sum += gap) >= end; });
    documented.give_up = end;
    return documented;
  }

  // How connect() ended.
  Outcome<int> ExpectGivenUpAs(const SynSchedule& documented, Attempt& attempt) {
    const Segment first = ExpectSchedule(attempt.peer, Syn(), documented.retransmissions);
    const Outcome<int> connected = ExpectGivenUp(attempt, first, documented.give_up);
    EXPECT_EQ(attempt.peer.waiting(), 0U) << "a SYN too many";
    return connected;
  }

  Outcome<int> ExpectGivenUp(Attempt& attempt, const Segment& first, Duration give_up) {
    const Outcome<int> connected = attempt.connecting.Await(AtMost(give_up));
    EXPECT_THAT(connected, testing::Not(Succeeds()));
    EXPECT_THAT(connected.end - first.time, FiresAfter(give_up, "SYN give-up"));
    Observe("SYN give-up", connected.end - first.time);
    return connected;
  }

 private:
  std::uint16_t next_port_ = 80;
};

}  // namespace

// --- The schedule --------------------------------------------------------------------------------

TEST_WITH(UnansweredSyn, SynRetries, TheDefaultScheduleIsTheDocumentedOne,
          .claims = {"linux:tcp_syn_retries", "man:connect(2)-ETIMEDOUT",
                     "man:tcp(7)-tcp_syn_retries"},
          .needs = {"sysctl"}, .lasts = SynGiveUp) {
  Attempt attempt = Connecting();
  Deciding("linux:tcp_syn_retries");
  const Outcome<int> connected = ExpectGivenUpAs(LinuxSynSchedule(sut.facts()), attempt);
  Deciding("man:connect(2)-ETIMEDOUT");
  EXPECT_THAT(connected, FailsWith(ETIMEDOUT));
  Deciding("man:tcp(7)-tcp_syn_retries");
  if (sut.facts().Find(std::string("sysctl.") + kSynRetries) != "6") {
    NotReached("the system has another number of retries than the default that is documented");
  }
  EXPECT_THAT(connected.end - connected.begin, FiresAfter(127s)) << "approximately";
}

TEST_WITH(
    UnansweredSyn, SynRetries, TheFirstWaitIsASecond,
    .claims = {"rfc6298:2.1-initial-rto", "linux:TCP_TIMEOUT_INIT"},
    .lasts = [](const Facts&) -> Duration { return 1s; }) {
  Attempt attempt = Connecting();
  const Segment first = attempt.peer.Expect(Syn());
  const Segment again = attempt.peer.Expect(Syn().Seq(first.seq), OpeningPatience());
  Deciding("rfc6298:2.1-initial-rto");
  EXPECT_THAT(again.time - first.time, LastsAtLeast(FiresAfter(1s).earliest()));
  Deciding("linux:TCP_TIMEOUT_INIT");
  EXPECT_THAT(again.time - first.time, FiresAfter(1s));
}

// The clocks of timers may be coarse: more than half as long again is twice as long.
TEST_WITH(
    UnansweredSyn, SynRetries, AsRfc6298SaysEachWaitIsTwiceTheOneBefore,
    .claims = {"rfc6298:5.5-back-off"}, .lasts = [](const Facts&) -> Duration { return 3s; }) {
  Attempt attempt = Connecting();
  const Segment first = attempt.peer.Expect(Syn());
  const Segment second = attempt.peer.Expect(Syn().Seq(first.seq), OpeningPatience());
  const Segment third = attempt.peer.Expect(Syn().Seq(first.seq), OpeningPatience());
  EXPECT_GT(third.time - second.time, (second.time - first.time) * 3 / 2);
}

TEST_WITH(
    UnansweredSyn, SynRetries, WithoutLinearTimeoutsEachWaitIsTwiceTheOneBefore,
    .claims = {"linux:tcp_syn_retries"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 7s; }) {
  NoLinearTimeouts();
  sut.SetSysctl(kSynRetries, 2);
  Attempt attempt = Connecting();
  ExpectGivenUpAs(LinuxSynSchedule(sut.facts()), attempt);
}

TEST_WITH(
    UnansweredSyn, SynRetries, TheLinearTimeoutsComeBeforeTheDoublingOnes,
    .claims = {"linux:tcp_syn_linear_timeouts"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 17s; }) {
  sut.SetSysctl(kLinearTimeouts, 2);
  sut.SetSysctl(kSynRetries, 3);
  Attempt attempt = Connecting();
  ExpectGivenUpAs(LinuxSynSchedule(sut.facts()), attempt);
}

// With few retries the documents still put all linear timeouts first.
TEST_WITH(
    UnansweredSyn, SynRetries, TheLinearTimeoutsComeAlsoBeforeASingleRetry,
    .claims = {"linux:tcp_syn_linear_timeouts"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 7s; }) {
  sut.SetSysctl(kLinearTimeouts, 4);
  sut.SetSysctl(kSynRetries, 1);
  const SynSchedule documented = LinuxSynSchedule(sut.facts());
  Attempt attempt = Connecting();
  ExpectGivenUp(attempt, attempt.peer.Expect(Syn()), documented.give_up);
  EXPECT_EQ(attempt.peer.waiting(), documented.retransmissions.size());
}

TEST_WITH(
    UnansweredSyn, SynRetries, TheTimeoutGrowsNoFurtherThanTcpRtoMaxMs,
    .claims = {"linux:tcp_rto_max_ms"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 9s; }) {
  NoLinearTimeouts();
  sut.SetSysctl(kRtoMax, 2000);
  sut.SetSysctl(kSynRetries, 4);
  Attempt attempt = Connecting();
  ExpectGivenUpAs(LinuxSynSchedule(sut.facts()), attempt);
}

TEST_WITH(
    UnansweredSyn, SynRetries, TheSocketsTcpRtoMaxMsHasPrecedence,
    .claims = {"linux:TCP_RTO_MAX_MS"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 11s; }) {
  NoLinearTimeouts();
  sut.SetSysctl(kRtoMax, 1000);
  sut.SetSysctl(kSynRetries, 3);
  Attempt attempt = Connecting("TCP_RTO_MAX_MS", 4000);
  ExpectGivenUpAs(DocumentedWith(kRtoMax, 4000), attempt);
}

TEST_WITH(
    UnansweredSyn, SynRetries, EachRetransmissionIsTheSameSegment,
    .claims = {"rfc9293:3.10.8-retransmission"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  Attempt attempt = Connecting();
  const Segment first = attempt.peer.Expect(Syn());
  for (int i = 0; i < 2; ++i) {
    const Segment again = attempt.peer.Expect(Syn().Seq(first.seq), OpeningPatience());
    EXPECT_EQ(again.source.ToString(), first.source.ToString());
    EXPECT_EQ(again.payload_text(), first.payload_text());
  }
}

// --- The end of the attempt, set for one socket --------------------------------------------------

TEST_WITH(
    UnansweredSyn, SynRetries, TcpSyncntSetsTheNumberOfRetransmissions,
    .claims = {"man:tcp(7)-TCP_SYNCNT", "rfc9293:MUST-21", "rfc9293:MUST-22"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 15s; }) {
  NoLinearTimeouts();
  // Side by side, the shortest first, so that each is looked at before the next one ends.
  Attempt once = Connecting("TCP_SYNCNT", 1);
  Attempt twice = Connecting("TCP_SYNCNT", 2);
  Attempt thrice = Connecting("TCP_SYNCNT", 3);
  Deciding("man:tcp(7)-TCP_SYNCNT");
  const Outcome<int> first_end = ExpectGivenUpAs(DocumentedWith(kSynRetries, 1), once);
  const Outcome<int> second_end = ExpectGivenUpAs(DocumentedWith(kSynRetries, 2), twice);
  const Outcome<int> third_end = ExpectGivenUpAs(DocumentedWith(kSynRetries, 3), thrice);
  Deciding("rfc9293:MUST-21");
  EXPECT_GT(second_end.end - second_end.begin, first_end.end - first_end.begin + 500ms);
  EXPECT_LT(second_end.end, third_end.end);
  Deciding("rfc9293:MUST-22");
  EXPECT_THAT(third_end, testing::Not(Succeeds())) << "the application is not told";
}

// With the linear timeouts as they are by default.
TEST_WITH(
    UnansweredSyn, SynRetries, AsTheManPageSaysTcpSyncntCountsEveryRetransmission,
    .claims = {"man:tcp(7)-TCP_SYNCNT"}, .lasts = [](const Facts&) -> Duration { return 3s; }) {
  Attempt attempt = Connecting("TCP_SYNCNT", 1);
  const Segment first = attempt.peer.Expect(Syn());
  attempt.peer.Expect(Syn().Seq(first.seq), OpeningPatience());
  EXPECT_THAT(attempt.connecting.Await(AtMost(7s)), FailsWith(ETIMEDOUT));
  EXPECT_EQ(attempt.peer.waiting(), 0U) << "a SYN too many";
}

TEST_WITH_PEER(SynRetries, TcpSyncntCannotExceed255,
               .claims = {"man:tcp(7)-TCP_SYNCNT", "man:setsockopt(2)-EINVAL"}) {
  Socket socket = sut.NewSocket(ip);
  ASSERT_THAT(socket.SetOption("TCP_SYNCNT", 3), Succeeds());
  EXPECT_THAT(socket.SetOption("TCP_SYNCNT", 256), FailsWith(EINVAL));
  EXPECT_THAT(socket.GetOption("TCP_SYNCNT"), Returns(3));
}

TEST_WITH(
    UnansweredSyn, SynRetries, TcpUserTimeoutEndsTheAttempt,
    .claims = {"man:tcp(7)-TCP_USER_TIMEOUT", "rfc9293:3.10.8-user-timeout", "rfc9293:MUST-21"},
    .lasts = [](const Facts&) -> Duration { return 4500ms; }) {
  Attempt shorter = Connecting("TCP_USER_TIMEOUT", 2500);
  Attempt longer = Connecting("TCP_USER_TIMEOUT", 4500);
  // The option has no effect on when a segment is sent again.
  Deciding("man:tcp(7)-TCP_USER_TIMEOUT");
  const Outcome<int> first_end = ExpectGivenUpAs(DocumentedUntil(2500ms), shorter);
  const Outcome<int> second_end = ExpectGivenUpAs(DocumentedUntil(4500ms), longer);
  EXPECT_THAT(first_end, FailsWith(ETIMEDOUT));
  Deciding("rfc9293:3.10.8-user-timeout");
  EXPECT_THAT(first_end, testing::Not(Succeeds()));
  const Segment late = shorter.peer.Send(SynAck());
  shorter.peer.Expect(Rst().Seq(late.ack));
  Deciding("rfc9293:MUST-21");
  EXPECT_GT(second_end.end - second_end.begin, first_end.end - first_end.begin + 500ms);
}

// Shorter than the wait for the first retransmission.
TEST_WITH(
    UnansweredSyn, SynRetries, AShortTcpUserTimeoutEndsTheAttempt,
    .claims = {"man:tcp(7)-TCP_USER_TIMEOUT"},
    .lasts = [](const Facts&) -> Duration { return 600ms; }) {
  Attempt attempt = Connecting("TCP_USER_TIMEOUT", 600);
  ExpectGivenUpAs({.give_up = 600ms}, attempt);
}

TEST_WITH(
    UnansweredSyn, SynRetries, SoSndtimeoEndsTheCallButNotTheAttempt,
    .claims = {"man:socket(7)-SO_SNDTIMEO", "man:connect(2)-EINPROGRESS"},
    .lasts = [](const Facts&) -> Duration { return 2s; }) {
  auto [socket, peer, connecting] = Connecting("SO_SNDTIMEO", 2);
  peer.Expect(Syn());
  const Outcome<int> connected = connecting.Await(AtMost(2s));
  EXPECT_THAT(connected, FailsWith(EINPROGRESS));
  EXPECT_THAT(connected.end - connected.begin, FiresAfter(2s));

  peer.Send(SynAck());
  peer.Expect(Ack().Seq(peer.rcv_nxt).Ack(peer.snd_nxt));
  EXPECT_THAT(socket.Poll({"POLLOUT"}), Returns(std::vector<std::string>{"POLLOUT"}));
  EXPECT_EQ(ErrnoName(socket.TakeError()), ErrnoName(0));
}

// An RFC requirement that few systems meet by default.
TEST_WITH(
    UnansweredSyn, SynRetries, AsTheRfcSaysTheSynIsRetriedForThreeMinutes,
    .claims = {"rfc9293:MUST-23"},
    .lasts = [](const Facts&) -> Duration { return RfcSynR2Minimum(); }) {
  Attempt attempt = Connecting();
  const Segment first = attempt.peer.Expect(Syn());
  if (!attempt.connecting.BlocksFor(RfcSynR2Minimum())) {
    const Outcome<int> connected = attempt.connecting.Await();
    EXPECT_GE(connected.end - first.time, RfcSynR2Minimum()) << connected.call() << " gave up";
  }
  // It is the retransmission that has to go on: the next one is due after twice the last wait.
  Segment last = first;
  Duration wait{0};
  while (attempt.peer.waiting() > 0) {
    const Segment again = attempt.peer.Expect(Syn().Seq(first.seq));
    wait = again.time - last.time;
    last = again;
  }
  EXPECT_GE(last.time + 2 * wait - first.time, RfcSynR2Minimum()) << "the last SYN was too early";
}

// --- An answer in the end ------------------------------------------------------------------------

TEST_WITH(
    UnansweredSyn, SynRetries, AnAnswerToALateRetransmissionStillConnects,
    .claims = {"rfc9293:MUST-22", "rfc9293:3.5-third-segment"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  auto [socket, peer, connecting] = Connecting();
  const Segment first = peer.Expect(Syn());
  Deciding("rfc9293:MUST-22");
  for (int i = 0; i < 2; ++i) peer.Expect(Syn().Seq(first.seq), OpeningPatience());

  Deciding("rfc9293:3.5-third-segment");
  peer.Send(SynAck());
  peer.Expect(Ack().Seq(first.seq + 1).Ack(peer.snd_nxt));
  EXPECT_THAT(connecting.Await(), Succeeds());
  ExpectStateIfShown(TcpState::kEstablished, {socket, peer});
}
