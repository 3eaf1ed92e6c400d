// Descriptors that are passed by SCM_RIGHTS. unix(7), recv(2), cmsg(3).
#include "suites/unix/unix_test.h"

using namespace sockproof;

namespace {

constexpr int kMostDescriptors = 253;  // SCM_MAX_FD, unix(7)

}  // namespace

TEST_WITH(UnixTest, UnixRights, ADescriptorArrivesAsAnotherForTheSameSocket,
          .claims = {"man:unix(7)-SCM_RIGHTS"}, .needs = {"rights"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  auto [reader, writer] = sut.SocketPair();
  ASSERT_THAT(here.SendMessage(Message("take it").With(Rights({reader}))), Returns(7));

  const Received got = there.ReceiveMessage(64, RoomFor(Rights(1))).value();
  EXPECT_EQ(got.data, "take it");
  ASSERT_EQ(got.sockets().size(), 1U);
  Socket passed = got.Passed();
  writer.Send("through it").value();
  EXPECT_THAT(passed.Receive(64), Returns("through it"));
}

TEST_WITH(UnixTest, UnixRights, TheOffsetOfAFileIsShared,
          .claims = {"man:unix(7)-SCM_RIGHTS-like-dup"}, .needs = {"rights", "directory"},
          .over = kEachUnixType) {
  auto [here, there] = Pair();
  Socket file = sut.process().OpenFile(FreshPath(), {"O_CREAT", "O_RDWR"}).value();
  file.Write("abcdef").value();
  here.SendMessage(Message("x").With(Rights({file}))).value();
  Socket passed = there.ReceiveMessage(1, RoomFor(Rights(1))).value().Passed();
  file.Seek(2).value();
  EXPECT_THAT(passed.Read(2), Returns("cd"));
  EXPECT_THAT(file.Read(2), Returns("ef"));
}

TEST_WITH(UnixTest, UnixRights, ItStaysOpenWhenTheSenderClosesIt,
          .claims = {"man:unix(7)-SCM_RIGHTS-like-dup"}, .needs = {"rights"},
          .over = kEachUnixType) {
  auto [here, there] = Pair();
  auto [reader, writer] = sut.SocketPair();
  here.SendMessage(Message("x").With(Rights({reader}))).value();
  reader.Close().value();
  ASSERT_THAT(writer.Send("kept"), Returns(4));
  Socket passed = there.ReceiveMessage(1, RoomFor(Rights(1))).value().Passed();
  EXPECT_THAT(passed.Receive(64), Returns("kept"));
}

TEST_WITH(UnixTest, UnixRights, SeveralArriveInTheirOrder,
          .claims = {"man:unix(7)-SCM_RIGHTS-array"}, .needs = {"rights"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  auto [first, to_first] = sut.SocketPair();
  auto [second, to_second] = sut.SocketPair();
  here.SendMessage(Message("x").With(Rights({first, second}))).value();
  to_first.Send("first").value();
  to_second.Send("second").value();
  const Received got = there.ReceiveMessage(1, RoomFor(Rights(2))).value();
  ASSERT_EQ(got.sockets().size(), 2U);
  EXPECT_THAT(got.Passed(0).Receive(64), Returns("first"));
  EXPECT_THAT(got.Passed(1).Receive(64), Returns("second"));
}

TEST_WITH(UnixTest, UnixRights, WhatDoesNotFitIsClosedAndToldByMsgCtrunc,
          .claims = {"man:unix(7)-SCM_RIGHTS-truncated", "man:unix(7)-MSG_CTRUNC"},
          .needs = {"rights"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  auto [passed, left] = sut.SocketPair();
  auto [excess, right] = sut.SocketPair();
  here.SendMessage(Message("x").With(Rights({passed, excess, excess}))).value();
  excess.Close().value();
  Deciding("man:unix(7)-MSG_CTRUNC");
  const Received got = there.ReceiveMessage(1, RoomFor(Rights(1))).value();
  EXPECT_THAT(got.flags, testing::Contains("MSG_CTRUNC"));
  Deciding("man:unix(7)-SCM_RIGHTS-truncated");
  // Room may be rounded up to that for two of them.
  ASSERT_GE(got.sockets().size(), 1U);
  ASSERT_LE(got.sockets().size(), 2U);
  for (std::size_t i = 1; i < got.sockets().size(); ++i) Socket(got.sockets()[i]).Close().value();
  EXPECT_THAT(right.Receive(64), IsEndOfFile());
}

TEST_WITH(UnixTest, UnixRights, WithoutABufferTheyAreClosed,
          .claims = {"man:unix(7)-SCM_RIGHTS-discarded", "man:unix(7)-MSG_CTRUNC"},
          .needs = {"rights"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  auto [passed, left] = sut.SocketPair();
  here.SendMessage(Message("x").With(Rights({passed}))).value();
  passed.Close().value();
  Deciding("man:unix(7)-MSG_CTRUNC");
  const Received got = there.ReceiveMessage(1).value();
  EXPECT_THAT(got.flags, testing::Contains("MSG_CTRUNC"));
  Deciding("man:unix(7)-SCM_RIGHTS-discarded");
  EXPECT_THAT(left.Receive(64), IsEndOfFile());
}

TEST_WITH(UnixTest, UnixRights, ReadClosesThemToo, .claims = {"man:unix(7)-SCM_RIGHTS-discarded"},
          .needs = {"rights"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  auto [passed, left] = sut.SocketPair();
  here.SendMessage(Message("x").With(Rights({passed}))).value();
  passed.Close().value();
  ASSERT_THAT(there.Read(64), Returns("x"));
  EXPECT_THAT(left.Receive(64), IsEndOfFile());
}

TEST_WITH(UnixTest, UnixRights, ThoseThatNobodyReceivesAreClosedWithTheReceiver,
          .claims = {"man:close(2)-last-reference"}, .needs = {"rights"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  auto [passed, left] = sut.SocketPair();
  here.SendMessage(Message("x").With(Rights({passed}))).value();
  passed.Close().value();
  there.Close().value();
  EXPECT_THAT(left.Receive(64), IsEndOfFile());
}

TEST_WITH(UnixTest, UnixRights, OneThatIsNotOpenFailsWithEbadfAndSendsNothing,
          .claims = {"man:unix(7)-EBADF"}, .needs = {"rights"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  EXPECT_THAT(here.SendMessage(Message("x").With(RightsOf({here.fd(), 999}))), FailsWith(EBADF));
  EXPECT_THAT(here.SendMessage(Message("x").With(RightsOf({-1}))), FailsWith(EBADF));
  EXPECT_THAT(there.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

TEST_WITH(UnixTest, UnixRights, AtMost253GoWithOneMessage, .claims = {"man:unix(7)-SCM_MAX_FD"},
          .needs = {"rights"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  std::vector<int> descriptors(kMostDescriptors, here.fd());
  EXPECT_THAT(here.SendMessage(Message("x").With(RightsOf(descriptors))), Returns(1));
  descriptors.push_back(here.fd());
  EXPECT_THAT(here.SendMessage(Message("x").With(RightsOf(descriptors))), FailsWith(EINVAL));
}

TEST_WITH(UnixTest, UnixRights, CmsgCloexecSetsTheFlagAndNothingElseDoes,
          .claims = {"man:recv(2)-MSG_CMSG_CLOEXEC", "man:unix(7)-SCM_RIGHTS-like-dup"},
          .needs = {"rights"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  auto [passed, left] = sut.SocketPair("SOCK_STREAM", {"SOCK_CLOEXEC"});
  const auto receive = [one = passed, from = here,
                        by = there](const std::vector<std::string>& flags) {
    from.SendMessage(Message("x").With(Rights({one}))).value();
    return by.ReceiveMessage(1, RoomFor(Rights(1)), flags).value().Passed();
  };
  Deciding("man:unix(7)-SCM_RIGHTS-like-dup");
  EXPECT_THAT(receive({}).IsClosedOnExec(), Returns(0));
  Deciding("man:recv(2)-MSG_CMSG_CLOEXEC");
  EXPECT_THAT(receive({"MSG_CMSG_CLOEXEC"}).IsClosedOnExec(), Returns(1));
}

TEST_WITH(UnixTest, UnixRights, APeekLeavesThem, .claims = {"man:recv(2)-MSG_PEEK"},
          .needs = {"rights"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  auto [passed, left] = sut.SocketPair();
  here.SendMessage(Message("x").With(Rights({passed}))).value();
  const Received peeked = there.ReceiveMessage(1, RoomFor(Rights(1)), {"MSG_PEEK"}).value();
  EXPECT_EQ(peeked.data, "x");
  const Received got = there.ReceiveMessage(1, RoomFor(Rights(1))).value();
  EXPECT_EQ(got.sockets().size(), 1U);
}

// The example of unix(7), "ancillary data forms a kind of barrier".
TEST_WITH(UnixTest, UnixRights, TheyAreABarrierInTheStream, .claims = {"man:unix(7)-barrier"},
          .needs = {"rights"}, .over = kUnixStreams) {
  auto [here, there] = Pair();
  here.SendMessage(Message("four")).value();
  here.SendMessage(Message("1").With(Rights({here}))).value();
  here.SendMessage(Message("more")).value();
  const Received first = there.ReceiveMessage(20, RoomFor(Rights(1))).value();
  EXPECT_EQ(first.data, "four1");
  EXPECT_EQ(first.sockets().size(), 1U);
  const Received second = there.ReceiveMessage(20, RoomFor(Rights(1))).value();
  EXPECT_EQ(second.data, "more");
  EXPECT_EQ(second.sockets().size(), 0U);
}

TEST_WITH(UnixTest, UnixRights, ADatagramNeedsNoData, .claims = {"man:unix(7)-ancillary-datagram"},
          .needs = {"rights"}, .over = kUnixDatagrams) {
  auto [here, there] = Pair();
  ASSERT_THAT(here.SendMessage(Message().With(Rights({here}))), Returns(0));
  const Received got = there.ReceiveMessage(20, RoomFor(Rights(1))).value();
  EXPECT_EQ(got.length, 0U);
  EXPECT_EQ(got.sockets().size(), 1U);
}

TEST_WITH(UnixTest, UnixRights, AStreamSendsNoneWithoutData,
          .claims = {"man:unix(7)-ancillary-stream"}, .needs = {"rights"}, .over = kUnixStreams) {
  auto [here, there] = Pair();
  here.SendMessage(Message().With(Rights({here})));  // whatever it says
  EXPECT_THAT(there.ReceiveMessage(20, RoomFor(Rights(1)), {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

TEST_WITH(UnixTest, UnixRights, MoreInFlightThanMayBeOpenAreTooMany,
          .claims = {"man:unix(7)-ETOOMANYREFS"}, .needs = {"rights", "processes"},
          .over = kEachUnixType) {
  constexpr int kLimit = 16;
  auto [here, there] = Pair();
  Process child = sut.process()
                      .Fork({.without_capabilities = {"CAP_SYS_RESOURCE", "CAP_SYS_ADMIN"},
                             .limits = {{"RLIMIT_NOFILE", kLimit}}})
                      .value();
  const Message message = Message("x").With(RightsOf(std::vector<int>(kLimit + 1, here.fd())));
  // What other processes of this user have in flight counts, too.
  Outcome<int> sent = child.Of(here).SendMessage(message);
  if (sent.ok()) sent = child.Of(here).SendMessage(message);
  EXPECT_THAT(sent, FailsWith(ETOOMANYREFS));
}

TEST_WITH(UnixTest, UnixRights, AMessageWithAShortHeaderIsInvalid, .claims = {"man:unix(7)-EINVAL"},
          .needs = {"rights"}, .over = kEachUnixType) {
  auto [here, there] = Pair();
  ControlItem item = Rights({here});
  item.length = 3;
  EXPECT_THAT(here.SendMessage(Message("x").With(item)), FailsWith(EINVAL));
  EXPECT_THAT(there.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

TEST_WITH(UnixTest, UnixRights, AListenerCanBePassed, .claims = {"man:unix(7)-SCM_RIGHTS"},
          .needs = {"rights", "abstract_names"}, .over = kEachUnixConnection) {
  auto [here, there] = Pair();
  const Name name = FreshName();
  Socket listener = Listening(name);
  here.SendMessage(Message("x").With(Rights({listener}))).value();
  listener.Close().value();
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(name), Succeeds());
  Socket passed = there.ReceiveMessage(1, RoomFor(Rights(1))).value().Passed();
  Socket server = passed.Accept().value().socket;
  client.Send("hello").value();
  EXPECT_THAT(server.Receive(64), Returns("hello"));
}

TEST_WITH(UnixTest, UnixRights, WhatExceedsTheLimitOfDescriptorsIsClosed,
          .claims = {"man:unix(7)-SCM_RIGHTS-RLIMIT_NOFILE"}, .needs = {"rights", "processes"},
          .over = kEachUnixType) {
  constexpr int kSent = 4;
  auto [here, there] = Pair();
  auto [passed, left] = sut.SocketPair();
  // Room for two more than what is open, up to `left`, the highest.
  Process child = sut.process().Fork({.limits = {{"RLIMIT_NOFILE", passed.fd() + 4}}}).value();
  here.SendMessage(Message("x").With(RightsOf(std::vector<int>(kSent, passed.fd())))).value();
  const Received got = child.Of(there).ReceiveMessage(1, RoomFor(Rights(kSent))).value();
  EXPECT_LT(got.sockets().size(), static_cast<std::size_t>(kSent));
  for (const Socket& fits : got.sockets()) fits.Close().value();
  child.Of(passed).Close().value();
  passed.Close().value();
  EXPECT_THAT(left.Receive(64, {"MSG_DONTWAIT"}), IsEndOfFile()) << "one is open yet";
}
