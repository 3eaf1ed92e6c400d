// SYN cookies: a listener that answers SYNs without remembering them. tcp_syncookies in
// ip-sysctl.rst, RFC 4987 section 3.6.
#include "suites/listen/listen_test.h"

using namespace sockproof;

namespace {

constexpr int kBacklog = 1;

// With tcp_syncookies=1 and a SYN queue that is full, unless a test sets it otherwise.
class SynCookieTest : public ListenTest {
 public:
  SynCookieTest() { sut.SetSysctl("net.ipv4.tcp_syncookies", 1); }

 protected:
  // The requests that fill the queue.
  std::vector<ScriptedTcp*> Fill() {
    std::vector<ScriptedTcp*> remembered;
    for (int i = 0; i < LinuxSynQueueHolds(kBacklog, sut.facts()); ++i) {
      remembered.push_back(&HalfOpen(ForgedClient(i + 1)));
    }
    return remembered;
  }

  // The first segment of much data to a client of this MSS that came by a cookie.
  int LengthOfSegmentsFor(int mss) {
    sut.SetSysctl("net.ipv4.tcp_syncookies", 2);
    const auto port = static_cast<std::uint16_t>(kPort + mss);
    Socket listener = Listening(16, port);
    ScriptedTcp& client = Client(port);
    client.syn_options = {tcp_option::Mss(static_cast<std::uint16_t>(mss))};
    Established(client);
    Socket(listener.Accept().value().socket).Send(std::string(5000, 'x')).value();
    return static_cast<int>(client.Expect(AnyData()).payload.size());
  }
};

Duration TwoMinutes(const Facts&) { return 2min; }

}  // namespace

TEST_WITH(SynCookieTest, SynCookies, AreSentWhenTheSynQueueIsFullAndLeaveNothingBehind,
          .claims = {"linux:tcp_syncookies", "man:tcp(7)-tcp_syncookies", "rfc4987:3.6-stateless"},
          .needs = {"states", "sysctl"}) {
  Socket listener = Listening(kBacklog);
  const size_t remembered = Fill().size();
  ScriptedTcp& client = HalfOpen(Client());
  EXPECT_THAT(ShownInSynReceived(), testing::SizeIs(remembered));

  client.Send(Ack());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), client.local().ToString());
}

TEST_WITH(SynCookieTest, SynCookies, AreNotSentWhileTheSynQueueHasRoom,
          .claims = {"linux:tcp_syncookies"}, .needs = {"counters", "states", "sysctl"}) {
  const std::int64_t before = sut.Counter("TcpExt.SyncookiesSent");
  Listening(kBacklog);
  const std::vector<ScriptedTcp*> remembered = Fill();
  EXPECT_THAT(ShownInSynReceived(), testing::SizeIs(remembered.size()));
  EXPECT_EQ(sut.Counter("TcpExt.SyncookiesSent"), before);
}

TEST_WITH(SynCookieTest, SynCookies, WithTcpSyncookies2AreSentAlways,
          .claims = {"linux:tcp_syncookies-2", "man:tcp(7)-tcp_syncookies",
                     "rfc4987:3.6-stateless"},
          .needs = {"states", "sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_syncookies", 2);
  Socket listener = Listening(16);
  ScriptedTcp& client = HalfOpen(Client());
  EXPECT_THAT(ShownInSynReceived(), testing::IsEmpty());

  client.Send(Ack());
  Socket accepted = listener.Accept().value().socket;
  EXPECT_THAT(accepted.Send("hello"), Returns(5));
  client.Expect(Data("hello").Seq(client.irs + 1));
}

TEST_WITH(SynCookieTest, SynCookies, WithTcpSyncookies0AreNeverSent,
          .claims = {"man:tcp(7)-tcp_syncookies"}, .needs = {"sysctl"}) {
  sut.SetSysctl("net.ipv4.tcp_syncookies", 0);
  Listening(kBacklog);
  Fill();
  EXPECT_FALSE(SynIsAnswered(Client()));
}

