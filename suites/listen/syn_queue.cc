// Half-open connections of a listener without SYN cookies: how many it remembers, for how long, and
// what a flood of forged SYNs does to real clients. tcp(7), RFC 4987.
#include "suites/listen/listen_test.h"

using namespace sockproof;

namespace {

class SynQueueTest : public ListenTest {
 public:
  SynQueueTest() { sut.SetSysctl("net.ipv4.tcp_syncookies", 0); }

 protected:
  // SYNs from so many forged sources, all of them answered; returns the first SYN,ACK.
  Segment Flood(int forged) {
    std::vector<Segment> answers;
    for (int i = 0; i < forged; ++i) {
      ScriptedTcp& source = ForgedClient(i + 1);
      source.Send(Syn());
      answers.push_back(source.Expect(SynAck()));
    }
    return answers.front();
  }
};

constexpr int kBacklogOfQueue = 4;

Duration SynAckGiveUp(const Facts& facts) { return LinuxSynAckSchedule(facts).give_up; }

}  // namespace

TEST_WITH(SynQueueTest, SynQueue, HoldsOneRequestMoreThanTheBacklog,
          .claims = {"linux:syn-queue-backlog", "rfc4987:3.2-backlog", "notes:B2"},
          .needs = {"sysctl"}) {
  for (const int backlog : {0, 1, 5}) {
    SCOPED_TRACE("backlog " + std::to_string(backlog));
    const auto port = static_cast<std::uint16_t>(kPort + backlog);
    Listening(backlog, port);
    std::vector<ScriptedTcp*> half_open;
    for (int i = 0; i < LinuxSynQueueHolds(backlog, sut.facts()); ++i) {
      half_open.push_back(&HalfOpen(Client(port)));
    }
    ScriptedTcp& one_too_many = Client(port);
    EXPECT_FALSE(SynIsAnswered(one_too_many));

    // One that ends makes room.
    half_open.front()->Send(Rst());
    one_too_many.Send(Syn().Seq(one_too_many.iss));
    one_too_many.Expect(SynAck().Ack(one_too_many.iss + 1));
  }
}

TEST_WITH(SynQueueTest, SynQueue, HoldsNoMoreThanTcpMaxSynBacklog,
          .claims = {"linux:tcp_max_syn_backlog", "man:tcp(7)-tcp_max_syn_backlog",
                     "man:listen(2)-syn-queue"},
          .needs = {"fresh", "sysctl"}) {
  constexpr int kLimit = 16;
  sut.SetSysctl("net.ipv4.tcp_max_syn_backlog", kLimit);
  Listening(2 * kLimit);
  Listening(2 * kLimit, kPort + 1);
  int answered = 0;
  while (answered <= kLimit && SynIsAnswered(Client())) ++answered;
  EXPECT_GT(answered, 0);
  EXPECT_LE(answered, kLimit);
  // A limit of each listener, not of all together.
  HalfOpen(Client(kPort + 1));
}

TEST_WITH(SynQueueTest, SynQueue, ItsLastQuarterIsForAddressesKnownFromBefore,
          .claims = {"linux:syn-queue-last-quarter"}, .needs = {"fresh", "sysctl"}) {
  constexpr int kLimit = 16;
  sut.SetSysctl("net.ipv4.tcp_max_syn_backlog", kLimit);
  sut.SetSysctl("net.ipv4.tcp_no_metrics_save", 0);
  Socket listener = Listening(2 * kLimit);

  // The address of the scripted peer: a connection came from it and was closed normally.
  ScriptedTcp& known = Established(Client());
  Socket accepted = listener.Accept().value().socket;
  known.Send(Fin());
  known.Expect(Ack().Ack(known.snd_nxt));
  accepted.Close().value();
  known.Expect(Fin());
  known.Send(Ack());

  int forged = 0;
  while (forged < kLimit && SynIsAnswered(ForgedClient(forged + 1))) ++forged;
  EXPECT_GE(forged, kLimit - kLimit / 4);
  EXPECT_LT(forged, kLimit);
  HalfOpen(Client());
}

TEST_WITH(SynQueueTest, SynQueue, ARequestThatFindsItFullIsCountedAsDrop,
          .claims = {"linux:TCPReqQFullDrop", "linux:ListenDrops"},
          .needs = {"fresh", "counters", "sysctl"}) {
  Listening(kBacklogOfQueue);
  Flood(LinuxSynQueueHolds(kBacklogOfQueue, sut.facts()));
  EXPECT_EQ(sut.Counter("TcpExt.TCPReqQFullDrop"), 0);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(SynIsAnswered(Client()));
  EXPECT_EQ(sut.Counter("TcpExt.TCPReqQFullDrop"), 3);
  EXPECT_EQ(sut.Counter("TcpExt.ListenDrops"), 3);
  EXPECT_EQ(sut.Counter("TcpExt.ListenOverflows"), 0) << "the accept queue is empty";
  EXPECT_EQ(sut.Counter("TcpExt.TCPReqQFullDoCookies"), 0);
}

