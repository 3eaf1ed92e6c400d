// Data that moves between files, pipes and sockets within the kernel: sendfile(2), splice(2) of the
// Linux man-pages.
#include <string>

#include "harness/test/filling.h"
#include "harness/test/test.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::Le;

class TransferTest : public SocketsTest {
 protected:
  // A file that holds this, its offset at 0, which nobody else sees.
  Socket FileOf(const std::string& text) {
    Process process = sut.process();
    const std::string path = process.Directory() + "/file";
    Socket file = process.OpenFile(path, {"O_CREAT", "O_RDWR", "O_TRUNC"}).value();
    file.Write(text).value();
    file.Seek(0).value();
    return file;
  }
};

// --- sendfile() ----------------------------------------------------------------------------------

TEST_WITH(TransferTest, SendFile, SendsFromTheOffsetOfTheFileAndMovesIt,
          .claims = {"man:sendfile(2)-file-offset"}, .needs = {"directory"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Socket file = FileOf("not this, but this");
  file.Seek(10).value();
  ASSERT_THAT(near.SendFile(file, 3), Returns(3));
  EXPECT_THAT(far.Receive(64), Returns("but"));
  EXPECT_THAT(file.Seek(0, "SEEK_CUR"), Returns(13));
}

TEST_WITH(TransferTest, SendFile, AnOffsetThatIsGivenLeavesThatOfTheFileAlone,
          .claims = {"man:sendfile(2)-offset"}, .needs = {"directory"}, .over = kEachFamily) {
  auto [near, far] = ConnectedPair();
  Socket file = FileOf("not this, but this");
  ASSERT_THAT(near.SendFile(file, 4, 14), Returns(4));
  EXPECT_THAT(far.Receive(64), Returns("this"));
  EXPECT_THAT(file.Seek(0, "SEEK_CUR"), Returns(0));
}

TEST_WITH(TransferTest, SendFile, EndsAtTheEndOfTheFile, .claims = {"man:sendfile(2)-number"},
          .needs = {"directory"}, .over = kEachConnection) {
  auto [near, far] = ConnectedPair();
  Socket file = FileOf("all of it");
  EXPECT_THAT(near.SendFile(file, 1000), Returns(9));
  EXPECT_THAT(far.Receive(64), Returns("all of it"));
  EXPECT_THAT(near.SendFile(file, 1000), Returns(0));
}

TEST_WITH(TransferTest, SendFile, ASocketIsNoInput, .claims = {"man:sendfile(2)-EINVAL"},
          .over = kEachConnection) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(far.Send("data"), Returns(4));
  Socket other = NewSocket();
  EXPECT_THAT(other.SendFile(near, 4), FailsWith(EINVAL));
}

TEST_WITH(TransferTest, SendFile, AFileThatIsNotOpenForReadingIsNone,
          .claims = {"man:sendfile(2)-EBADF"}, .needs = {"directory"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  Process process = sut.process();
  Socket file = process.OpenFile(process.Directory() + "/written", {"O_CREAT", "O_WRONLY"}).value();
  EXPECT_THAT(near.SendFile(file, 1), FailsWith(EBADF));
}

TEST_WITH(TransferTest, SendFile, OfANonblockingSocketWithAFullBufferFailsWithEagain,
          .claims = {"man:sendfile(2)-EAGAIN"}, .needs = {"directory"}, .over = kEachStream) {
  Socket listener = Listening();
  Socket near = NewSocket({"SOCK_NONBLOCK"});
  near.Connect(listener.LocalName().value());
  Socket far = listener.Accept().value().socket;
  ASSERT_THAT(near.Poll({"POLLOUT"}, 1s), Returns(Events{"POLLOUT"}));
  FillUp(near, std::string(50'000, 'x'));
  EXPECT_THAT(near.SendFile(FileOf("more"), 4), FailsWith(EAGAIN));
}

TEST_WITH(TransferTest, SendFile, OfAClosedPeerFailsWithEpipe, .claims = {"man:socket(7)-SIGPIPE"},
          .needs = {"directory"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  near.Shutdown("SHUT_WR").value();
  const Outcome<int> sent = near.SendFile(FileOf("nobody reads it"), 15);
  EXPECT_THAT(sent, FailsWith(EPIPE));
  EXPECT_THAT(sent, Raises("SIGPIPE"));
}

// --- splice() ------------------------------------------------------------------------------------

TEST_WITH(TransferTest, Splice, MovesWhatIsInAPipeToASocket, .claims = {"man:splice(2)-moves"},
          .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  auto [read, write] = sut.process().Pipe().value();
  ASSERT_THAT(write.Write("through a pipe"), Returns(14));
  EXPECT_THAT(near.Splice(read, 7), Returns(7));
  EXPECT_THAT(far.Receive(64), Returns("through"));
  EXPECT_THAT(near.Splice(read, 64), Returns(7));
  EXPECT_THAT(far.Receive(64), Returns(" a pipe"));
}

TEST_WITH(TransferTest, Splice, MovesWhatASocketHasReceivedToAPipe,
          .claims = {"man:splice(2)-moves"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  auto [read, write] = sut.process().Pipe().value();
  ASSERT_THAT(far.Send("into a pipe"), Returns(11));
  EXPECT_THAT(write.Splice(near, 4), Returns(4));
  EXPECT_THAT(read.Read(64), Returns("into"));
}

TEST_WITH(TransferTest, Splice, TheEndOfTheInputIsZero, .claims = {"man:splice(2)-end"},
          .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  auto [read, write] = sut.process().Pipe().value();
  ASSERT_THAT(far.Close(), Succeeds());
  EXPECT_THAT(write.Splice(near, 64), Returns(0));
  ASSERT_THAT(write.Close(), Succeeds());
  auto [one, other] = ConnectedPair();
  EXPECT_THAT(one.Splice(read, 64), Returns(0));
}

TEST_WITH(TransferTest, Splice, WithoutAPipeIsInvalid, .claims = {"man:splice(2)-EINVAL"},
          .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  auto [one, other] = ConnectedPair();
  far.Send("from socket to socket").value();
  EXPECT_THAT(one.Splice(near, 4), FailsWith(EINVAL));
}

TEST_WITH(TransferTest, Splice, WithoutBlockingAnEmptyPipeIsEagain,
          .claims = {"man:splice(2)-EAGAIN"}, .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  auto [read, write] = sut.process().Pipe().value();
  EXPECT_THAT(near.Splice(read, 4, {"SPLICE_F_NONBLOCK"}), FailsWith(EAGAIN));
}

TEST_WITH(TransferTest, Splice, WaitsForDataInThePipe, .claims = {"man:splice(2)-blocks"},
          .over = kEachStream) {
  auto [near, far] = ConnectedPair();
  auto [read, write] = sut.process().Pipe().value();
  Pending<int> splicing = near.StartSplice(read, 64);
  ExpectStillBlocked(splicing);
  ASSERT_THAT(write.Write("late"), Returns(4));
  EXPECT_THAT(splicing.Await(), Returns(4));
  EXPECT_THAT(far.Receive(64), Returns("late"));
}

}  // namespace
}  // namespace sockproof