// The real client is a socket on the system under test itself.
TEST_WITH(SynCookieTest, SynCookies, LetRealClientsInDuringAFlood,
          .claims = {"linux:tcp_syncookies", "notes:F3", "rfc4987:3.6-stateless"},
          .needs = {"counters", "sysctl"}) {
  constexpr int kForged = 100;
  const std::int64_t before = sut.Counter("TcpExt.SyncookiesSent");
  Socket listener = Listening(kBacklog);
  for (int i = 0; i < kForged; ++i) HalfOpen(ForgedClient(i + 1));
  Socket client = sut.NewSocket(ip);
  EXPECT_THAT(client.Connect(sut.At(ip, kPort)), Succeeds());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), client.LocalEndpoint().ToString());
  const int remembered = LinuxSynQueueHolds(kBacklog, sut.facts());
  EXPECT_GE(sut.Counter("TcpExt.SyncookiesSent") - before, kForged - remembered + 1);
}

TEST_WITH(SynCookieTest, SynCookies, SetTcpMaxSynBacklogAside,
          .claims = {"man:listen(2)-syn-queue"}, .needs = {"states", "sysctl"}) {
  constexpr int kLimit = 8;
  sut.SetSysctl("net.ipv4.tcp_max_syn_backlog", kLimit);
  Listening(4 * kLimit);
  for (int i = 0; i < 2 * kLimit; ++i) HalfOpen(ForgedClient(i + 1));
  EXPECT_THAT(ShownInSynReceived(), testing::SizeIs(2 * kLimit));
}

TEST_WITH(
    SynCookieTest, SynCookies, AreNotSentAgain, .claims = {"rfc4987:3.6-stateless"},
    .needs = {"sysctl"}, .lasts = [](const Facts&) -> Duration { return 1300ms; }) {
  Listening(kBacklog);
  ScriptedTcp& remembered = *Fill().front();
  ScriptedTcp& client = HalfOpen(Client());
  client.ExpectSilence(FiresAfter(1s).latest());
  remembered.Expect(SynAck().Seq(remembered.irs));
}

TEST_WITH(SynCookieTest, SynCookies, DataBringsUpAConnectionWhoseLastAckWasLost,
          .claims = {"rfc4987:3.6-stateless", "rfc9293:3.10.7.4-syn-received-ack", "notes:L6"},
          .needs = {"sysctl"}) {
  Socket listener = Listening(kBacklog);
  Fill();
  ScriptedTcp& client = HalfOpen(Client());
  client.Send(Data("hello"));
  client.Expect(Ack().Ack(client.snd_nxt));
  EXPECT_THAT(Socket(listener.Accept().value().socket).Receive(64), Returns("hello"));
}

TEST_WITH(SynCookieTest, SynCookies, AreTakenFromTheirClientOnly,
          .claims = {"rfc4987:3.6-validated", "rfc9293:3.10.7.2-ack"}, .needs = {"sysctl"}) {
  Socket listener = Listening(kBacklog);
  Fill();
  ScriptedTcp& client = HalfOpen(Client());
  const Segment guess = client.Send(Ack().Ack(client.rcv_nxt + 1000));
  client.Expect(Rst().Seq(guess.ack));

  ScriptedTcp& stranger = Client();
  stranger.Send(Ack().Seq(client.snd_nxt).Ack(client.rcv_nxt));
  stranger.Expect(Rst().Seq(client.rcv_nxt));
  EXPECT_THAT(listener.Poll({"POLLIN"}), Returns(Events{}));

  client.Send(Ack());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), client.local().ToString());
}

// A cookie of Linux is a hash plus the number of an MSS in a table of four: its neighbours are
// valid cookies of a client with another MSS.
TEST_WITH(SynCookieTest, SynCookies, AreNotTakenWhenTheyAreOffByOneAsTheRfcSays,
          .claims = {"rfc9293:3.10.7.4-syn-received-unacceptable-ack"}, .needs = {"sysctl"}) {
  Socket listener = Listening(kBacklog);
  Fill();
  ScriptedTcp& client = Client();
  client.syn_options = {tcp_option::Mss(1300)};
  HalfOpen(client);
  const Segment wrong = client.Send(Ack().Ack(client.rcv_nxt + 1));
  Settle();
  ASSERT_THAT(listener.Poll({"POLLIN"}), Returns(Events{}));
  client.Expect(Rst().Seq(wrong.ack));
}