// A second listener has one request, which is of the same age.
TEST_WITH(
    SynQueueTest, SynQueue, OldRequestsAreGivenUpEarlyUntilHalfOfItIsFree,
    .claims = {"linux:syn-queue-pruning"}, .needs = {"states", "sysctl"},
    .lasts = [](const Facts&) -> Duration { return 9s; }) {
  constexpr size_t kRoom = 8;
  Listening(kRoom);
  Listening(kRoom, kPort + 1);
  for (size_t i = 0; i < kRoom; ++i) HalfOpen(ForgedClient(static_cast<int>(i) + 1));
  ScriptedTcp& alone = HalfOpen(Client(kPort + 1));
  ASSERT_THAT(ShownInSynReceived(), testing::SizeIs(kRoom + 1));

  const std::vector<Duration> gaps = LinuxSynAckSchedule(sut.facts()).retransmissions;
  for (size_t i = 0; i < 3; ++i) {
    alone.Expect(SynAck().Seq(alone.irs), Within(FiresAfter(gaps.at(i)).latest() + kPatience));
  }
  alone.ExpectSilence(1s);  // for what fires a little later in the crowded queue
  const std::vector<std::string> left = ShownInSynReceived();
  EXPECT_THAT(left, testing::Contains(alone.local().ToString()));
  EXPECT_LE(left.size() - 1, kRoom / 2);
}

// --- SYN flood -----------------------------------------------------------------------------------

TEST_WITH(SynQueueTest, SynFlood, ForgedSynsLeaveConnectionsInSynReceived,
          .claims = {"notes:F1", "notes:F4", "rfc9293:3.5-second-segment"},
          .needs = {"states", "sysctl"}) {
  constexpr int kForged = 40;
  Listening(kForged);
  std::vector<std::string> sources;
  for (int i = 0; i < kForged; ++i) {
    sources.push_back(HalfOpen(ForgedClient(i + 1)).local().ToString());
  }
  std::sort(sources.begin(), sources.end());
  EXPECT_EQ(ShownInSynReceived(), sources);
}

TEST_WITH(
    SynQueueTest, SynFlood, SynAcksAreSentAgainToForgedSources,
    .claims = {"notes:F2", "linux:tcp_synack_retries"}, .needs = {"states", "sysctl"},
    .lasts = [](const Facts&) -> Duration { return 8s; }) {
  sut.SetSysctl("net.ipv4.tcp_synack_retries", 2);
  const SynAckSchedule documented = LinuxSynAckSchedule(sut.facts());
  Listening(kBacklogOfQueue);
  std::vector<ScriptedTcp*> sources;
  std::vector<Segment> answers;
  for (int i = 0; i < kBacklogOfQueue; ++i) {
    sources.push_back(&ForgedClient(i + 1));
    sources.back()->Send(Syn());
    answers.push_back(sources.back()->Expect(SynAck()));
  }
  const Segment last_answer = answers.back();
  for (const Duration gap : documented.retransmissions) {
    for (size_t i = 0; i < sources.size(); ++i) {
      const Segment again = sources[i]->Expect(SynAck().Seq(answers[i].seq));
      EXPECT_THAT(again.time - answers[i].time, FiresAfter(gap));
      answers[i] = again;
    }
  }
  sources.back()->ExpectSilence(last_answer.time + FiresAfter(documented.give_up).latest() -
                                Clock::now());
  for (const ScriptedTcp* source : sources) EXPECT_EQ(source->waiting(), 0U) << "one too many";
  EXPECT_THAT(ShownInSynReceived(), testing::IsEmpty());
}

// The real client is a socket on the system under test itself. It gives up before the forged
// requests do.
TEST_WITH(
    SynQueueTest, SynFlood, AFullQueueKeepsRealClientsOut,
    .claims = {"notes:F3", "rfc4987:3.2-backlog"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 3s; }) {
  sut.SetSysctl("net.ipv4.tcp_syn_retries", 1);
  if (sut.facts().Find("sysctl.net.ipv4.tcp_syn_linear_timeouts")) {
    sut.SetSysctl("net.ipv4.tcp_syn_linear_timeouts", 0);
  }
  Listening(kBacklogOfQueue);
  Flood(LinuxSynQueueHolds(kBacklogOfQueue, sut.facts()));
  EXPECT_FALSE(SynIsAnswered(Client()));
  EXPECT_THAT(sut.NewSocket(ip).Connect(sut.At(ip, kPort)), FailsWith(ETIMEDOUT));
}

TEST_WITH(
    SynQueueTest, SynFlood, RealClientsGetInOnceTheForgedRequestsHaveTimedOut,
    .claims = {"rfc4987:3.3-timer", "linux:tcp_synack_retries"}, .needs = {"sysctl"},
    .lasts = [](const Facts&) -> Duration { return 4s; }) {
  sut.SetSysctl("net.ipv4.tcp_synack_retries", 1);
  const FiresAfter documented(SynAckGiveUp(sut.facts()));
  Socket listener = Listening(kBacklogOfQueue);
  const Segment first_answer = Flood(LinuxSynQueueHolds(kBacklogOfQueue, sut.facts()));

  Socket client = sut.NewSocket(ip);
  const Outcome<int> connecting =
      client.StartConnect(sut.At(ip, kPort)).Await(Within(documented.latest() + 2 * kPatience));
  EXPECT_THAT(connecting, Succeeds());
  EXPECT_THAT(connecting.end - first_answer.time, LastsAtLeast(documented.earliest()));
  EXPECT_EQ(listener.Accept().value().remote.ToString(), client.LocalEndpoint().ToString());
}
