// The eleven states of a connection, RFC 9293 section 3.3.2: each can be brought about, so that
// other suites can ask what happens in it.
#include "harness/test/test.h"

using namespace sockproof;

TEST_WITH_PEER(States, EachOfTheElevenIsReached, .claims = {"rfc9293:3.3.2-states"},
               .needs = {"states"}) {
  for (const TcpState state :
       {TcpState::kClosed, TcpState::kListen, TcpState::kSynSent, TcpState::kSynReceived,
        TcpState::kEstablished, TcpState::kFinWait1, TcpState::kFinWait2, TcpState::kCloseWait,
        TcpState::kClosing, TcpState::kLastAck, TcpState::kTimeWait}) {
    try {
      BringTo(state);
    } catch (const Departure& departure) {
      FAIL() << TcpStateName(state) << " is not reached:\n" << departure.what();
    }
  }
}
