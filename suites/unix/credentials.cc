// Who is at the other end of a socket of AF_UNIX: SO_PEERCRED, SO_PASSCRED and SCM_CREDENTIALS.
// unix(7).
#include "suites/unix/unix_test.h"

using namespace sockproof;

namespace {

// Not the pid of any process: more than /proc/sys/kernel/pid_max can be.
constexpr int kNoPid = (1 << 22) + 1;

}  // namespace

TEST_WITH(UnixTest, UnixCredentials, OfAPairAreItsMakers,
          .claims = {"man:unix(7)-SO_PEERCRED-pair"}, .over = kUnixPairsOfSo) {
  auto [one, other] = Pair();
  const Credentials credentials = one.PeerCredentials().value();
  EXPECT_EQ(credentials.pid, sut.process().pid());
  EXPECT_EQ(credentials, other.PeerCredentials().value());
}

TEST_WITH(UnixTest, UnixCredentials, OfAClientAreThoseOfWhoConnected,
          .claims = {"man:unix(7)-SO_PEERCRED"}, .needs = {"abstract_names", "processes"},
          .over = kUnixStreams) {
  const Name name = FreshName();
  Socket listener = Listening(name);
  Process child = sut.process().Fork().value();
  Socket client = child.OpenSocket("AF_UNIX", type()).value();
  client.Connect(name).value();
  Socket server = listener.Accept().value().socket;
  EXPECT_EQ(server.PeerCredentials().value().pid, child.pid());
}

TEST_WITH(UnixTest, UnixCredentials, DoNotFollowTheDescriptorToAnotherProcess,
          .claims = {"man:unix(7)-SO_PEERCRED"}, .needs = {"processes"}, .over = kUnixPairsOfSo) {
  auto [one, other] = Pair();
  Process child = sut.process().Fork().value();
  EXPECT_EQ(child.Of(one).PeerCredentials().value().pid, sut.process().pid());
  EXPECT_EQ(one.PeerCredentials().value().pid, sut.process().pid());
}

