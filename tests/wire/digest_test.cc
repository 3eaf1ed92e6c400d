#include "harness/wire/digest.h"

#include <gmock/gmock.h>

namespace sockproof {
namespace {

Segment Signable(const char* source, const char* destination) {
  Segment segment;
  segment.source = {IpAddress(source), 4321};
  segment.destination = {IpAddress(destination), 179};
  segment.seq = 1;
  segment.flags = kAck;
  segment.payload = {'o', 'd', 'd'};
  return segment;
}

TEST(Digest, OfThreeLettersIsThatOfTheStandard) {  // FIPS 180-4, example of "abc"
  const Bytes digest = Sha256(Bytes{'a', 'b', 'c'});
  ASSERT_EQ(digest.size(), 32U);
  EXPECT_EQ(packet::Read32(digest, 0), 0xba7816bfU);
  EXPECT_EQ(packet::Read32(digest, 28), 0xf20015adU);
}

// Section 2.0 of RFC 2385, octet by octet.
TEST(Digest, ASignatureIsOverWhatTheRfcLists) {
  for (const auto& [source, destination] :
       {std::pair("192.0.2.1", "192.0.2.2"), std::pair("2001:db8::1", "2001:db8::2")}) {
    Segment segment = Signable(source, destination);
    Sign(segment, "key");
    const Segment seen =
        ParseSegment(BuildFrame(segment, MacAddress{}, MacAddress{}), Time()).value();
    EXPECT_TRUE(IsSigned(seen, "key"));
    EXPECT_FALSE(IsSigned(seen, "another"));
    Segment altered = seen;
    altered.payload[0] ^= 1;
    EXPECT_FALSE(IsSigned(altered, "key"));
    altered = seen;
    ++altered.window;
    EXPECT_FALSE(IsSigned(altered, "key"));
    altered = seen;
    altered.options.push_back(tcp_option::Nop());
    altered.option_area.resize(altered.option_area.size() + 4, tcp_option::kNop);
    EXPECT_FALSE(IsSigned(altered, "key")) << "the data offset and the length count";
  }
}

TEST(Digest, ASegmentIsSignedAnew) {
  Segment segment = Signable("192.0.2.1", "192.0.2.2");
  Sign(segment, "key");
  Sign(segment, "another");
  EXPECT_TRUE(IsSigned(segment, "another"));
  EXPECT_EQ(segment.options.size(), 3U);  // two NOPs before it
}

// Sections 5.1 and 5.2 of RFC 5925.
TEST(Digest, AMacIsOfTheConnection) {
  for (const auto algorithm :
       {MasterKey::Algorithm::kHmacSha1, MasterKey::Algorithm::kAes128Cmac}) {
    const MasterKey key{1, 2, "16 octets of key", algorithm};
    Segment segment = Signable("2001:db8::1", "2001:db8::2");
    Authenticate(segment, key, 10, 20);
    const Segment seen =
        ParseSegment(BuildFrame(segment, MacAddress{}, MacAddress{}), Time()).value();
    EXPECT_EQ(seen.FindOption(tcp_option::kAo)->data.size(), 14U);
    EXPECT_TRUE(IsAuthentic(seen, key, 10, 20));
    EXPECT_FALSE(IsAuthentic(seen, key, 10, 21));
    EXPECT_FALSE(IsAuthentic(seen, key, 20, 10));
    Segment syn = Signable("192.0.2.1", "192.0.2.2");
    syn.flags = kSyn;
    Authenticate(syn, key, 10, 20);
    EXPECT_TRUE(IsAuthentic(syn, key, 10, 0)) << "the other end has no number yet";
  }
}

}  // namespace
}  // namespace sockproof
