// Options of Multipath TCP as they are told.
#include "src/packetdrill/mptcp_option.h"

#include <gtest/gtest.h>

namespace sockproof::packetdrill {
namespace {

// RFC 8684, section 3.3: flags, Data ACK, data sequence number, subflow sequence number, length, checksum.
TEST(PacketdrillMptcpOption, CountsDataFromTheInitialNumbers) {
  const Bytes dss{0x20, 0x17, 0, 0, 0, 0, 0, 0, 1, 5, 0, 0, 0, 3, 0, 0, 0, 9, 0, 100, 0xab, 0xcd};
  EXPECT_EQ(WrittenWithDataNumbers(dss, 0xfffffffffffffffe, 0x100), "dss dack8=5 dsn4=5 ssn=9 dll=100 cksum=43981 fin");
  const Bytes only_ack{0x20, 0x01, 0, 0, 1, 5};
  EXPECT_EQ(WrittenWithDataNumbers(only_ack, 0, 0x700000104), "dss dack4=1 nocs");
  const Bytes fail{0x60, 0, 0, 0, 0, 0, 0, 0, 1, 5};
  EXPECT_EQ(WrittenWithDataNumbers(fail, 0x100, 0), "mp_fail dsn8=5");
}

TEST(PacketdrillMptcpOption, LeavesOthersToOthers) {
  EXPECT_EQ(WrittenWithDataNumbers({0x20, 0x01, 0, 0}, 0, 0), std::nullopt);
  EXPECT_EQ(WrittenWithDataNumbers({0x50, 0x01}, 0, 0), std::nullopt);
  EXPECT_EQ(WrittenWithDataNumbers({}, 0, 0), std::nullopt);
}

}  // namespace
}  // namespace sockproof::packetdrill
