// What is kept of a kernel, and what is no such file; and what QEMU's plugin writes.
#include "src/reach/record.h"

#include <gmock/gmock.h>

#include <cstring>

#include "harness/base/errors.h"
#include "src/vm/reached.h"

namespace sockproof::reach {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Record MadeUp() {
  Record record;
  record.kernel = "vm:debian:6.1";
  record.release = "6.1.0";
  record.tests = {"A.B/ipv4", "A.B/ipv6", "C.D/ipv4", "E.F/ipv4"};
  record.functions = {{"tcp_ack", {0, 1, 3}}, {"udp_rcv", {2}}, {"never", {}}};
  return record;
}

TEST(ReachRecord, ComesBackAsItWasWritten) {
  const Record record = FromText(ToText(MadeUp()));
  EXPECT_EQ(record.kernel, "vm:debian:6.1");
  EXPECT_EQ(record.release, "6.1.0");
  EXPECT_EQ(record.tests, MadeUp().tests);
  EXPECT_EQ(record.functions, MadeUp().functions);
}

TEST(ReachRecord, NamesTheTestsThatReachAFunction) {
  EXPECT_THAT(MadeUp().Reaching({"udp_rcv", "unheard_of"}), ElementsAre("C.D/ipv4"));
  EXPECT_THAT(MadeUp().Reaching({"tcp_ack", "udp_rcv"}),
              ElementsAre("A.B/ipv4", "A.B/ipv6", "C.D/ipv4", "E.F/ipv4"));
  EXPECT_THAT(MadeUp().Reaching({"never"}), IsEmpty());
}

TEST(ReachRecord, ANewRecordOfSomeTestsLeavesTheOthers) {
  Record record;
  record.tests = {"C.D/ipv4"};
  record.functions = {{"tcp_ack", {0}}};
  record.AddTestsOf(MadeUp());
  EXPECT_THAT(record.tests, ElementsAre("C.D/ipv4", "A.B/ipv4", "A.B/ipv6", "E.F/ipv4"));
  EXPECT_THAT(record.Reaching({"tcp_ack"}), testing::SizeIs(4));
  EXPECT_THAT(record.Reaching({"udp_rcv"}), IsEmpty());
}

TEST(ReachRecord, WhatIsNoneIsRefused) {
  const std::string good = ToText(MadeUp());
  const auto with = [&good](const std::string& what, const std::string& other) {
    std::string text = good;
    return text.replace(text.find(what), what.size(), other);
  };
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[1]"), good.substr(0, good.size() / 2),
        with("sockproof-reach-1", "else"), with("\"0-1,3\"", "\"0-4\""),
        with("\"0-1,3\"", "\"0;1\""), with("\"0-1,3\"", "\"-1\""), with("\"0-1,3\"", "7"),
        with("\"A.B/ipv4\"", "1")}) {
    EXPECT_THROW(FromText(text), HarnessError) << text;
  }
}

TEST(ReachRecord, CopiesThatCompilersMakeAreTheFunction) {
  EXPECT_EQ(SourceName("tcp_ack.constprop.0"), "tcp_ack");
  EXPECT_EQ(SourceName("tcp_ack.part.0.cold"), "tcp_ack");
  EXPECT_EQ(SourceName("tcp_ack"), "tcp_ack");
}

std::string Written(const std::vector<std::uint64_t>& numbers) {
  std::string text(numbers.size() * sizeof(std::uint64_t), '\0');
  if (!numbers.empty()) memcpy(text.data(), numbers.data(), text.size());
  return text;
}

TEST(Reached, BlocksOfEachStretch) {
  const auto stretches = ParseReached(Written({0, 2, 0x100, 4, 0x200, 8}));
  ASSERT_EQ(stretches.size(), 2U);
  EXPECT_THAT(stretches[0], IsEmpty());
  EXPECT_EQ(stretches[1].at(1).begin, 0x200U);
  EXPECT_EQ(stretches[1].at(1).size, 8U);
  EXPECT_THAT(ParseReached(""), IsEmpty());
}

TEST(Reached, WhatThePluginCannotHaveWrittenIsAnError) {
  EXPECT_THROW(ParseReached(Written({2, 0x100, 4, 0x200})), HarnessError);
  EXPECT_THROW(ParseReached(Written({~0ULL})), HarnessError);
  EXPECT_THROW(ParseReached("1234"), HarnessError);
}

}  // namespace
}  // namespace sockproof::reach
