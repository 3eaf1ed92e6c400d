// How a test is written. A suite is a file; a test is a sentence about a documented behaviour.
//
//   // Half-close, RFC 9293 section 3.6.1: after our FIN the peer may go on sending.
//   TEST_WITH_PEER(HalfClose, DataStillFlowsToTheSideThatSentItsFin,
//                  .claims = {"rfc9293:3.6.1-half-close", "notes:C3"}) {
//     auto [socket, peer] = Connected();
//
//     ASSERT_THAT(socket.Shutdown("SHUT_WR"), Succeeds());
//     peer.Expect(Fin().Seq(peer.rcv_nxt));
//     peer.Send(Ack());
//
//     peer.Send(Data("still here"));
//     peer.Expect(Ack().Ack(peer.snd_nxt));
//     EXPECT_THAT(socket.Receive(64), Returns("still here"));
//   }
//
// Three testbeds:
//   TEST_WITH_PEER     the system under test (`sut`) against the harness (`host`), segment by segment
//   TEST_WITH_WIRE     two stacks of it (`client`, `server`) over a programmable `wire`
//   TEST_IN_EACH_STATE the same, with a `connection` in each `state` of RFC 9293
//   TEST_WITH_SOCKETS  one stack (`sut`) and its loopback interface: calls alone, no wire
// Each test runs once on IPv4 and once on IPv6 (`ip`), unless its traits say over what else
// (harness/test/variant.h) or why not, in a process and namespaces of its own.
//
// What a test may rely on
// - Calls on the system under test give Outcomes: EXPECT_THAT(call, Succeeds() / Returns(x) /
//   FailsWith(ECONNREFUSED)). StartX() is for calls that block, and goes on when the call is under
//   way; Await() their return, or ExpectStillBlocked() that there is none.
// - Of several claims Deciding() says which one the expectations from there on decide; what comes
//   before is set-up (harness/test/deciding.h).
// - Expect() is strict: the next segment, nothing in between. Absence is thereby proved by what
//   must come later; only where nothing ever comes, use ExpectSilence().
// - Intervals are differences of Segment::time or of Outcome::begin and end, matched with
//   FiresAfter(documented value), LastsAtLeast() or LastsAtMost().
// - A machine that serves the test late may explain that something did not come in time, or an
//   interval, and makes that INCONCLUSIVE: where it was late by a tenth of the bound, or by as much
//   as the interval is off. It explains no wrong value, errno, number or segment.
// - A name that no table knows (an option, a flag, an event, a capability, a sysctl, a counter, a
//   claim) is a mistake of the test: ERROR. One that the system lacks makes it a SKIP.
// - Documented values are computed from sut.facts() (harness/claims/documented.h).
#pragma once

#include <errno.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/errors.h"
#include "harness/claims/documented.h"
#include "harness/net/ip.h"
#include "harness/sut/epoll.h"
#include "harness/sut/process.h"
#include "harness/sut/socket.h"
#include "harness/sut/stack.h"
#include "harness/test/connection.h"
#include "harness/test/deciding.h"
#include "harness/test/matchers.h"
#include "harness/test/registry.h"
#include "harness/wire/partial_segment.h"
#include "harness/wire/programmable_wire.h"
#include "harness/wire/scripted_peer.h"

namespace sockproof {

// The system under test on one end of a wire, the scripted peer on the other.
class PeerTest : public TestBody {
 public:
  // Whether the system knows the link-layer address of the scripted peer from the beginning. A
  // stranger's it asks for before its first segment leaves.
  enum class Acquaintance { kNeighbour, kStranger };
  explicit PeerTest(Acquaintance acquaintance = Acquaintance::kNeighbour);

