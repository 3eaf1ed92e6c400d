// Sockets of AF_UNIX that keep the boundaries of messages: SOCK_DGRAM and SOCK_SEQPACKET. unix(7),
// recv(2), connect(2).
#include "harness/test/filling.h"
#include "suites/unix/unix_test.h"

using namespace sockproof;

TEST_WITH(UnixTest, UnixMessages, BoundariesAndOrderAreKept, .claims = {"man:unix(7)-boundaries"},
          .over = kUnixWithBoundaries) {
  auto [here, there] = Pair();
  for (const char* message : {"one", "three", "two"}) here.Send(message).value();
  EXPECT_THAT(there.Receive(64), Returns("one"));
  EXPECT_THAT(there.Receive(64), Returns("three"));
  EXPECT_THAT(there.Receive(64), Returns("two"));
}

TEST_WITH(UnixTest, UnixMessages, WhatDoesNotFitIsDiscardedAndToldByMsgTrunc,
          .claims = {"posix:recvmsg-excess-discarded", "man:recv(2)-MSG_TRUNC-set"},
          .over = kUnixWithBoundaries) {
  auto [here, there] = Pair();
  here.Send("too long").value();
  here.Send("next").value();
  Deciding("man:recv(2)-MSG_TRUNC-set");
  const Received cut = there.ReceiveMessage(3).value();
  EXPECT_THAT(cut.flags, testing::Contains("MSG_TRUNC"));
  EXPECT_EQ(cut.data, "too");
  Deciding("posix:recvmsg-excess-discarded");
  const Received whole = there.ReceiveMessage(64).value();
  EXPECT_EQ(whole.data, "next");
  EXPECT_THAT(whole.flags, testing::Not(testing::Contains("MSG_TRUNC")));
}

TEST_WITH(UnixTest, UnixMessages, APeekFromTheMiddleIsMarkedByMsgTrunc,
          .claims = {"man:socket(7)-SO_PEEK_OFF-datagram"}, .over = kUnixDatagrams) {
  auto [here, there] = Pair();
  here.Send("aabbcc").value();
  there.SetOption("SO_PEEK_OFF", 2).value();
  const Received peeked = there.ReceiveMessage(2, {}, {"MSG_PEEK"}).value();
  EXPECT_EQ(peeked.data, "bb");
  EXPECT_THAT(peeked.flags, testing::Contains("MSG_TRUNC"));
}

