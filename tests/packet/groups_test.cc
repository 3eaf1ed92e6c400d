#include "harness/packet/groups.h"

#include <gmock/gmock.h>

#include "harness/packet/neighbour_discovery.h"
#include "tests/packet/examples.h"

namespace sockproof::packet {
namespace {

using testing::ElementsAre;
using testing::Optional;
using testing::SizeIs;

std::vector<GroupRecord> Records(const char* group, const char* source) {
  return {{GroupRecordType::kModeIsInclude, IpAddress(group), {IpAddress(source)}, {}},
          {GroupRecordType::kChangeToExclude, IpAddress(group), {}, {1, 2, 3, 4}}};
}

Packet Behind(const Layer& ip, Packet message) {
  message.layers.insert(message.layers.begin(), ip);
  return message;
}

// RFC 3376 section 4.2, octet by octet.
TEST(Groups, AReportIsLaidOutAsIgmpSays) {
  const Bytes bytes = Write(GroupReport(
      {{GroupRecordType::kAllowNewSources, IpAddress("232.0.0.1"), {IpAddress("192.0.2.9")}, {}}}));
  EXPECT_THAT(bytes, ElementsAre(0x22, 0, testing::_, testing::_, 0, 0, 0, 1, 5, 0, 0, 1, 232, 0, 0,
                                 1, 192, 0, 2, 9));
}

TEST(Groups, AReportIsReadAsItWasWritten) {
  const auto records = Records("232.0.0.1", "192.0.2.9");
  EXPECT_EQ(ReadGroupReport(ReadIp(Write(Behind(ExampleIpv4(), GroupReport(records))))), records);
  const auto records6 = Records("ff3e::1", "2001:db8::9");
  const Packet read = ReadIp(Write(Behind(ExampleIpv6(), GroupReport(records6))));
  EXPECT_EQ(ReadGroupReport(read), records6);
  EXPECT_NE(packet::FindOption(read.Find<Ipv6Options>()->options, ipv6_option::kRouterAlert),
            nullptr);
}

TEST(Groups, AQueryIsReadAsItWasWritten) {
  for (const auto& [group, source] :
       {std::pair("232.0.0.1", "192.0.2.9"), std::pair("ff3e::1", "2001:db8::9")}) {
    const GroupQuery query{.group = IpAddress(group),
                           .max_response = 100,
                           .suppress = true,
                           .robustness = 3,
                           .interval_code = 20,
                           .sources = {IpAddress(source)}};
    const bool is_ipv6 = query.group.version() == IpVersion::kIpv6;
    const Layer ip = is_ipv6 ? Layer(ExampleIpv6()) : Layer(ExampleIpv4());
    EXPECT_THAT(ReadGroupQuery(ReadIp(Write(Behind(ip, GroupQueryMessage(query))))),
                Optional(query));
  }
}

// A count that promises more than there is.
TEST(Groups, AReportEndsWithItsOctets) {
  Packet report = GroupReport(Records("232.0.0.1", "192.0.2.9"));
  report.Find<Igmp>()->rest = 0xffff;
  EXPECT_THAT(*ReadGroupReport(report), SizeIs(2));
  report.payload.resize(10);
  EXPECT_THAT(*ReadGroupReport(report), SizeIs(1));
  EXPECT_THAT(ReadGroupReport(report)->front().sources, SizeIs(0));
  EXPECT_FALSE(ReadGroupReport({.layers = {Udp{}}}));
}

TEST(Groups, OlderMessagesHaveOneGroup) {
  EXPECT_THAT(ReadSingleGroup({.layers = {Igmp{.type = Igmp::kLeave, .rest = 0xe8000001}}}),
              Optional(IpAddress("232.0.0.1")));
  Packet done{.layers = {Icmp{.version = IpVersion::kIpv6, .type = icmpv6_type::kGroupDone}}};
  EXPECT_FALSE(ReadSingleGroup(done)) << "cut short";
  const IpAddress group("ff3e::1");
  done.payload.assign(group.bytes(), group.bytes() + 16);
  EXPECT_THAT(ReadSingleGroup(done), Optional(group));
}

TEST(NeighbourDiscovery, IsReadAsItWasWritten) {
  const NeighbourMessage advertisement{.type = icmpv6_type::kNeighbourAdvertisement,
                                       .flags = NeighbourMessage::kSolicited,
                                       .target = IpAddress("2001:db8::2"),
                                       .target_mac = MacAddress{2, 0, 0, 0, 0, 2}};
  const Packet packet = ReadIp(Write(Behind(ExampleIpv6(), advertisement.Message())));
  const auto read = ReadNeighbourMessage(packet);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, advertisement.type);
  EXPECT_EQ(read->flags, advertisement.flags);
  EXPECT_EQ(read->target, advertisement.target);
  EXPECT_EQ(read->target_mac, advertisement.target_mac);
  EXPECT_FALSE(read->source_mac);
}

// RFC 4861 section 4.6: a length of 0 is malformed.
TEST(NeighbourDiscovery, StopsAtAMalformedOption) {
  Packet message = NeighbourMessage{.target = IpAddress("2001:db8::2"),
                                    .source_mac = MacAddress{2, 0, 0, 0, 0, 1}}
                       .Message();
  message.payload[17] = 0;
  EXPECT_FALSE(ReadNeighbourMessage(message)->source_mac);
  message.payload.resize(15);
  EXPECT_FALSE(ReadNeighbourMessage(message));
}

}  // namespace
}  // namespace sockproof::packet
