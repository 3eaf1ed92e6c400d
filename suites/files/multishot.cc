// Requests of io_uring that are made once and complete again and again: io_uring_enter(2),
// io_uring_prep_accept(3), io_uring_prep_recv(3) and io_uring_prep_poll_add(3) of liburing.
#include <string>

#include "harness/sut/ring_calls.h"
#include "harness/test/test.h"

namespace sockproof {
namespace {

using testing::Contains;

constexpr const char* kThree[] = {"first", "second", "third"};

class MultishotTest : public SocketsTest {
 protected:
  // What a request gives next: that, and more to come.
  static Completion ExpectNext(const Multishot& request) {
    Completion next = request.Next().value();
    EXPECT_EQ(ErrnoName(next.error), ErrnoName(0));
    EXPECT_TRUE(next.more) << "without IORING_CQE_F_MORE";
    return next;
  }
  static void ExpectCancelled(const Socket& socket, const Multishot& request) {
    ASSERT_THAT(RingCalls(socket).Cancel(), Succeeds());
    const Completion last = request.Next().value();
    EXPECT_EQ(ErrnoName(last.error), ErrnoName(ECANCELED));
    EXPECT_FALSE(last.more) << "with IORING_CQE_F_MORE";
  }
};

TEST_WITH(MultishotTest, RingMultishot, OneAcceptTakesEachConnection,
          .claims = {"man:io_uring_prep_accept(3)-multishot"}, .over = kEachConnection) {
  Socket listener = Listening();
  const Multishot accepting = RingCalls(listener).AcceptAgainAndAgain();
  for (const char* text : kThree) {
    Socket client = NewSocket();
    ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
    const Completion next = ExpectNext(accepting);
    ASSERT_TRUE(next.accepted);
    client.Send(text).value();
    EXPECT_THAT(Socket(*next.accepted).Receive(64), Returns(text));
  }
}

TEST_WITH(MultishotTest, RingMultishot, OneAcceptTakesWhatWaitedBefore,
          .claims = {"man:io_uring_prep_accept(3)-multishot"}, .over = kEachConnection) {
  Socket listener = Listening();
  Socket first = NewSocket();
  Socket second = NewSocket();
  for (Socket* client : {&first, &second}) client->Connect(listener.LocalName().value()).value();
  const Multishot accepting = RingCalls(listener).AcceptAgainAndAgain();
  for (Socket* client : {&first, &second}) {
    const Completion next = ExpectNext(accepting);
    ASSERT_TRUE(next.accepted);
    Socket(*next.accepted).Send("in turn").value();
    EXPECT_THAT(client->Receive(64), Returns("in turn"));
  }
}

TEST_WITH(MultishotTest, RingMultishot, OneRecvTakesAllThatComes,
          .claims = {"man:io_uring_prep_recv(3)-multishot"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  const Multishot receiving = RingCalls(near).ReceiveAgainAndAgain(8, 64);
  for (const char* text : kThree) {
    ASSERT_THAT(far.Send(text), Succeeds());
    EXPECT_EQ(ExpectNext(receiving).data, text);
  }
}

TEST_WITH(MultishotTest, RingMultishot, OneRecvTellsTheEnd,
          .claims = {"man:io_uring_prep_recv(3)-multishot"}, .over = kEachConnection) {
  auto [near, far] = ConnectedPair();
  const Multishot receiving = RingCalls(near).ReceiveAgainAndAgain(8, 64);
  far.Send("last").value();
  EXPECT_EQ(ExpectNext(receiving).data, "last");
  far.Close().value();
  const Completion end = receiving.Next().value();
  EXPECT_EQ(ErrnoName(end.error), ErrnoName(0));
  EXPECT_EQ(end.data, "");
}

TEST_WITH(MultishotTest, RingMultishot, WithoutABufferLeftItFailsAndTakesNothing,
          .claims = {"man:io_uring_enter(2)-IOSQE_BUFFER_SELECT"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  const Multishot receiving = RingCalls(near).ReceiveAgainAndAgain(1, 64);
  far.Send("it fits").value();
  EXPECT_EQ(receiving.Next().value().data, "it fits");
  far.Send("too much").value();
  EXPECT_EQ(ErrnoName(receiving.Next().value().error), ErrnoName(ENOBUFS));
  EXPECT_THAT(near.Receive(64), Returns("too much"));
}

TEST_WITH(MultishotTest, RingMultishot, OnePollTellsEachEvent,
          .claims = {"man:io_uring_prep_poll_add(3)-multishot"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  const Multishot polling = RingCalls(near).PollAgainAndAgain({"POLLIN"});
  for (const char* text : kThree) {
    ASSERT_THAT(far.Send(text), Succeeds());
    EXPECT_THAT(ExpectNext(polling).events, Contains("POLLIN"));
    EXPECT_THAT(near.Receive(64), Returns(text));
  }
}

TEST_WITH(MultishotTest, RingMultishot, APollThatIsCancelledTellsNoMore,
          .claims = {"man:io_uring_prep_poll_add(3)-terminated"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  ExpectCancelled(near, RingCalls(near).PollAgainAndAgain({"POLLIN"}));
}

TEST_WITH(MultishotTest, RingMultishot, ARecvThatIsCancelledTakesNoMore,
          .claims = {"man:io_uring_enter(2)-IORING_OP_ASYNC_CANCEL"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  const Multishot receiving = RingCalls(near).ReceiveAgainAndAgain(8, 64);
  far.Send("by the ring").value();
  EXPECT_EQ(ExpectNext(receiving).data, "by the ring");
  ExpectCancelled(near, receiving);
  far.Send("for the next").value();
  EXPECT_THAT(near.Receive(64), Returns("for the next"));
}

TEST_WITH(MultishotTest, RingMultishot, AnAcceptThatIsCancelledTakesNoMore,
          .claims = {"man:io_uring_enter(2)-IORING_OP_ASYNC_CANCEL"}, .over = kEachConnection) {
  Socket listener = Listening();
  ExpectCancelled(listener, RingCalls(listener).AcceptAgainAndAgain());
  ASSERT_THAT(NewSocket().Connect(listener.LocalName().value()), Succeeds());
  EXPECT_THAT(listener.Accept(), Succeeds());
}

}  // namespace
}  // namespace sockproof