TEST_WITH(UnixTest, UnixCredentials, ComeWithEachMessageThatFollowsSoPasscred,
          .claims = {"man:unix(7)-SO_PASSCRED"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  there.SetOption("SO_PASSCRED", 1).value();
  const Credentials own = Own();
  for (const char* data : {"one", "two"}) {
    here.Send(data).value();
    const Received got = there.ReceiveMessage(64, RoomFor(SenderCredentials())).value();
    ASSERT_TRUE(got.credentials()) << data;
    EXPECT_EQ(*got.credentials(), own);
  }
}

TEST_WITH(UnixTest, UnixCredentials, AreThoseOfTheSendingProcess,
          .claims = {"man:unix(7)-SO_PASSCRED-default"}, .needs = {"processes"},
          .over = kEachUnixType) {
  auto [here, there] = Pair();
  there.SetOption("SO_PASSCRED", 1).value();
  Process child = sut.process().Fork().value();
  child.Of(here).Send("child").value();
  const Received got = there.ReceiveMessage(64, RoomFor(SenderCredentials())).value();
  ASSERT_TRUE(got.credentials());
  EXPECT_EQ(got.credentials()->pid, child.pid());
}

TEST_WITH(UnixTest, UnixCredentials, DoNotComeWithoutSoPasscred,
          .claims = {"man:unix(7)-SCM_CREDENTIALS-needs-SO_PASSCRED"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  const Credentials own = Own();
  here.SendMessage(Message("x").With(SenderCredentials(own))).value();
  const Received got = there.ReceiveMessage(64, RoomFor(SenderCredentials())).value();
  EXPECT_FALSE(got.credentials());
}

TEST_WITH(UnixTest, UnixCredentials, SoPasscredIsAFlagThatIsReadBack,
          .claims = {"man:unix(7)-SO_PASSCRED-boolean"}, .over = kEachUnixType) {
  Socket socket = NewSocket();
  EXPECT_THAT(socket.GetOption("SO_PASSCRED"), Returns(0));
  socket.SetOption("SO_PASSCRED", 7).value();
  EXPECT_NE(socket.GetOption("SO_PASSCRED").value(), 0);
  socket.SetOption("SO_PASSCRED", 0).value();
  EXPECT_THAT(socket.GetOption("SO_PASSCRED"), Returns(0));
}

TEST_WITH(UnixTest, UnixCredentials, SoPasscredNamesASocketThatConnects,
          .claims = {"man:unix(7)-SO_PASSCRED-autobind"}, .needs = {"abstract_names"},
          .over = kEachUnixConnection) {
  const Name name = FreshName();
  Socket listener = Listening(name);
  Socket client = NewSocket();
  client.SetOption("SO_PASSCRED", 1).value();
  client.Connect(name).value();
  const Name chosen = client.LocalName().value();
  ASSERT_NE(chosen.unix_name(), nullptr);
  EXPECT_TRUE(chosen.unix_name()->abstract()) << chosen.ToString();
}

TEST_WITH(UnixTest, UnixCredentials, OnesOwnMayBeGiven, .claims = {"man:unix(7)-SCM_CREDENTIALS"},
          .over = kEachUnixType) {
  auto [here, there] = Pair();
  there.SetOption("SO_PASSCRED", 1).value();
  const Credentials own = Own();
  ASSERT_THAT(here.SendMessage(Message("x").With(SenderCredentials(own))), Returns(1));
  const Received got = there.ReceiveMessage(64, RoomFor(SenderCredentials())).value();
  ASSERT_TRUE(got.credentials());
  EXPECT_EQ(*got.credentials(), own);
}

TEST_WITH(UnixTest, UnixCredentials, AnothersPidIsRefused, .claims = {"man:unix(7)-EPERM"},
          .needs = {"processes"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  Credentials others = Own();
  Process child = sut.process()
                      .Fork({.without_capabilities = {"CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID"}})
                      .value();
  others.pid = sut.process().pid();
  EXPECT_THAT(child.Of(here).SendMessage(Message("x").With(SenderCredentials(others))),
              FailsWith(EPERM));
  others.pid = child.pid();
  EXPECT_THAT(child.Of(here).SendMessage(Message("x").With(SenderCredentials(others))), Returns(1));
}

TEST_WITH(UnixTest, UnixCredentials, AnothersUserOrGroupIsRefused, .claims = {"man:unix(7)-EPERM"},
          .needs = {"processes"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  Process child = sut.process()
                      .Fork({.without_capabilities = {"CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID"}})
                      .value();
  const Credentials own = {child.pid(), Own().uid, Own().gid};
  for (const Credentials& wrong :
       {Credentials{own.pid, own.uid + 1, own.gid}, Credentials{own.pid, own.uid, own.gid + 1}}) {
    const Outcome<int> sent =
        child.Of(here).SendMessage(Message("x").With(SenderCredentials(wrong)));
    // An id that its user namespace does not have is no valid argument.
    EXPECT_THAT(sent, testing::AnyOf(FailsWith(EPERM), FailsWith(EINVAL)));
  }
}

TEST_WITH(UnixTest, UnixCredentials, APidOfNobodyIsEsrch, .claims = {"man:unix(7)-ESRCH"},
          .over = kEachUnixType) {
  auto [here, there] = Pair();
  Credentials nobodys = Own();
  nobodys.pid = kNoPid;
  const Outcome<int> sent = here.SendMessage(Message("x").With(SenderCredentials(nobodys)));
  // Without CAP_SYS_ADMIN it is not one's own before it is nobody's.
  EXPECT_THAT(sent, testing::AnyOf(FailsWith(ESRCH), FailsWith(EPERM)));
}

TEST_WITH(UnixTest, UnixCredentials, AndRightsComeTogether,
          .claims = {"man:unix(7)-one-of-each-type"}, .needs = {"rights"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  there.SetOption("SO_PASSCRED", 1).value();
  const Credentials own = Own();
  here.SendMessage(Message("x").With(Rights({here})).With(SenderCredentials(own))).value();
  const Received got = there.ReceiveMessage(64, RoomFor(SenderCredentials(), Rights(1))).value();
  EXPECT_EQ(got.credentials(), own);
  EXPECT_EQ(got.sockets().size(), 1U);
}

TEST_WITH(UnixTest, UnixCredentials, SoPeercredCannotBeSet,
          .claims = {"man:unix(7)-SO_PEERCRED-read-only"}, .over = kUnixPairsOfSo) {
  auto [here, there] = Pair();
  const Credentials before = here.PeerCredentials().value();
  EXPECT_THAT(here.SetOption("SO_PEERCRED", Bytes(12, 1)), testing::Not(Succeeds()));
  EXPECT_EQ(here.PeerCredentials().value(), before);
}
