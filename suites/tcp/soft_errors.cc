// ICMP errors about a connection that stands: none of the soft ones ends it, and whoever wants to
// hear of them does. RFC 9293 sections 3.9.1.8 and 3.9.2.2.
#include <algorithm>
#include <string>
#include <vector>

#include "harness/test/test.h"

using namespace sockproof;

namespace {

struct Soft {
  const char* name;
  IcmpError error;
};

IcmpError WithCode(IcmpError error, std::uint8_t code) {
  error.code = code;
  return error;
}

// The types and codes that RFC 9293 section 3.9.2.2 names, but for a reassembly that failed: IP
// need not pass that up.
std::vector<Soft> SoftErrors(IpVersion ip) {
  std::vector<Soft> errors = {{"net unreachable", icmp::NetUnreachable(ip)},
                              {"host unreachable", icmp::HostUnreachable(ip)},
                              {"hop limit exceeded", icmp::HopLimitExceeded(ip)},
                              {"parameter problem", icmp::ParameterProblem(ip)}};
  if (ip == IpVersion::kIpv4) {
    errors.push_back({"source route failed", icmp::SourceRouteFailed()});
  } else {
    errors.push_back({"unknown next header", WithCode(icmp::ParameterProblem(ip), 1)});
    errors.push_back({"unknown option", WithCode(icmp::ParameterProblem(ip), 2)});
  }
  return errors;
}

class SoftErrorsTest : public PeerTest {
 protected:
  // Data in flight, and an error about it that the system under test has taken in.
  void Report(Connection& connection, const IcmpError& error) {
    auto& [socket, peer] = connection;
    socket.Send("in flight").value();
    const Segment data = peer.Expect(Data("in flight"));
    host.Report(error, data);
    Settle();
  }

  static void ExpectUnharmed(Connection& connection) {
    auto& [socket, peer] = connection;
    peer.Send(Data("go on"));
    peer.Expect(Ack().Ack(peer.snd_nxt));
    EXPECT_THAT(socket.Receive(64), Returns("go on"));
  }

  std::string ReportOption() const {
    return ip == IpVersion::kIpv4 ? "IP_RECVERR" : "IPV6_RECVERR";
  }
};

}  // namespace

TEST_WITH(SoftErrorsTest, SoftErrors, DoNotEndAConnection, .claims = {"rfc9293:MUST-56"}) {
  std::vector<Soft> errors = SoftErrors(ip);
  errors.push_back({"reassembly time exceeded", WithCode(icmp::HopLimitExceeded(ip), 1)});
  for (const Soft& soft : errors) {
    SCOPED_TRACE(soft.name);
    Connection connection = Connected();
    Report(connection, soft.error);
    ExpectUnharmed(connection);
  }
}

TEST_WITH(SoftErrorsTest, SoftErrors, AreNotReportedToWhoDidNotAsk,
          .claims = {"rfc9293:SHLD-20", "man:ip(7)-IP_RECVERR"}) {
  for (const Soft& soft : SoftErrors(ip)) {
    SCOPED_TRACE(soft.name);
    Connection connection = Connected();
    Report(connection, soft.error);
    EXPECT_THAT(connection.socket.Poll({"POLLIN"}), Returns(Events{}));
    EXPECT_THAT(connection.socket.Receive(64, {"MSG_DONTWAIT"}), FailsWith(EAGAIN));
    EXPECT_THAT(connection.socket.Send("more"), Returns(4));
  }
}

TEST_WITH(SoftErrorsTest, SoftErrors, AreReportedToWhoAsksAndHarmNothing,
          .claims = {"rfc9293:MUST-47", "rfc9293:SHLD-25", "rfc9293:MUST-56",
                     "man:ip(7)-IP_RECVERR", "man:poll(2)-POLLERR", "man:socket(7)-SO_ERROR"}) {
  bool is_any_told = false;
  for (const Soft& soft : SoftErrors(ip)) {
    SCOPED_TRACE(soft.name);
    Connection connection = Connected();
    ASSERT_THAT(connection.socket.SetOption(ReportOption(), 1), Succeeds());
    Report(connection, soft.error);
    Deciding("man:poll(2)-POLLERR");
    EXPECT_THAT(connection.socket.Poll({"POLLIN"}), testing::Not(Returns(Events{})));
    const std::string told = ErrnoName(connection.socket.TakeError());
    is_any_told = is_any_told || told != ErrnoName(0);
    for (const char* claim : {"rfc9293:SHLD-25", "man:ip(7)-IP_RECVERR"}) {
      Deciding(claim);
      EXPECT_NE(told, ErrnoName(0));
    }
    Deciding("man:socket(7)-SO_ERROR");
    EXPECT_EQ(ErrnoName(connection.socket.TakeError()), ErrnoName(0)) << "told twice";
    Deciding("rfc9293:MUST-56");
    ExpectUnharmed(connection);
  }
  // A mechanism there must be; that it tells each of them is SHLD-25.
  Deciding("rfc9293:MUST-47");
  EXPECT_TRUE(is_any_told);
}

