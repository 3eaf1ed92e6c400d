#include "harness/claims/missing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/errors.h"

namespace sockproof {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

Facts LinuxFacts(const std::string& release) {
  Facts facts;
  facts.Set("os", "Linux");
  facts.Set("release", release);
  return facts;
}

TEST(Missing, ASysctlThatIsYoungerThanTheKernelIsSaidToBe) {
  EXPECT_EQ(WhyNoSysctl("net.ipv4.tcp_rto_max_ms", LinuxFacts("6.1.0-50-amd64")),
            "the system under test has no sysctl net.ipv4.tcp_rto_max_ms; Linux documents it since "
            "6.15, this is 6.1.0-50-amd64");
}

TEST(Missing, AValueThatIsYoungerThanTheKernelIsSaidToBe) {
  EXPECT_EQ(WhyNoSysctlValue("net.ipv4.tcp_ecn", "3", "EINVAL", LinuxFacts("6.1.0")),
            "sysctl net.ipv4.tcp_ecn cannot be set to 3: EINVAL; Linux documents that value in 7.2, this is 6.1.0");
  EXPECT_EQ(WhyNoSysctlValue("net.ipv4.tcp_ecn", "2", "EPERM", LinuxFacts("6.1.0")),
            "sysctl net.ipv4.tcp_ecn cannot be set to 2: EPERM");
}

TEST(Missing, ASysctlOfAnOptionNamesTheOption) {
  EXPECT_THAT(WhyNoSysctl("net.ipv4.tcp_syncookies", LinuxFacts("6.1.0")),
              HasSubstr("CONFIG_SYN_COOKIES"));
}

TEST(Missing, ASysctlOfTheWholeMachineNamesTheReleaseThatHasItInNamespaces) {
  EXPECT_THAT(WhyNoSysctl("net.core.optmem_max", LinuxFacts("6.1.0")),
              HasSubstr("in each network namespace since 6.8, this is 6.1.0"));
}

TEST(Missing, OfOtherSystemsNothingIsSaidThatIsTrueOfLinux) {
  Facts facts;
  facts.Set("os", "gVisor");
  EXPECT_THAT(WhyNoSysctl("net.ipv4.tcp_syncookies", facts), EndsWith("net.ipv4.tcp_syncookies"));
  EXPECT_THAT(WhyNoCapability("diag", facts), EndsWith("capability diag"));
}

TEST(Missing, ACapabilityNamesTheOption) {
  EXPECT_THAT(WhyNoCapability("diag", LinuxFacts("6.1.0")), HasSubstr("CONFIG_INET_DIAG"));
  EXPECT_THAT(WhyNoCapability("virtual-time", LinuxFacts("6.1.0")), HasSubstr("--sut vm:"));
  EXPECT_THAT(WhyNoCapability("own-machine", LinuxFacts("6.1.0")), HasSubstr("--sut vm:"));
}

TEST(Missing, AFactThatIsNotThereIsASkipThatSaysWhy) {
  try {
    LinuxFacts("5.10.0").Sysctl("net.ipv4.tcp_migrate_req");
    FAIL();
  } catch (const Skip& skip) {
    EXPECT_THAT(skip.what(), HasSubstr("since 5.14"));
  }
}

}  // namespace
}  // namespace sockproof