TEST_WITH(UnixTest, UnixMessages, OneThatIsTooLongIsNotSent, .claims = {"man:send(2)-EMSGSIZE"},
          .over = kUnixWithBoundaries) {
  auto [here, there] = Pair();
  // Of datagrams alone unix(7) says how near to SO_SNDBUF the longest comes.
  const auto room = static_cast<std::size_t>(here.GetOption("SO_SNDBUF").value());
  EXPECT_THAT(here.Send(std::string(2 * room, 'x')), FailsWith(EMSGSIZE));
  EXPECT_THAT(there.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

// What SO_SNDBUF tells is the doubled value.
TEST_WITH(UnixTest, UnixMessages, SoSndbufLess32IsTheLongest,
          .claims = {"man:unix(7)-SO_SNDBUF-datagram"}, .over = kUnixDatagrams) {
  constexpr int kOverhead = 32;
  auto [here, there] = Pair();
  here.SetOption("SO_SNDBUF", 8192).value();
  const int doubled = here.GetOption("SO_SNDBUF").value();
  const auto most = static_cast<std::size_t>(doubled - kOverhead);
  EXPECT_THAT(here.Send(std::string(most + 1, 'x')), FailsWith(EMSGSIZE));
  EXPECT_THAT(here.Send(std::string(most, 'x')), Returns(doubled - kOverhead));
}

TEST_WITH(UnixTest, UnixMessages, RecvfromTellsTheSendersName,
          .claims = {"man:recv(2)-source-address"}, .needs = {"abstract_names"},
          .over = kUnixDatagrams) {
  const Name to = FreshName();
  const Name from = FreshName();
  Socket receiver = Bound(to);
  Bound(from).SendTo(to, "hello").value();
  EXPECT_THAT(receiver.ReceiveFrom(64), Returns(ReceivedFrom("hello", from)));
}

// No text says with which error.
TEST_WITH(UnixTest, UnixMessages, SendtoNobodyFails, .claims = {"man:unix(7)-abstract-ends"},
          .needs = {"abstract_names"}, .over = kUnixDatagrams) {
  const Name name = FreshName();
  Bound(name).Close().value();
  EXPECT_THAT(NewSocket().SendTo(name, "x"), testing::Not(Succeeds()));
}

TEST_WITH(UnixTest, UnixMessages, ConnectSetsWhereToSendAndMayBeRepeated,
          .claims = {"man:connect(2)-datagram", "man:connect(2)-multiple"},
          .needs = {"abstract_names"}, .over = kUnixDatagrams) {
  const Name first = FreshName();
  const Name second = FreshName();
  Socket one = Bound(first);
  Socket two = Bound(second);
  Socket sender = NewSocket();
  Deciding("man:connect(2)-datagram");
  sender.Connect(first).value();
  sender.Send("to the first").value();
  EXPECT_THAT(one.Receive(64), Returns("to the first"));
  Deciding("man:connect(2)-multiple");
  ASSERT_THAT(sender.Connect(second), Succeeds());
  sender.Send("to the second").value();
  EXPECT_THAT(two.Receive(64), Returns("to the second"));
}

TEST_WITH(UnixTest, UnixMessages, WhoIsConnectedElsewhereReceivesNothing,
          .claims = {"man:connect(2)-datagram"}, .needs = {"abstract_names"},
          .over = kUnixDatagrams) {
  const Name partner = FreshName();
  const Name name = FreshName();
  Bound(partner);
  Socket receiver = Bound(name);
  receiver.Connect(partner).value();
  NewSocket().SendTo(name, "from a stranger");
  EXPECT_THAT(receiver.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

TEST_WITH(UnixTest, UnixMessages, ConnectToAfUnspecDissolvesTheAssociation,
          .claims = {"man:connect(2)-AF_UNSPEC"}, .needs = {"abstract_names"},
          .over = kUnixDatagrams) {
  const Name name = FreshName();
  Socket receiver = Bound(name);
  Socket sender = NewSocket();
  sender.Connect(name).value();
  ASSERT_THAT(sender.Connect(Name::Unspecified()), Succeeds());
  EXPECT_THAT(sender.PeerName(), FailsWith(ENOTCONN));
  EXPECT_THAT(sender.Send("x"), testing::AnyOf(FailsWith(ENOTCONN), FailsWith(EDESTADDRREQ)));
  EXPECT_THAT(sender.Connect(name), Succeeds());
}

TEST_WITH(UnixTest, UnixMessages, AFullReceiverBlocksTheSenderUntilThereIsRoom,
          .claims = {"man:send(2)-blocks", "man:send(2)-EAGAIN"}, .over = kUnixDatagrams) {
  auto [here, there] = Pair();
  const std::string message(1024, 'x');
  Deciding("man:send(2)-EAGAIN");
  ASSERT_THAT(FillUp(here, message).last, FailsWith(EAGAIN));
  Deciding("man:send(2)-blocks");
  Pending<int> sending = here.StartSend(message);
  ExpectStillBlocked(sending);
  Drain(there);
  EXPECT_THAT(sending.Await(), Returns(1024));
}

TEST_WITH(UnixTest, UnixMessages, StreamCallsAreNotSupported, .claims = {"man:unix(7)-EOPNOTSUPP"},
          .needs = {"abstract_names"}, .over = kUnixDatagrams) {
  // It does not listen either, and no text says which error comes first.
  EXPECT_THAT(Bound(FreshName()).Accept(),
              testing::AnyOf(FailsWith(EOPNOTSUPP), FailsWith(EINVAL)));
}

TEST_WITH(UnixTest, UnixMessages, SeveralPartsAreOneMessage, .claims = {"man:send(2)-msg_iov"},
          .over = kUnixWithBoundaries) {
  auto [here, there] = Pair();
  ASSERT_THAT(here.SendMessage(Message::Of({"he", "", "llo"})), Returns(5));
  here.Send("next").value();
  EXPECT_EQ(there.ReceiveMessage({2, 2, 64}).value().data, "hello");
  EXPECT_EQ(there.ReceiveMessage({2, 2, 64}).value().data, "next");
}

TEST_WITH(UnixTest, UnixMessages, SendmmsgAndRecvmmsgCarrySeveral,
          .claims = {"man:sendmmsg(2)-count", "man:recvmmsg(2)-count"},
          .over = kUnixWithBoundaries) {
  auto [here, there] = Pair();
  Deciding("man:sendmmsg(2)-count");
  EXPECT_THAT(here.SendMessages({Message("one"), Message("three")}),
              Returns(std::vector<int>{3, 5}));
  Deciding("man:recvmmsg(2)-count");
  const auto received = there.ReceiveMessages(2, 64).value();
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(received[0].data, "one");
  EXPECT_EQ(received[1].data, "three");
}
