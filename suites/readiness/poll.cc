// What poll() tells of sockets: poll(2) and socket(7) of the Linux man-pages, POSIX. Events at the
// end of a connection are in suites/tcp/hangup.cc.
#include "harness/test/filling.h"
#include "harness/test/test.h"

namespace sockproof {
namespace {

TEST_WITH_SOCKETS(Poll, DataIsReadable, .claims = {"man:poll(2)-POLLIN", "posix:poll-POLLIN"},
                  .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  EXPECT_THAT(near.Poll({"POLLIN"}), Returns(Events{}));
  ASSERT_THAT(far.Send("x"), Returns(1));
  EXPECT_THAT(near.Poll({"POLLIN"}, 2000ms), Returns(Events{"POLLIN"}));
  ASSERT_THAT(near.Receive(64), Returns("x"));
  EXPECT_THAT(near.Poll({"POLLIN"}), Returns(Events{}));
}

TEST_WITH_SOCKETS(Poll, AConnectionIsWritable,
                  .claims = {"man:poll(2)-POLLOUT", "posix:poll-POLLOUT"}, .over = kEachFamily) {
  EXPECT_THAT(ConnectedPair().client.Poll({"POLLIN", "POLLOUT"}), Returns(Events{"POLLOUT"}));
}

TEST_WITH_SOCKETS(Poll, AFullConnectionIsNot, .claims = {"man:poll(2)-POLLOUT"},
                  .over = kEachConnection) {
  auto [near, far] = ConnectedPair();
  // To the last octet: what has room for one is writable.
  for (const int size : {1 << 16, 1 << 12, 1 << 8, 1 << 4, 1}) {
    FillUp(near, std::string(static_cast<std::size_t>(size), 'x'));
  }
  EXPECT_THAT(near.Poll({"POLLOUT"}), Returns(Events{}));
  Drain(far);
  EXPECT_THAT(near.Poll({"POLLOUT"}, 2000ms), Returns(Events{"POLLOUT"}));
}

TEST_WITH_SOCKETS(Poll, AListenerThatSomeoneWaitsForIsReadable,
                  .claims = {"man:accept(2)-readable"}, .over = kEachConnection) {
  Socket listener = Listening();
  EXPECT_THAT(listener.Poll({"POLLIN"}), Returns(Events{}));
  Socket client = NewSocket();
  ASSERT_THAT(client.Connect(listener.LocalName().value()), Succeeds());
  EXPECT_THAT(listener.Poll({"POLLIN"}, 2000ms), Returns(Events{"POLLIN"}));
  ASSERT_THAT(listener.Accept(), Succeeds());
  EXPECT_THAT(listener.Poll({"POLLIN"}), Returns(Events{}));
}

TEST_WITH_SOCKETS(Poll, ADescriptorThatIsNotOpenIsInvalid,
                  .claims = {"man:poll(2)-POLLNVAL", "posix:poll-POLLNVAL"}, .over = kOnce) {
  Socket socket = sut.NewSocket("AF_INET", "SOCK_DGRAM");
  ASSERT_THAT(socket.Close(), Succeeds());
  EXPECT_THAT(socket.Poll({}), Returns(Events{"POLLNVAL"}));
}

TEST_WITH_SOCKETS(Poll, ANegativeDescriptorIsLeftOut,
                  .claims = {"man:poll(2)-negative", "posix:poll-negative"}, .over = kOnce) {
  EXPECT_THAT(Socket(sut, -1).Poll({"POLLIN", "POLLOUT"}), Returns(Events{}));
}

TEST_WITH_SOCKETS(Poll, TheNormalEventsAreReadingAndWriting,
                  .claims = {"man:poll(2)-POLLRDNORM", "man:poll(2)-POLLWRNORM"},
                  .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Deciding("man:poll(2)-POLLRDNORM");
  EXPECT_THAT(near.Poll({"POLLRDNORM"}), Returns(Events{}));
  ASSERT_THAT(far.Send("x"), Returns(1));
  EXPECT_THAT(near.Poll({"POLLRDNORM"}, 2000ms), Returns(Events{"POLLRDNORM"}));
  Deciding("man:poll(2)-POLLWRNORM");
  EXPECT_THAT(near.Poll({"POLLWRNORM"}), Returns(Events{"POLLWRNORM"}));
}

TEST_WITH_SOCKETS(Poll, AWaitEndsWhenDataComes, .claims = {"man:poll(2)-blocks"},
                  .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Pending<Events> polling = near.StartPoll({"POLLIN"}, -1ms);
  ExpectStillBlocked(polling);
  ASSERT_THAT(far.Send("x"), Returns(1));
  EXPECT_THAT(polling.Await(), Returns(Events{"POLLIN"}));
}

TEST_WITH_SOCKETS(Poll, AWaitIsAsLongAsItsTimeout,
                  .claims = {"man:poll(2)-timeout", "posix:poll-timeout"}, .lasts = 300ms,
                  .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  const Outcome<Events> waited = near.Poll({"POLLIN"}, 300ms);
  EXPECT_THAT(waited, Returns(Events{}));
  EXPECT_THAT(waited.end - waited.begin, FiresAfter(300ms));
}

TEST_WITH_SOCKETS(Poll, TheEndOfAPeerIsAHangUp,
                  .claims = {"man:poll(2)-POLLHUP", "man:poll(2)-POLLRDHUP"},
                  .over = kEachUnixConnection) {
  auto [near, far] = sut.SocketPair(std::string(family.type));
  ASSERT_THAT(far.Close(), Succeeds());
  const Events events = near.Poll({"POLLRDHUP"}, 2000ms).value();
  Deciding("man:poll(2)-POLLHUP");
  EXPECT_THAT(events, testing::Contains("POLLHUP"));
  Deciding("man:poll(2)-POLLRDHUP");
  EXPECT_THAT(events, testing::Contains("POLLRDHUP"));
}

TEST_WITH_SOCKETS(Poll, ARefusedDatagramIsAnError, .claims = {"man:poll(2)-POLLERR"},
                  .over = kEachIpDatagram) {
  Socket gone = Bound();
  Socket socket = NewSocket();
  ASSERT_THAT(socket.Connect(gone.LocalName().value()), Succeeds());
  ASSERT_THAT(gone.Close(), Succeeds());
  ASSERT_THAT(socket.Send("x"), Returns(1));
  EXPECT_THAT(socket.Poll({}, 2000ms), Returns(Events{"POLLERR"}));
  EXPECT_EQ(socket.TakeError(), ECONNREFUSED);
  EXPECT_THAT(socket.Poll({}), Returns(Events{}));
}

}  // namespace
}  // namespace sockproof
