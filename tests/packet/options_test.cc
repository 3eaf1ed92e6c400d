#include "harness/packet/options.h"

#include <gmock/gmock.h>

#include "harness/packet/describe.h"

namespace sockproof::packet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Bytes Written(const std::vector<HeaderOption>& options) {
  Bytes bytes;
  AppendOptions(bytes, options);
  return bytes;
}

// The octets are those that the documents draw.
TEST(TcpOptions, AreLaidOutAsTheirDocumentsSay) {
  EXPECT_THAT(Written({tcp_option::Mss(1460)}), ElementsAre(2, 4, 0x05, 0xb4));  // RFC 9293 3.2
  EXPECT_THAT(Written({tcp_option::WindowScale(7)}), ElementsAre(3, 3, 7));      // RFC 7323 2.2
  EXPECT_THAT(Written({tcp_option::SackPermitted()}), ElementsAre(4, 2));        // RFC 2018 2
  EXPECT_THAT(Written({tcp_option::Sack({{1, 2}})}),                             // RFC 2018 3
              ElementsAre(5, 10, 0, 0, 0, 1, 0, 0, 0, 2));
  EXPECT_THAT(Written({tcp_option::Timestamps(3, 4)}),  // RFC 7323 3.2
              ElementsAre(8, 10, 0, 0, 0, 3, 0, 0, 0, 4));
  EXPECT_EQ(Written({tcp_option::Md5({})}).size(), 18U);                           // RFC 2385 3.0
  EXPECT_THAT(Written({tcp_option::Ao(1, 2, {9})}), ElementsAre(29, 5, 1, 2, 9));  // RFC 5925 2.2
  EXPECT_THAT(Written({tcp_option::FastOpen({})}), ElementsAre(34, 2));            // RFC 7413 4.1.1
  EXPECT_THAT(Written({tcp_option::Mptcp({0x01})}), ElementsAre(30, 3, 1));        // RFC 8684 3
  EXPECT_THAT(Written({tcp_option::AccurateEcn(tcp_option::kAccurateEcn1, {0x010203})}),
              ElementsAre(174, 5, 1, 2, 3));  // RFC 9768 3.2.3
  EXPECT_THAT(Written({tcp_option::Nop(), {0, {}}}), ElementsAre(1, 0));
}

TEST(Ipv4Options, AreLaidOutAsTheirDocumentsSay) {
  EXPECT_THAT(Written({ipv4_option::RouterAlert()}), ElementsAre(0x94, 4, 0, 0));  // RFC 2113 2.1
  EXPECT_THAT(Written({ipv4_option::SourceRoute(ipv4_option::kStrictSourceRoute,
                                                {IpAddress("192.0.2.7")})}),
              ElementsAre(137, 7, 4, 192, 0, 2, 7));  // RFC 791 3.1
}

TEST(Ipv6Options, HaveALengthThatDoesNotCountItself) {
  Bytes bytes;
  AppendIpv6Options(bytes, {{ipv6_option::kPad1, {}}, ipv6_option::RouterAlert()});
  EXPECT_THAT(bytes, ElementsAre(0, 5, 2, 0, 0));  // RFC 8200 4.2, RFC 2711 2.1
  const OptionList list = ReadIpv6Options(bytes);
  EXPECT_THAT(list.options,
              ElementsAre(HeaderOption{0, {}}, HeaderOption{ipv6_option::kRouterAlert, {0, 0}}));
  EXPECT_THAT(list.rest, IsEmpty());
}

TEST(Options, EndWhereTheListDoes) {
  const OptionList list = ReadOptions(Bytes{1, 2, 4, 5, 0xb4, 0, 9, 9});
  EXPECT_THAT(list.options, ElementsAre(tcp_option::Nop(), tcp_option::Mss(1460)));
  EXPECT_THAT(list.rest, ElementsAre(0, 9, 9));
  EXPECT_EQ(OptionRestText(list.rest), "eol");
}

TEST(Options, EndWhereTheyStopMakingSense) {
  for (const Bytes& area : {Bytes{2}, Bytes{2, 0}, Bytes{2, 1, 5}, Bytes{2, 5, 1, 1}}) {
    EXPECT_THAT(ReadOptions(area).options, IsEmpty());
    EXPECT_EQ(ReadOptions(area).rest, area);
  }
  EXPECT_THAT(ReadIpv6Options(Bytes{5, 3, 1, 1}).options, IsEmpty());
  EXPECT_EQ(OptionRestText({2, 0}), "malformed 02 00");
  EXPECT_EQ(OptionRestText({}), "");
}

TEST(Options, HaveNoValueWithAWrongLength) {
  EXPECT_EQ(tcp_option::MssOf(tcp_option::Mss(7)), 7);
  EXPECT_FALSE(tcp_option::MssOf({tcp_option::kMss, {1}}));
  EXPECT_EQ(tcp_option::TimestampsOf(tcp_option::Timestamps(1, 2)), std::pair(1U, 2U));
  EXPECT_FALSE(tcp_option::TimestampsOf({tcp_option::kTimestamps, Bytes(7)}));
  EXPECT_THAT(tcp_option::SackBlocksOf(tcp_option::Sack({{1, 2}, {3, 4}})),
              ElementsAre(std::pair(1U, 2U), std::pair(3U, 4U)));
  EXPECT_THAT(tcp_option::SackBlocksOf({tcp_option::kSack, Bytes(9)}), IsEmpty());
  const auto decimal = [](std::uint32_t number) { return std::to_string(number); };
  EXPECT_EQ(TcpOptionText({tcp_option::kMss, {1}}, decimal), "kind 2 len 3");
  EXPECT_EQ(TcpOptionText(tcp_option::Mptcp({0x01, 0x01, 0, 0, 0, 0, 0, 0, 0, 7, 9}), decimal),
            "mptcp capable v1 flags 01 key 0000000000000007");
  EXPECT_EQ(TcpOptionText(tcp_option::Mptcp({0x20, 0x15, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 4}),
                          decimal),
            "mptcp dss fin ack 1 seq 2 subseq 3 len 4");
  EXPECT_EQ(TcpOptionText(tcp_option::Mptcp({0x20, 0x1f}), decimal), "mptcp dss fin");
  EXPECT_EQ(TcpOptionText(tcp_option::Mptcp({0x30, 0x01, 5}), decimal), "mptcp add-addr 300105");
  EXPECT_EQ(TcpOptionText(tcp_option::Mptcp({0xf0, 0}), decimal), "mptcp subtype 15 f000");
  EXPECT_EQ(TcpOptionText(tcp_option::Mptcp({1}), decimal), "kind 30 len 3");
}

}  // namespace
}  // namespace sockproof::packet