 protected:
  // What the scripted peer of a connection tells of itself in its SYN.
  struct Offer {
    std::uint16_t window = 65535;  // the field, never scaled in a SYN
    // Instead of an MSS that fits the link.
    std::optional<std::vector<TcpOption>> options = std::nullopt;
    // Beside those: RFC 7323 section 2, the shift of its windows; section 3; RFC 2018 section 2.
    std::optional<std::uint8_t> window_scale = std::nullopt;
    bool timestamps = false;
    bool sack = false;
    // RFC 3168 section 6.1.1: it asks for ECN, or grants what it is asked for.
    bool ecn = false;
  };
  // An established connection: by connect() of the system under test, or by its accept().
  // NotReached() where the system does not use all that is offered.
  Connection Connected(const Offer& offer);
  Connection Connected() { return Connected(Offer()); }
  Connection ConnectedByAccept(const Offer& offer);
  Connection ConnectedByAccept() { return ConnectedByAccept(Offer()); }
  // A connection of the system under test in the state named, against the scripted peer, as the
  // place where a test begins: a system that does not get there is not judged (NotReached()).
  Connection InState(TcpState state);
  // The same where the way there is what is tested: throws Departure.
  Connection BringTo(TcpState state);
  // A connection in SYN-RECEIVED by an active open: the SYN of the system and one of the peer have
  // crossed. NotReached() where that is not answered, by systems without simultaneous open.
  Connection AfterCrossingSyns();

  // Waits until the system shows the connection in that state. Throws Departure when it does not
  // within kPatience, Skip where the system shows no states.
  void ExpectState(TcpState state, const Connection& connection,
                   SourceLocation where = SourceLocation::Current());

  // The same as one more look, where the wire and the calls tell enough by themselves: passes where
  // the system shows no states, which is noted.
  void ExpectStateIfShown(TcpState state, const Connection& connection,
                          SourceLocation where = SourceLocation::Current());

  // When the system no longer showed the connection: the middle of the two readings between which
  // it went. They are 20 ms apart, up to 1 s while its next timer has longer to go. Throws
  // Departure when it is still there after `patience`.
  Time WaitUntilGone(const Connection& connection, Duration patience,
                     SourceLocation where = SourceLocation::Current());

  // The call has not returned, whatever was sent before. Throws Departure.
  template <typename T>
  void ExpectStillBlocked(Pending<T>& call, SourceLocation where = SourceLocation::Current()) {
    Settle();
    call.ExpectStillBlocked(where);
  }

  // Returns when whatever the system answers at once to what was sent before has arrived: sends a
  // segment to a port where nothing listens, and waits for the reset that must come.
  void Settle();

  // A port of the scripted peer that was not used before in this test.
  std::uint16_t NextPort() { return next_port_++; }

  // Records a measured value beside the verdict.
  void Observe(const std::string& name, Duration value);
  void Observe(const std::string& name, const std::string& value);

  const IpVersion ip;
  Stack& sut;
  ScriptedPeer host;

 private:
  static void MakeOffer(ScriptedTcp& peer, const Offer& offer);
  static void RequireUseOf(const Offer& offer, const Segment& syn);
  Connection LedTo(TcpState state);

  std::uint16_t next_port_ = 40000;
  std::uint16_t next_listening_port_ = 9000;
};

// One stack of the system under test with its loopback interface, and calls alone: there is no
// wire, and nobody at its other end. Runs on systems that no wire leads to, too.
class SocketsTest : public TestBody {
 public:
  SocketsTest();

 protected:
  // socket() of the family that the test runs over, of its type where none is given. These words
  // throw Departure when a call fails.
  Socket NewSocket(const std::vector<std::string>& flags = {},
                   SourceLocation where = SourceLocation::Current());
  // What such sockets are bound to so that the others reach them: the address of the loopback
  // interface, at a port of the system's choice where none is given; of unix sockets an abstract
  // name that nobody has.
  Name Loopback(std::uint16_t port = 0) const;
  // Every address.
  Name Wildcard(std::uint16_t port = 0) const;
  // A new socket that is bound to Loopback(), and one that listens there.
  Socket Bound(const std::vector<std::string>& flags = {},
               SourceLocation where = SourceLocation::Current());
  Socket Listening(int backlog = 16, SourceLocation where = SourceLocation::Current());
  // Two sockets that are connected to each other: by connect() and accept(), datagram sockets by
  // connect() of both. `auto [near, far] = ConnectedPair();`
  StackConnection ConnectedPair(SourceLocation where = SourceLocation::Current());

  // As PeerTest::ExpectStillBlocked().
  template <typename T>
  void ExpectStillBlocked(Pending<T>& call, SourceLocation where = SourceLocation::Current()) {
    call.ExpectStillBlocked(where);
  }

  // Records a value beside the verdict.
  void Observe(const std::string& name, const std::string& value);

