#include "harness/packet/describe.h"

#include <gmock/gmock.h>

#include "harness/packet/tcp_flags.h"
#include "tests/packet/examples.h"

namespace sockproof::packet {
namespace {

TEST(Describe, SaysOfEachKindWhatMatters) {
  for (const Example& example : Examples()) {
    const Packet read = ReadFrame(Write(example.packet));
    EXPECT_EQ(Describe(read).text(), example.text) << example.name;
    EXPECT_EQ(Defects(read), example.defects) << example.name;
  }
}

TEST(Describe, KeepsNumbersOfOneRunOutOfTheKind) {
  Packet packet{.layers = {ExampleIpv4(), Udp{.source_port = 40000, .destination_port = 53}},
                .payload = Text("hello")};
  const std::string kind = Describe(packet).kind();
  packet.Find<Udp>()->source_port = 40001;
  EXPECT_EQ(Describe(packet).kind(), kind);
  packet.payload.push_back('x');
  EXPECT_NE(Describe(packet).kind(), kind);
}

TEST(Describe, KeepsLongListsShort) {
  Ipv4 ip = ExampleIpv4();
  ip.options.assign(6, {ipv4_option::kRouterAlert, {}});
  EXPECT_EQ(Describe({.layers = {ip, Udp()}}).kind(), "RA RA RA RA... UDP len=0");
}

TEST(Describe, NamesControlBits) {
  EXPECT_EQ(TcpFlagsName(kSyn | kAck), "SYN,ACK");
  EXPECT_EQ(TcpFlagsName(0), "none");
  EXPECT_EQ(TcpFlagsName(kAccurateEcn | kSyn | 0xe00), "SYN,AE,reserved=0xe");
}

}  // namespace
}  // namespace sockproof::packet
