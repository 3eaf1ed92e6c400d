// Filters of classic BPF: socket(7) of the Linux man-pages.
#include <string>
#include <vector>

#include "harness/sut/option_values.h"
#include "harness/test/test.h"
#include "suites/options/headers.h"

namespace sockproof {
namespace {

using testing::AnyOf;

// More than any packet has.
constexpr std::uint32_t kWhole = 0xffff;

inline constexpr Family kFilteredDatagrams[] = {kOptionKinds[2], kOptionKinds[3], kUnixDatagram};

class FilterTest : public SocketsTest {
 protected:
  // What the filter decides of one datagram: it is received, or that which is sent behind it once
  // the filter has gone.
  static std::string ReceivedThrough(Socket& near, Socket& far, std::uint32_t answer,
                                     const std::string& data) {
    SetFilter(near, "SO_ATTACH_FILTER", FilterThatAnswers(answer)).value();
    far.Send(data).value();
    SetFilter(near, "SO_ATTACH_FILTER", FilterThatAnswers(kWhole)).value();
    far.Send("the next").value();
    return near.Receive(2048).value();
  }
};

TEST_WITH(FilterTest, Filters, AFilterThatReturnsZeroDropsThePacket,
          .claims = {"man:socket(7)-SO_ATTACH_FILTER-drop"}, .over = kFilteredDatagrams) {
  auto [near, far] = ConnectedPair();
  EXPECT_EQ(ReceivedThrough(near, far, 0, "dropped"), "the next");
}

TEST_WITH(FilterTest, Filters, OneThatReturnsLessThanItsLengthCutsIt,
          .claims = {"man:socket(7)-SO_ATTACH_FILTER-truncate"}, .over = kFilteredDatagrams) {
  auto [near, far] = ConnectedPair();
  const std::string data(100, 'x');
  // How many of these are of the header, the page leaves open.
  const std::string received = ReceivedThrough(near, far, 60, data);
  EXPECT_TRUE(data.starts_with(received)) << received;
  EXPECT_LE(received.size(), 60U);
  EXPECT_GE(received.size(), 10U);
}

TEST_WITH(FilterTest, Filters, OneThatReturnsMoreLeavesItAlone,
          .claims = {"man:socket(7)-SO_ATTACH_FILTER-whole"}, .over = kFilteredDatagrams) {
  auto [near, far] = ConnectedPair();
  EXPECT_EQ(ReceivedThrough(near, far, kWhole, "unmodified"), "unmodified");
}

TEST_WITH(FilterTest, Filters, ALaterFilterReplacesTheFirst,
          .claims = {"man:socket(7)-SO_ATTACH_FILTER-replaced"}, .over = kFilteredDatagrams) {
  auto [near, far] = ConnectedPair();
  for (const std::uint32_t answer : {0U, kWhole}) {
    ASSERT_THAT(SetFilter(near, "SO_ATTACH_FILTER", FilterThatAnswers(answer)), Succeeds());
  }
  far.Send("let through").value();
  EXPECT_THAT(near.Receive(64), Returns("let through"));
}

TEST_WITH(FilterTest, Filters, AFilterThatIsDetachedFiltersNoMore,
          .claims = {"man:socket(7)-SO_DETACH_FILTER"}, .over = kFilteredDatagrams) {
  auto [near, far] = ConnectedPair();
  ASSERT_THAT(SetFilter(near, "SO_ATTACH_FILTER", FilterThatAnswers(0)), Succeeds());
  ASSERT_THAT(near.SetOption("SO_DETACH_FILTER", 0), Succeeds());
  far.Send("let through").value();
  EXPECT_THAT(near.Receive(64), Returns("let through"));
}

TEST_WITH(FilterTest, Filters, ALockedFilterStays, .claims = {"man:socket(7)-SO_LOCK_FILTER"},
          .over = kOptionKinds) {
  Socket socket = NewSocket();
  const Outcome<int> attached = SetFilter(socket, "SO_ATTACH_FILTER", FilterThatAnswers(kWhole));
  if (attached.error() == EPERM) NotReached("the agent may attach no filter to such a socket");
  ASSERT_THAT(attached, Succeeds());
  ASSERT_THAT(socket.SetOption("SO_LOCK_FILTER", 1), Succeeds());
  EXPECT_THAT(SetFilter(socket, "SO_ATTACH_FILTER", FilterThatAnswers(0)), FailsWith(EPERM));
  EXPECT_THAT(socket.SetOption("SO_DETACH_FILTER", 0), FailsWith(EPERM));
  EXPECT_THAT(socket.SetOption("SO_LOCK_FILTER", 0), FailsWith(EPERM));
}

// --- of a group that shares a port ---------------------------------------------------------------

class PortGroupTest : public SocketsTest {
 protected:
  // So many times a socket out of two is not chosen by chance.
  static constexpr int kNoChance = 16;