  const Family family;  // what the test runs over
  Stack& sut;
};

// A connection in each state of RFC 9293 against the scripted peer, as the place where the test
// begins; a case for each (harness/test/variant.h).
struct StateRow {
  const char* name;
  TcpState state;
};
inline constexpr StateRow kEachState[] = {
    {"closed", TcpState::kClosed},           {"listen", TcpState::kListen},
    {"syn-sent", TcpState::kSynSent},        {"syn-received", TcpState::kSynReceived},
    {"established", TcpState::kEstablished}, {"fin-wait-1", TcpState::kFinWait1},
    {"fin-wait-2", TcpState::kFinWait2},     {"close-wait", TcpState::kCloseWait},
    {"closing", TcpState::kClosing},         {"last-ack", TcpState::kLastAck},
    {"time-wait", TcpState::kTimeWait}};

class StateTest : public PeerTest {
 protected:
  const TcpState state = RowOf(kEachState).state;
  Connection connection = InState(state);
};

// Two stacks of the system under test, and the harness between them.
class WireTest : public TestBody {
 public:
  WireTest();

 protected:
  // A listener of the server; port 8080 of its address on the wire.
  Socket Listening(int backlog = 16);
  // connect() of the client, accept() of the server.
  StackConnection Connected();

  // Waits until that stack (`client` or `server`) shows its end of the first
  // connection of this wire in that state; as PeerTest::ExpectState().
  void ExpectState(TcpState state, Stack& stack, SourceLocation where = SourceLocation::Current());

  // As PeerTest::ExpectStateIfShown().
  void ExpectStateIfShown(TcpState state, Stack& stack,
                          SourceLocation where = SourceLocation::Current());

  // As PeerTest::ExpectStillBlocked(). What was forwarded last must be known to have been taken in.
  template <typename T>
  void ExpectStillBlocked(Pending<T>& call, SourceLocation where = SourceLocation::Current()) {
    call.ExpectStillBlocked(where);
  }

  // When that connection's end was gone; as PeerTest::WaitUntilGone().
  Time WaitUntilGone(Stack& stack, Duration patience,
                     SourceLocation where = SourceLocation::Current());

  void CheckAfterwards() override;

  const IpVersion ip;
  Stack& client;
  Stack& server;
  ProgrammableWire wire;

 private:
  struct Ends {
    Endpoint local;
    Endpoint remote;
  };
  // Of the first connection of this wire, as that stack names them.
  Ends EndsOf(Stack& stack);
};

}  // namespace sockproof

namespace sockproof {
template <typename Test>
std::unique_ptr<TestBody> MakeTest() {
  return std::make_unique<Test>();
}
}  // namespace sockproof

// Arguments: testbed, suite, name, then traits as designated initialisers (TestTraits). For a test
// on a testbed of its suite's own, a class derived from one of the three.
#define TEST_WITH(testbed, suite, name, ...)                                                   \
  namespace {                                                                                  \
  class suite##_##name final : public testbed,                                                 \
                               private ::sockproof::TellsClaimsApart<suite##_##name> {         \
    void Run() override;                                                                       \
  };                                                                                           \
  constexpr ::sockproof::TestTraits suite##_##name##_traits{__VA_ARGS__};                      \
  constexpr ::sockproof::DeclaredTest suite##_##name##_declared{                               \
      #suite,                                                                                  \
      #name,                                                                                   \
      __FILE__,                                                                                \
      __LINE__,                                                                                \
      suite##_##name##_traits,                                                                 \
      &::sockproof::MakeTest<suite##_##name>,                                                  \
      [] { return ::sockproof::TellsClaimsApart<suite##_##name>::does; }};                     \
  [[maybe_unused]] const bool suite##_##name##_is_registered =                                 \
      ::sockproof::RegisterTest(suite##_##name##_declared);                                    \
  }                                                                                            \
  void suite##_##name::Run()

#define TEST_WITH_PEER(suite, name, ...) TEST_WITH(::sockproof::PeerTest, suite, name, __VA_ARGS__)
#define TEST_WITH_WIRE(suite, name, ...) TEST_WITH(::sockproof::WireTest, suite, name, __VA_ARGS__)
// One case for each state: `state`, and a `connection` in it.
#define TEST_IN_EACH_STATE(suite, name, ...) \
  TEST_WITH(::sockproof::StateTest, suite, name, __VA_ARGS__, .rows = ::sockproof::kEachState)
#define TEST_WITH_SOCKETS(suite, name, ...) \
  TEST_WITH(::sockproof::SocketsTest, suite, name, __VA_ARGS__)
