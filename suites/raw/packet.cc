// Packet sockets: packet(7) of the Linux man-pages.
#include <string>
#include <variant>

#include "harness/test/matrix.h"
#include "harness/test/test.h"

namespace sockproof {
namespace {

constexpr const char* kAllProtocols = "0x0300";  // ETH_P_ALL in the order of the network
constexpr std::size_t kEthernetHeader = 14;

// A number in the order of a host whose lowest octet comes first; 0 where there are no octets.
std::uint32_t NumberAt(const std::string& octets, std::size_t at) {
  std::uint32_t number = 0;
  if (octets.size() < at + 4) return number;
  for (std::size_t octet = 4; octet > 0; --octet) {
    number = number << 8 | static_cast<std::uint8_t>(octets.at(at + octet - 1));
  }
  return number;
}

class PacketSocketTest : public SocketsTest {
 protected:
  Socket Packets(const std::string& type, const std::string& protocol = kAllProtocols) {
    Outcome<Socket> opened = sut.OpenSocket("AF_PACKET", type, {}, protocol);
    if (opened.error() == EPERM) NotReached("the agent may open no packet sockets");
    return opened.value();
  }
  // A datagram over the loopback interface.
  void SendSomething(const std::string& text = "something") {
    Socket udp = sut.NewSocket("AF_INET", "SOCK_DGRAM");
    udp.Bind(Name(IpAddress("127.0.0.1"), 0)).value();
    udp.SendTo(udp.LocalName().value(), text).value();
    udp.Receive(2048).value();
    udp.Close().value();
  }
  // How many packets came since it was asked last.
  static std::uint32_t Count(const Socket& packets) {
    return NumberAt(packets.GetOctets("PACKET_STATISTICS", 8).value(), 0);
  }
};

TEST_WITH(PacketSocketTest, PacketSockets, SeeWhatIsSentAndReceived,
          .claims = {"man:packet(7)-receives"}, .over = kOnce) {
  Socket packets = Packets("SOCK_DGRAM");
  SendSomething("seen twice");
  // As it leaves, and as it arrives.
  for (int time = 0; time < 2; ++time) {
    EXPECT_TRUE(packets.Receive(2048).value().ends_with("seen twice"));
  }
}

TEST_WITH(PacketSocketTest, PacketSockets, OfSockRawHaveTheLinkLayerHeader,
          .claims = {"man:packet(7)-SOCK_RAW", "man:packet(7)-SOCK_DGRAM"}, .over = kOnce) {
  Socket cooked = Packets("SOCK_DGRAM");
  Socket raw = Packets("SOCK_RAW");
  SendSomething();
  const std::string packet = cooked.Receive(2048).value();
  const std::string frame = raw.Receive(2048).value();
  ASSERT_EQ(frame.size(), packet.size() + kEthernetHeader);
  EXPECT_EQ(frame.substr(kEthernetHeader), packet);
}

TEST_WITH(PacketSocketTest, PacketSockets, StatisticsBeginAnewWhenTheyWereRead,
          .claims = {"man:packet(7)-PACKET_STATISTICS"}, .over = kOnce) {
  Socket packets = Packets("SOCK_DGRAM");
  SendSomething();
  EXPECT_GE(Count(packets), 2U);
  EXPECT_EQ(Count(packets), 0U);
}

TEST_WITH(PacketSocketTest, PacketSockets, AuxdataTellsTheLengthOfAPacket,
          .claims = {"man:packet(7)-PACKET_AUXDATA"}, .needs = {"messages"}, .over = kOnce) {
  Socket packets = Packets("SOCK_DGRAM");
  ASSERT_THAT(packets.SetOption("PACKET_AUXDATA", 1), Succeeds());
  SendSomething();
  const Received received = packets.ReceiveMessage(2048, ControlRoom::Octets(256)).value();
  ASSERT_EQ(received.control.size(), 1U);
  const auto* octets = std::get_if<std::string>(&received.control[0].value);
  ASSERT_NE(octets, nullptr);
  EXPECT_EQ(NumberAt(*octets, 4), received.data.size()) << "tp_len";
}

TEST_WITH(PacketSocketTest, PacketSockets, OfAFanoutGroupOneGetsEachPacket,
          .claims = {"man:packet(7)-PACKET_FANOUT"}, .over = kOnce) {
  constexpr int kRoundRobin = 1 << 16;  // PACKET_FANOUT_LB
  Socket all = Packets("SOCK_DGRAM");
  Socket first = Packets("SOCK_DGRAM");
  Socket second = Packets("SOCK_DGRAM");
  for (Socket* member : {&first, &second}) {
    ASSERT_THAT(member->SetOption("PACKET_FANOUT", kRoundRobin | 4711), Succeeds());
  }
  for (Socket* socket : {&all, &first, &second}) Count(*socket);
  for (int time = 0; time < 4; ++time) SendSomething();
  const std::uint32_t seen = Count(all);
  EXPECT_GE(seen, 8U);
  EXPECT_EQ(Count(first) + Count(second), seen);
}

TEST_WITH(PacketSocketTest, PacketSockets, AMembershipIsAddedAndDropped,
          .claims = {"man:packet(7)-PACKET_ADD_MEMBERSHIP"}, .over = kOnce) {
  Socket packets = Packets("SOCK_DGRAM");
  // struct packet_mreq: the first interface, PACKET_MR_ALLMULTI.
  const Bytes request = {1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_THAT(packets.SetOption("PACKET_ADD_MEMBERSHIP", request), Succeeds());
  EXPECT_THAT(packets.SetOption("PACKET_DROP_MEMBERSHIP", request), Succeeds());
}

TEST_WITH(PacketSocketTest, PacketSockets, OptionsAreSet, .claims = {"man:packet(7)-options"},
          .over = kOnce) {
  Matrix matrix({"option"});
  for (const char* option : {"PACKET_AUXDATA", "PACKET_VERSION", "PACKET_LOSS", "PACKET_RESERVE",
                             "PACKET_TIMESTAMP", "PACKET_QDISC_BYPASS", "PACKET_COPY_THRESH"}) {
    matrix.Check({option}, [&](Cell& cell) {
      cell.Expect(Packets("SOCK_DGRAM").SetOption(option, 1), Succeeds());
    });
  }
  // struct tpacket_req: one block of a page, two frames.
  const Bytes ring = {0, 16, 0, 0, 1, 0, 0, 0, 0, 8, 0, 0, 2, 0, 0, 0};
  for (const char* option : {"PACKET_RX_RING", "PACKET_TX_RING"}) {
    matrix.Check({option}, [&](Cell& cell) {
      cell.Expect(Packets("SOCK_DGRAM").SetOption(option, ring), Succeeds());
    });
  }
}

}  // namespace
}  // namespace sockproof
