// One call in each state of a connection: RFC 9293 section 3.10, POSIX, and the Linux man-pages.
#include "harness/test/test.h"

namespace sockproof {
namespace {

// The socket of the case is a listener also while a connection of it is half open.
bool IsListener(TcpState state) {
  return state == TcpState::kListen || state == TcpState::kSynReceived;
}

TEST_IN_EACH_STATE(StatesAndCalls, OnlyAListenerTellsThatItListens,
                   .claims = {"man:socket(7)-SO_ACCEPTCONN"}) {
  EXPECT_THAT(connection.socket.GetOption("SO_ACCEPTCONN"), Returns(IsListener(state) ? 1 : 0));
}

TEST_IN_EACH_STATE(StatesAndCalls, BindOfWhatIsBoundFails,
                   .claims = {"man:bind(2)-EINVAL", "posix:bind-EINVAL"}) {
  const auto bound = connection.socket.Bind(9999);
  const int expected = state == TcpState::kClosed ? 0 : EINVAL;
  // POSIX lets a protocol support a new address.
  Deciding("posix:bind-EINVAL");
  EXPECT_THAT(bound, testing::AnyOf(Succeeds(), HasErrno(expected)));
  // Nothing says whether a socket whose connection is over is still bound.
  Deciding("man:bind(2)-EINVAL");
  if (state == TcpState::kTimeWait && bound.ok()) return;
  EXPECT_THAT(bound, HasErrno(expected));
}

TEST_IN_EACH_STATE(StatesAndCalls, AcceptOfWhatDoesNotListenFails,
                   .claims = {"man:accept(2)-EINVAL", "posix:accept-EINVAL"}) {
  auto& [socket, peer] = connection;
  if (!IsListener(state)) {
    EXPECT_THAT(socket.Accept(), FailsWith(EINVAL));
    return;
  }
  if (state == TcpState::kListen) {
    peer.Send(Syn());
    peer.Expect(SynAck());
  }
  peer.Send(Ack());
  EXPECT_THAT(socket.Accept(), Succeeds());
}

TEST_IN_EACH_STATE(StatesAndCalls, APeerHasANameOnceTheConnectionIsEstablished,
                   .claims = {"man:getpeername(2)-ENOTCONN", "posix:getpeername-ENOTCONN"}) {
  const auto name = connection.socket.PeerName();
  const auto is_peer = Returns(Name(connection.remote()));
  if (IsListener(state) || state == TcpState::kClosed || state == TcpState::kSynSent) {
    EXPECT_THAT(name, FailsWith(ENOTCONN));
  } else if (state == TcpState::kTimeWait) {
    // Nothing says whether a socket whose connection is over is still connected.
    EXPECT_THAT(name, testing::AnyOf(is_peer, FailsWith(ENOTCONN)));
  } else {
    EXPECT_THAT(name, is_peer);
  }
}

}  // namespace
}  // namespace sockproof