  // So many sockets on one port, in the order in which they are numbered.
  std::vector<Socket> Group(int count) {
    std::vector<Socket> group;
    while (static_cast<int>(group.size()) < count) group.push_back(Member(group));
    return group;
  }
  Socket Member(const std::vector<Socket>& group) {
    Socket member = NewSocket();
    member.SetOption("SO_REUSEPORT", 1).value();
    member.Bind(group.empty() ? Loopback() : group.front().LocalName().value()).value();
    if (family.type == "SOCK_STREAM") member.Listen(4).value();
    return member;
  }
  // Which of them gets what is sent to the port now.
  int WhoGetsIt(const std::vector<Socket>& group) {
    Socket client = NewSocket();
    client.Connect(group.front().LocalName().value()).value();
    if (family.type == "SOCK_DGRAM") client.Send("for one of you").value();
    for (std::size_t number = 0; number < group.size(); ++number) {
      if (group[number].Poll({"POLLIN"}).value().empty()) continue;
      if (family.type == "SOCK_DGRAM") {
        group[number].Receive(64).value();
      } else {
        group[number].Accept().value().socket.Close().value();
      }
      return static_cast<int>(number);
    }
    return -1;
  }
};

TEST_WITH(PortGroupTest, PortGroups, TheProgramChoosesTheSocket,
          .claims = {"man:socket(7)-SO_ATTACH_REUSEPORT_CBPF", "man:socket(7)-reuseport-numbers"},
          .over = kOptionKindsOfIp) {
  const std::vector<Socket> group = Group(3);
  for (const std::uint32_t number : {2U, 0U, 1U}) {
    // On any socket of the group.
    const Outcome<int> attached =
        SetFilter(group[number], "SO_ATTACH_REUSEPORT_CBPF", FilterThatAnswers(number));
    ASSERT_THAT(attached, Succeeds());
    for (int time = 0; time < 4; ++time) EXPECT_EQ(WhoGetsIt(group), static_cast<int>(number));
  }
}

TEST_WITH(PortGroupTest, PortGroups, ANumberThatNobodyHasLeavesTheChoiceToTheSystem,
          .claims = {"man:socket(7)-reuseport-invalid-index"}, .over = kOptionKindsOfIp) {
  const std::vector<Socket> group = Group(2);
  ASSERT_THAT(SetFilter(group[0], "SO_ATTACH_REUSEPORT_CBPF", FilterThatAnswers(7)), Succeeds());
  for (int time = 0; time < 4; ++time) EXPECT_GE(WhoGetsIt(group), 0);
}

TEST_WITH(PortGroupTest, PortGroups, ANewSocketHasTheProgramToo,
          .claims = {"man:socket(7)-reuseport-inherited"}, .over = kOptionKindsOfIp) {
  std::vector<Socket> group = Group(2);
  ASSERT_THAT(SetFilter(group[0], "SO_ATTACH_REUSEPORT_CBPF", FilterThatAnswers(2)), Succeeds());
  group.push_back(Member(group));
  for (int time = 0; time < kNoChance; ++time) EXPECT_EQ(WhoGetsIt(group), 2);
}

TEST_WITH(PortGroupTest, PortGroups, TheLastSocketTakesThePlaceOfOneThatIsClosed,
          .claims = {"man:socket(7)-reuseport-closed"}, .over = kOptionKindsOfIp) {
  const std::vector<Socket> group = Group(3);
  ASSERT_THAT(SetFilter(group[0], "SO_ATTACH_REUSEPORT_CBPF", FilterThatAnswers(0)), Succeeds());
  const Name name = group[0].LocalName().value();
  group[0].Close().value();
  const std::vector<Socket> left = {group[1], group[2]};
  for (int time = 0; time < kNoChance; ++time) EXPECT_EQ(WhoGetsIt(left), 1);
}

}  // namespace
}  // namespace sockproof
