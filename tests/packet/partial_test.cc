#include "harness/packet/partial.h"

#include <gmock/gmock.h>

#include "tests/packet/examples.h"

namespace sockproof::packet {
namespace {

using testing::ElementsAre;

TEST(Partial, ComparesTheFieldsThatAreSet) {
  const Udp seen{.source_port = 53, .destination_port = 40000, .checksum = 7};
  EXPECT_TRUE(Partial<Udp>().Matches(seen));
  EXPECT_TRUE(Partial<Udp>().Set(&Udp::source_port, 53).Matches(seen));
  EXPECT_FALSE(Partial<Udp>().Set(&Udp::source_port, 54).Matches(seen));
  EXPECT_TRUE(Partial<Udp>().Set(&Udp::checksum, 7).Matches(seen));
  EXPECT_FALSE(Partial<Udp>().Set(&Udp::checksum, {}).Matches(seen));
}

TEST(Partial, ComparesBitsUnderAMask) {
  Partial<Tcp> syn;
  syn.SetBits(&Tcp::flags, kSyn, kSyn | kFin | kRst);
  EXPECT_TRUE(syn.Matches({.flags = kSyn | kEce}));
  EXPECT_FALSE(syn.Matches({.flags = kSyn | kFin}));
  EXPECT_EQ(syn.Over({.flags = kFin | kEce}).flags, kSyn | kEce);
}

TEST(Partial, FillsInWhatIsSetAndKeepsTheRest) {
  const Tcp sent = Partial<Tcp>()
                       .Set(&Tcp::seq, 7)
                       .Has(&Tcp::options, tcp_option::Mss(1400))
                       .Over({.seq = 1, .ack = 2, .options = {tcp_option::Nop()}});
  EXPECT_EQ(sent.seq, 7U);
  EXPECT_EQ(sent.ack, 2U);
  EXPECT_THAT(sent.options, ElementsAre(tcp_option::Nop(), tcp_option::Mss(1400)));
}

TEST(Partial, LooksForAnElementOfAList) {
  const auto wanted = Partial<Tcp>().Has(&Tcp::options, tcp_option::SackPermitted());
  EXPECT_FALSE(wanted.Matches({}));
  EXPECT_TRUE(wanted.Matches({.options = {tcp_option::Nop(), tcp_option::SackPermitted()}}));
}

TEST(Partial, OfALayerIsOneOfThePacket) {
  const auto answer = InLayer(Partial<Udp>().Set(&Udp::source_port, 53, "from port 53"))
                          .Set(&Packet::payload, Text("answer"), "\"answer\"");
  const Packet natural{.layers = {ExampleIpv4(), Udp{.source_port = 1, .destination_port = 2}}};
  EXPECT_FALSE(answer.Matches(natural));
  const Packet sent = answer.Over(natural);
  EXPECT_TRUE(answer.Matches(sent));
  EXPECT_EQ(sent.Find<Udp>()->source_port, 53);
  EXPECT_EQ(sent.Find<Udp>()->destination_port, 2);
  EXPECT_FALSE(answer.Matches({.layers = {ExampleIpv4()}, .payload = Text("answer")}));
  EXPECT_EQ(answer.Describe(), "from port 53 \"answer\"");
}

TEST(Partial, CanSayTwoThingsAtOnce) {
  const auto both = Both(InLayer(Partial<Ipv4>().Set(&Ipv4::hop_limit, 1, "hops=1")),
                         InLayer(Partial<Udp>().Set(&Udp::checksum, 0, "no checksum")));
  EXPECT_FALSE(both.Matches({.layers = {ExampleIpv4(), Udp{.checksum = 0}}}));
  const Packet sent = both.Over({.layers = {ExampleIpv4(), Udp{}}});
  EXPECT_TRUE(both.Matches(sent));
  EXPECT_TRUE(both.Matches(ReadIp(Write(sent))));
  EXPECT_EQ(both.Describe(), "hops=1 no checksum");
}

TEST(Partial, CanLookAtOneDirectionOnly) {
  Partial<Udp> partial;
  partial.Where([](const Udp& udp) { return udp.source_port > 1023; }, "an ephemeral port")
      .Changed([](Udp& udp) { udp.length = 3; });
  EXPECT_FALSE(partial.Matches({.source_port = 53}));
  EXPECT_TRUE(partial.Matches({.source_port = 1024}));
  EXPECT_EQ(partial.Over({.source_port = 53}), (Udp{.source_port = 53, .length = 3}));
}

}  // namespace
}  // namespace sockproof::packet
