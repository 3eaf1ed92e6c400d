#include "harness/packet/checksum.h"

#include <gmock/gmock.h>

namespace sockproof::packet {
namespace {

// The example of RFC 1071 section 3: the sum is ddf2.
const Bytes kExample = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

TEST(Checksum, IsThatOfTheExampleInRfc1071) {
  EXPECT_EQ(OnesComplementSum().Add(kExample).Checksum(), static_cast<std::uint16_t>(~0xddf2));
}

TEST(Checksum, IsRightWhenItIsSummedToo) {
  OnesComplementSum sum;
  sum.Add(kExample).Add(std::uint32_t{OnesComplementSum().Add(kExample).Checksum()});
  EXPECT_TRUE(sum.IsRight());
  EXPECT_FALSE(sum.Add(std::uint32_t{1}).IsRight());
}

// RFC 1071 section 1: "If the total length is odd, ... padded with one octet of zeros".
TEST(Checksum, PadsAnOddOctetWithZero) {
  EXPECT_EQ(OnesComplementSum().Add(Bytes{0x12, 0x34, 0x56}).Checksum(),
            OnesComplementSum().Add(Bytes{0x12, 0x34, 0x56, 0}).Checksum());
}

// RFC 1071 section 2 (A): the sum is commutative and associative.
TEST(Checksum, DoesNotCareForOrder) {
  OnesComplementSum parts;
  parts.Add(View(kExample).last(4)).Add(Read32(kExample, 0));
  EXPECT_EQ(parts.Checksum(), OnesComplementSum().Add(kExample).Checksum());
}

TEST(Checksum, FoldsEveryCarry) {
  EXPECT_EQ(OnesComplementSum().Add(Bytes(200'000, 0xff)).Checksum(), 0);
  EXPECT_EQ(OnesComplementSum().Add(Bytes(200'000, 0)).Checksum(), 0xffff);
}

}  // namespace
}  // namespace sockproof::packet
