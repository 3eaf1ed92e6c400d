// How much a receive takes, and when it waits: recv(2), SO_RCVLOWAT of socket(7), SIOCINQ and
// SIOCOUTQ of tcp(7).
#include <string>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

class ReceiveTest : public PeerTest {
 protected:
  // Sends it, and returns when the system under test has it.
  void Deliver(const std::string& text) {
    connection.peer.Send(Data(text));
    connection.peer.Expect(Ack().Ack(connection.peer.snd_nxt));
    Settle();
  }

  Connection connection = Connected();
  Socket& socket = connection.socket;
  ScriptedTcp& peer = connection.peer;
};

}  // namespace

// --- Flags ---------------------------------------------------------------------------------------

TEST_WITH(ReceiveTest, Receive, WithMsgWaitallItWaitsForAllThatItAsksFor,
          .claims = {"man:recv(2)-MSG_WAITALL"}) {
  Pending<std::string> receiving = socket.StartReceive(10, {"MSG_WAITALL"});
  Deliver("first");
  Deliver("other");
  EXPECT_THAT(receiving.Await(), Returns("firstother"));
}

TEST_WITH(ReceiveTest, Receive, WithMsgWaitallTheEndOfTheFileEndsIt,
          .claims = {"man:recv(2)-MSG_WAITALL"}) {
  Pending<std::string> receiving = socket.StartReceive(10, {"MSG_WAITALL"});
  Deliver("few");
  peer.Send(Fin());
  EXPECT_THAT(receiving.Await(), Returns("few"));
  EXPECT_THAT(socket.Receive(10), IsEndOfFile());
}

TEST_WITH(ReceiveTest, Receive, WithMsgPeekItLeavesTheDataThere,
          .claims = {"man:recv(2)-MSG_PEEK"}) {
  Deliver("hello");
  EXPECT_THAT(socket.Receive(64, {"MSG_PEEK"}), Returns("hello"));
  EXPECT_THAT(socket.Receive(2, {"MSG_PEEK"}), Returns("he"));
  EXPECT_THAT(socket.Receive(64), Returns("hello"));
  EXPECT_THAT(socket.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
}

TEST_WITH(ReceiveTest, Receive, WithMsgDontwaitItDoesNotWait,
          .claims = {"man:recv(2)-MSG_DONTWAIT"}) {
  EXPECT_THAT(socket.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
  Deliver("now");
  EXPECT_THAT(socket.Receive(64, {"MSG_DONTWAIT"}), Returns("now"));
}

TEST_WITH(ReceiveTest, Receive, WithMsgTruncItDiscardsTheData, .claims = {"man:tcp(7)-MSG_TRUNC"}) {
  Deliver("discarded, read");
  const Outcome<std::string> discarded = socket.Receive(11, {"MSG_TRUNC"});
  ASSERT_THAT(discarded, Succeeds());
  EXPECT_EQ(discarded.value().size(), 11U);
  EXPECT_NE(discarded.value(), "discarded, ") << "it is passed on";
  EXPECT_THAT(socket.Receive(64), Returns("read"));
}

// --- The low-water mark --------------------------------------------------------------------------

TEST_WITH(ReceiveTest, LowWater, IsOneOctetByDefault, .claims = {"man:socket(7)-SO_RCVLOWAT"}) {
  EXPECT_THAT(socket.GetOption("SO_RCVLOWAT"), Returns(1));
}

TEST_WITH(ReceiveTest, LowWater, HoldsBackReadinessUntilSoMuchIsThere,
          .claims = {"man:socket(7)-SO_RCVLOWAT"}) {
  ASSERT_THAT(socket.SetOption("SO_RCVLOWAT", 10), Succeeds());
  Deliver("nineeight");
  EXPECT_THAT(socket.Poll({"POLLIN"}), Returns(Events{}));
  Deliver("!");
  EXPECT_THAT(socket.Poll({"POLLIN"}), Returns(Events{"POLLIN"}));
}

TEST_WITH(ReceiveTest, LowWater, AReceiveThatFindsNothingReturnsWhenSoMuchIsThere,
          .claims = {"man:socket(7)-SO_RCVLOWAT-receive"}) {
  ASSERT_THAT(socket.SetOption("SO_RCVLOWAT", 10), Succeeds());
  Pending<std::string> receiving = socket.StartReceive(64);
  ASSERT_TRUE(receiving.BlocksFor(100ms));
  Deliver("nineeight");
  Deliver("!");
  EXPECT_THAT(receiving.Await(), Returns("nineeight!"));
}

// Linux takes the part at once, and then waits for as much as the mark says once more.
TEST_WITH(ReceiveTest, LowWater, AReceiveThatFindsAPartReturnsWhenTheRestHasCome,
          .claims = {"man:socket(7)-SO_RCVLOWAT-receive"}) {
  ASSERT_THAT(socket.SetOption("SO_RCVLOWAT", 10), Succeeds());
  Deliver("nineeight");
  Pending<std::string> receiving = socket.StartReceive(64);
  ASSERT_TRUE(receiving.BlocksFor(100ms)) << "it does not wait for as much as the mark says";
  Deliver("!");
  EXPECT_THAT(receiving.Await(), Returns("nineeight!"));
}

// --- What is queued ------------------------------------------------------------------------------

TEST_WITH(ReceiveTest, Queued, SiocinqTellsHowMuchWaitsToBeRead, .claims = {"man:tcp(7)-SIOCINQ"}) {
  EXPECT_THAT(socket.Inquire("SIOCINQ"), Returns(0));
  Deliver("hello");
  EXPECT_THAT(socket.Inquire("SIOCINQ"), Returns(5));
  ASSERT_THAT(socket.Receive(2), Returns("he"));
  EXPECT_THAT(socket.Inquire("SIOCINQ"), Returns(3));
  EXPECT_THAT(InState(TcpState::kListen).socket.Inquire("SIOCINQ"), FailsWith(EINVAL));
}

TEST_WITH(ReceiveTest, Queued, SiocoutqTellsHowMuchIsUnsent, .claims = {"man:tcp(7)-SIOCOUTQ"}) {
  EXPECT_THAT(socket.Inquire("SIOCOUTQ"), Returns(0));
  peer.rcv_wnd = 0;
  peer.Send(Ack());
  Settle();
  ASSERT_THAT(socket.Send("it must wait"), Returns(12));
  EXPECT_THAT(socket.Inquire("SIOCOUTQ"), Returns(12));
  EXPECT_THAT(InState(TcpState::kListen).socket.Inquire("SIOCOUTQ"), FailsWith(EINVAL));
}
