#include "harness/net/ip.h"

#include <gmock/gmock.h>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

TEST(IpAddress, ReadsAndWritesBothVersions) {
  EXPECT_EQ(IpAddress("192.0.2.1").ToString(), "192.0.2.1");
  EXPECT_EQ(IpAddress("2001:db8:0:0::1").ToString(), "2001:db8::1");
  EXPECT_EQ(IpAddress("192.0.2.1").size(), 4U);
  EXPECT_EQ(IpAddress("::1").size(), 16U);
  EXPECT_THROW(IpAddress("192.0.2"), HarnessError);
  EXPECT_THROW(IpAddress(""), HarnessError);
}

TEST(IpAddress, IsComparedByVersionAndBytes) {
  EXPECT_EQ(IpAddress("2001:db8::1"), IpAddress("2001:db8:0::1"));
  EXPECT_NE(IpAddress("0.0.0.0"), IpAddress("::"));
}

TEST(Endpoint, IsWrittenAsInAUrl) {
  EXPECT_EQ((Endpoint{IpAddress("192.0.2.1"), 80}).ToString(), "192.0.2.1:80");
  EXPECT_EQ((Endpoint{IpAddress("2001:db8::1"), 80}).ToString(), "[2001:db8::1]:80");
}

}  // namespace
}  // namespace sockproof