TEST_WITH(SynCookieTest, SynCookies, AreCounted,
          .claims = {"linux:Syncookies-counters", "linux:TCPReqQFullDoCookies"},
          .needs = {"fresh", "counters", "sysctl"}) {
  Listening(kBacklog);
  Fill();
  ScriptedTcp& client = HalfOpen(Client());
  HalfOpen(Client());
  HalfOpen(Client());
  client.Send(Ack());
  Settle();
  EXPECT_EQ(sut.Counter("TcpExt.SyncookiesSent"), 3);
  EXPECT_EQ(sut.Counter("TcpExt.SyncookiesRecv"), 1);
  EXPECT_EQ(sut.Counter("TcpExt.TCPReqQFullDoCookies"), 3);
  EXPECT_EQ(sut.Counter("TcpExt.TCPReqQFullDrop"), 0);
  EXPECT_EQ(sut.Counter("TcpExt.ListenDrops"), 0);
  EXPECT_EQ(sut.Counter("TcpExt.SyncookiesFailed"), 0);

  ScriptedTcp& stranger = Client();
  stranger.Send(Ack());
  stranger.Expect(Rst());
  EXPECT_EQ(sut.Counter("TcpExt.SyncookiesFailed"), 1);
}

TEST_WITH(SynCookieTest, SynCookies, AreTakenForAtMostTwoMinutes, .claims = {"linux:syncookie-age"},
          .needs = {"sysctl"}, .lasts = TwoMinutes) {
  sut.SetSysctl("net.ipv4.tcp_syncookies", 2);
  Socket listener = Listening(16);
  ScriptedTcp& prompt = HalfOpen(Client());
  ScriptedTcp& late = HalfOpen(Client());
  prompt.Send(Ack());
  EXPECT_EQ(listener.Accept().value().remote.ToString(), prompt.local().ToString());

  late.ExpectSilence(2min + 1s);
  // Cookies are still in use, only this one is too old.
  Established(Client());
  EXPECT_THAT(listener.Accept(), Succeeds());
  const Segment ack = late.Send(Ack());
  late.Expect(Rst().Seq(ack.ack));
}

// --- What a cookie cannot carry ------------------------------------------------------------------

TEST_WITH(SynCookieTest, SynCookies, WithoutTimestampsTheyCarryNoOptionsButTheMss,
          .claims = {"rfc4987:3.6-options", "linux:syncookie-options"}, .needs = {"sysctl"}) {
  Listening(kBacklog);
  Fill();
  ScriptedTcp& client = Client();
  client.syn_options = {tcp_option::Mss(1300), tcp_option::SackPermitted(),
                        tcp_option::WindowScale(7)};
  client.Send(Syn());
  const Segment answer = client.Expect(SynAck());
  EXPECT_NE(answer.FindOption(tcp_option::kMss), nullptr);
  EXPECT_EQ(answer.FindOption(tcp_option::kSackPermitted), nullptr);
  EXPECT_EQ(answer.FindOption(tcp_option::kWindowScale), nullptr);
}

TEST_WITH(SynCookieTest, SynCookies, WithTimestampsTheyCarrySackAndWindowScale,
          .claims = {"linux:syncookie-options"}, .needs = {"sysctl"}) {
  Socket listener = Listening(kBacklog);
  Fill();
  ScriptedTcp& client = Client();
  client.syn_options = {tcp_option::Mss(1300), tcp_option::SackPermitted(),
                        tcp_option::WindowScale(7), tcp_option::Timestamps(1000, 0)};
  client.Send(Syn());
  const Segment answer = client.Expect(SynAck());
  EXPECT_NE(answer.FindOption(tcp_option::kSackPermitted), nullptr);
  EXPECT_NE(answer.FindOption(tcp_option::kWindowScale), nullptr);
  ASSERT_TRUE(answer.timestamps().has_value());

  // The scale of this client is known from the echoed timestamp: a window of 2 << 7 is 256.
  client.rcv_wnd = 2;
  client.Send(Ack());
  Socket accepted = listener.Accept().value().socket;
  const std::string data(256, 'x');
  EXPECT_THAT(accepted.Send(data), Returns(256));
  client.Expect(Data(data));
}

TEST_WITH(SynCookieTest, SynCookies, RoundTheMssDown,
          .claims = {"linux:syncookie-mss", "rfc9293:MUST-16"}, .needs = {"sysctl"}) {
  for (const int mss : {1220, 1299, 1439, 1460}) {
    EXPECT_LE(LengthOfSegmentsFor(mss), mss);
  }
}

// The smallest MSS that a cookie of Linux encodes is 536 on IPv4 and 1220 on IPv6.
TEST_WITH(SynCookieTest, SynCookies, KeepTheMssOfAClientWithASmallOneAsTheRfcSays,
          .claims = {"rfc9293:MUST-16"}, .needs = {"sysctl"}) {
  EXPECT_LE(LengthOfSegmentsFor(500), 500);
}
