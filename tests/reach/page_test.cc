// The page of what tests reach.
#include "src/reach/page.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "src/run/usage_error.h"

namespace sockproof::reach {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

Record SomeRecord() {
  Record record;
  record.kernel = "vm:<tree>";
  record.release = "6.12.0";
  record.tests = {"Close.A/ipv4", "Close.B/ipv4"};
  record.functions = {{"tcp_ack", {0, 1}}, {"tcp_never", {}}, {"udp_init", {1}}};
  return record;
}

class ReachPageTest : public testing::Test {
 protected:
  ReachPageTest() : source_(fs::temp_directory_path() / ("reach-page-" + std::to_string(getpid()))) {
    fs::create_directories(source_ / "net/ipv4");
    std::ofstream(source_ / "net/ipv4/tcp.c") << "int tcp_ack(int a)\n{\n}\n\nstatic inline int tcp_small(void)\n{\n}\n"
                                                 "\nvoid tcp_never(void)\n{\n}\n";
    std::ofstream(source_ / "net/ipv4/left_out.c") << "int nobody(void)\n{\n}\n";
  }
  ~ReachPageTest() override { fs::remove_all(source_); }

  const fs::path source_;
};

TEST_F(ReachPageTest, ShowsFunctionsByFileWithTheTestsThatReachThem) {
  const std::vector<ReachedGroup> groups = GroupsByFile(SomeRecord(), source_, {"net/ipv4"});
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_EQ(groups[0].name, "net/ipv4/tcp.c");
  EXPECT_EQ(groups[0].Known(), 2U);
  EXPECT_EQ(groups[0].Reached(), 1U);
  const std::string page = ReachPage(SomeRecord(), groups);
  EXPECT_THAT(page, HasSubstr("<meter max=\"2\" value=\"1\">1 of 2</meter>"));
  EXPECT_THAT(page, HasSubstr("<td class=\"number muted\">1</td><td><code>tcp_ack</code></td><td class=\"number\">2</td>"
                              "<td class=\"muted\">Close.A/ipv4 and 1 more</td>"));
  EXPECT_THAT(page, HasSubstr("<tr class=\"none\"><td class=\"number muted\">9</td><td><code>tcp_never</code></td>"));
  EXPECT_THAT(page, HasSubstr("no symbol: in its callers"));
  EXPECT_THAT(page, HasSubstr("vm:&lt;tree&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST_F(ReachPageTest, RefusesWhatTheSourceDoesNotHave) {
  EXPECT_THROW(GroupsByFile(SomeRecord(), source_, {"net/unix"}), UsageError);
}

TEST_F(ReachPageTest, GoesByNamesWithoutSource) {
  const std::vector<ReachedGroup> groups = GroupsByName(SomeRecord(), {"tcp_", "udp_", "unix_"});
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_EQ(groups[0].name, "tcp_*");
  EXPECT_EQ(groups[0].Reached(), 1U);
  EXPECT_EQ(groups[1].Known(), 1U);
}

}  // namespace
}  // namespace sockproof::reach