TEST_WITH(SoftErrorsTest, SoftErrors, ConcernOnlyTheConnectionThatTheyQuote,
          .claims = {"rfc9293:MUST-54"}) {
  Connection one = Connected();
  Connection other = ConnectedByAccept();
  for (Connection* connection : {&one, &other}) {
    ASSERT_THAT(connection->socket.SetOption(ReportOption(), 1), Succeeds());
  }
  Report(one, icmp::HostUnreachable(ip));
  EXPECT_EQ(ErrnoName(other.socket.TakeError()), ErrnoName(0));
  EXPECT_NE(ErrnoName(one.socket.TakeError()), ErrnoName(0));
}

TEST_WITH(SoftErrorsTest, SoftErrors, SourceQuenchIsDiscarded, .claims = {"rfc9293:MUST-55"},
          .ipv4_only_because = "ICMPv6 has no source quench") {
  Connection connection = Connected();
  ASSERT_THAT(connection.socket.SetOption(ReportOption(), 1), Succeeds());
  Report(connection, icmp::SourceQuench());
  EXPECT_EQ(ErrnoName(connection.socket.TakeError()), ErrnoName(0));
  ExpectUnharmed(connection);
}

TEST_WITH(SoftErrorsTest, SoftErrors, AsTheRfcSaysAHardErrorEndsAConnection,
          .claims = {"rfc9293:SHLD-26"},
          .ipv4_only_because = "RFC 9293 calls no error of ICMPv6 hard") {
  for (const IcmpError& hard : {icmp::PortUnreachable(ip), icmp::ProtocolUnreachable()}) {
    Connection connection = Connected();
    Report(connection, hard);
    EXPECT_THAT(connection.socket.Receive(64, {"MSG_DONTWAIT"}),
                testing::AllOf(testing::Not(Succeeds()), testing::Not(FailsWith(EAGAIN))));
  }
}

// Whoever asks to be told of errors is told that nothing is acknowledged any more, before the
// connection is given up.
TEST_WITH(SoftErrorsTest, SoftErrors, ManyRetransmissionsAreReported, .claims = {"rfc9293:SHLD-9"},
          .needs = {"virtual-time"}, .lasts = LinuxDataGiveUpMinimum) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption(ReportOption(), 1), Succeeds());
  socket.Send("anyone there?").value();
  const Segment data = peer.Expect(Data("anyone there?"));
  Events events;
  const Time give_up = data.time + 2 * LinuxDataGiveUpMinimum(sut.facts());
  while (events.empty() && Clock::now() < give_up) {
    sut.loop().RunUntil([] { return false; }, Clock::now() + 10s);
    while (peer.waiting() > 0) peer.Expect(AnySegment());
    events = socket.Poll({"POLLIN", "POLLPRI"}, 0s).value();
  }
  const bool is_over = std::find(events.begin(), events.end(), "POLLHUP") != events.end();
  EXPECT_FALSE(events.empty() || is_over) << "the application is told of nothing before the end";
}

// What R1 is shows in nothing but that.
TEST_WITH(
    SoftErrorsTest, SoftErrors, NothingIsReportedBeforeTheThirdRetransmission,
    .claims = {"rfc9293:SHLD-10"}, .lasts = [](const Facts&) -> Duration { return 3s; }) {
  auto [socket, peer] = Connected();
  ASSERT_THAT(socket.SetOption(ReportOption(), 1), Succeeds());
  socket.Send("anyone there?").value();
  const Segment data = peer.Expect(Data("anyone there?"));
  for (int retransmissions = 0; retransmissions < 3; ++retransmissions) {
    EXPECT_THAT(socket.Poll({"POLLIN", "POLLPRI"}, 0s), Returns(Events{}))
        << "after " << retransmissions << " retransmissions";
    peer.Expect(Data("anyone there?").Seq(data.seq), Within(20s));
  }
}
