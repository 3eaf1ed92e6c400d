// Datagrams between two stacks over a wire that loses, delays and doubles them: RFC 768 promises
// nothing, and nothing is done about it.
#include <string>

#include "harness/claims/link.h"
#include "harness/sut/message.h"
#include "harness/test/test.h"

using namespace sockproof;

namespace {

class UdpLossTest : public WireTest {
 protected:
  static constexpr std::uint16_t kPort = 5300;

  // A socket of the server, and one of the client that is connected to it.
  struct Pair {
    Socket near, far;
  };
  Pair Connected() {
    Socket far = server.NewSocket(ip, "SOCK_DGRAM");
    far.Bind(kPort).value();
    Socket near = client.NewSocket(ip, "SOCK_DGRAM");
    near.Connect(server.At(ip, kPort)).value();
    return {near, far};
  }

  const char* Rule() const {
    return ip == IpVersion::kIpv4 ? "rfc791:3.2-reassembly" : "rfc8200:4.5-reassembly";
  }

  // The data of a datagram that leaves in three fragments, or more.
  std::string TooLongForTheLink() { return std::string(LinkMtu(client.facts()) + 2500, 'x'); }
};

}  // namespace

TEST_WITH(UdpLossTest, UdpLoss, WhatIsLostIsNotSentAgain, .claims = {"rfc768:not-guaranteed"}) {
  auto [near, far] = Connected();
  wire.Drop(Datagram("lost").From(client));
  ASSERT_THAT(near.Send("lost"), Returns(4));
  ASSERT_THAT(near.Send("next"), Returns(4));
  EXPECT_THAT(far.Receive(64), Returns("next"));
  if (wire.Seen(Datagram("lost")).size() > 1) NotTaken("rfc768:not-guaranteed", "it sends again");
}

TEST_WITH(UdpLossTest, UdpLoss, WhatComesTwiceIsReceivedTwice,
          .claims = {"rfc768:not-guaranteed"}) {
  auto [near, far] = Connected();
  wire.Duplicate(Datagram("twice").From(client));
  ASSERT_THAT(near.Send("twice"), Returns(5));
  ASSERT_THAT(near.Send("next"), Returns(4));
  EXPECT_THAT(far.Receive(64), Returns("twice"));
  const Outcome<std::string> second = far.Receive(64);
  EXPECT_THAT(second, testing::AnyOf(Returns("twice"), Returns("next")));
  if (second.ok() && second.value() == "next") {
    NotTaken("rfc768:not-guaranteed", "it tells a duplicate by what it has received before");
  }
}

TEST_WITH(UdpLossTest, UdpLoss, WhatOvertakesIsReceivedFirst, .claims = {"rfc768:not-guaranteed"}) {
  auto [near, far] = Connected();
  wire.SwapWithNext(Datagram("first").From(client));
  ASSERT_THAT(near.Send("first"), Returns(5));
  ASSERT_THAT(near.Send("second"), Returns(6));
  EXPECT_THAT(far.Receive(64), Returns("second"));
  EXPECT_THAT(far.Receive(64), Returns("first"));
}

TEST_WITH(UdpLossTest, UdpLoss, AFragmentThatIsLostLosesAll,
          .claims = {"rfc791:3.2-reassembly", "rfc8200:4.5-reassembly"}) {
  auto [near, far] = Connected();
  const std::string text = TooLongForTheLink();
  ASSERT_THAT(near.Send(text), Succeeds());  // to see how it is cut
  ASSERT_THAT(far.Receive(30000), Returns(text));
  const std::size_t second = wire.Seen(Fragment(0)).at(0).payload().size();
  Deciding(Rule());
  wire.Drop(Fragment(second).From(client));
  ASSERT_THAT(near.Send(text), Succeeds());
  ASSERT_THAT(near.Send("small"), Returns(5));
  EXPECT_THAT(far.Receive(30000), Returns("small"));
}

TEST_WITH(UdpLossTest, UdpLoss, AFragmentThatIsLateIsWaitedFor,
          .claims = {"rfc791:3.2-reassembly", "rfc8200:4.5-reassembly"}) {
  Deciding(Rule());
  auto [near, far] = Connected();
  wire.Delay(Fragment(0).From(client), 300ms);
  const std::string text = TooLongForTheLink();
  ASSERT_THAT(near.Send(text), Succeeds());
  EXPECT_THAT(far.Receive(30000), Returns(text));
}

TEST_WITH(UdpLossTest, UdpLoss, ARefusalComesThroughTheWire,
          .claims = {"rfc1122:4.1.3.1-port-unreachable", "rfc4443:3.1-port-unreachable",
                     "man:udp(7)-ECONNREFUSED"}) {
  Socket near = client.NewSocket(ip, "SOCK_DGRAM");
  ASSERT_THAT(near.Connect(server.At(ip, kPort)), Succeeds());
  ASSERT_THAT(near.Send("anyone?"), Returns(7));
  Deciding(ip == IpVersion::kIpv4 ? "rfc1122:4.1.3.1-port-unreachable"
                                  : "rfc4443:3.1-port-unreachable");
  wire.Expect(PortUnreachable().From(server));
  Deciding("man:udp(7)-ECONNREFUSED");
  EXPECT_THAT(near.Receive(64), FailsWith(ECONNREFUSED));
}
