// A configuration file says what a command line can say, for any command.
#include "src/cli/configuration.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "src/run/usage_error.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

// A command with an option of every kind.
class ConfigurationTest : public testing::Test {
 protected:
  ConfigurationTest() {
    command_.add_option("PATTERN", patterns_);
    command_.add_option("--jobs", jobs_)->check(CLI::Range(1, 64));
    command_.add_option("--max-wait", wait_);
    command_.add_option("-c,--color", color_)->check(CLI::IsMember({"auto", "never"}));
    command_.add_option("--tag", tags_)->allow_extra_args(false);
    command_.add_flag("-v,--verbose", verbose_);
    command_.add_option("--config", config_)->configurable(false);
  }

  void Apply(const std::string& text, std::vector<std::string> arguments = {}) {
    std::ofstream(folder_ / "a.toml") << text;
    std::reverse(arguments.begin(), arguments.end());
    command_.parse(arguments);
    ApplyConfiguration(command_, folder_ / "a.toml");
  }

  TemporaryFolder folder_;
  CLI::App command_;
  std::vector<std::string> patterns_;
  std::vector<std::string> tags_;
  int jobs_ = 7;
  double wait_ = 0;
  bool verbose_ = false;
  std::string color_ = "auto";
  std::string config_;
};

TEST_F(ConfigurationTest, SetsOptionsOfEveryKind) {
  Apply(R"(
pattern = ["A", "B # not a comment"]
tag = 'one, not two'
jobs = 3
max-wait = 2.5
verbose = true
color = "never"
)");
  EXPECT_THAT(patterns_, ElementsAre("A", "B # not a comment"));
  EXPECT_THAT(tags_, ElementsAre("one, not two"));
  EXPECT_EQ(jobs_, 3);
  EXPECT_EQ(wait_, 2.5);
  EXPECT_TRUE(verbose_);
  EXPECT_EQ(color_, "never");
}

TEST_F(ConfigurationTest, WhatItLeavesOutStaysAsItIs) {
  Apply("verbose = false\ntag = []\n");
  EXPECT_FALSE(verbose_);
  EXPECT_EQ(jobs_, 7);
  EXPECT_THAT(tags_, IsEmpty());
}

TEST_F(ConfigurationTest, TheCommandLineWins) {
  Apply("pattern = ['A']\njobs = 3\ntag = ['a', 'b']\nverbose = true",
        {"--jobs", "5", "--tag", "c", "--tag", "d", "B"});
  EXPECT_THAT(patterns_, ElementsAre("B"));
  EXPECT_THAT(tags_, ElementsAre("c", "d"));
  EXPECT_EQ(jobs_, 5);
  EXPECT_TRUE(verbose_);
}

TEST_F(ConfigurationTest, GarbageIsRefusedWithFileAndLine) {
  for (const auto& [text, complaint] : std::vector<std::pair<std::string, std::string>>{
           {"\njbos = 1", "a.toml:2: unknown key 'jbos'; there are color, jobs, max-wait, "},
           {"config = 'b.toml'", "a.toml:1: unknown key 'config'"},
           {"help = true", "a.toml:1: unknown key 'help'"},
           {"[run]\njobs = 1", "a.toml:1: unknown key 'run'"},
           {"jobs = 0", "a.toml:1: jobs: "},
           {"jobs = 'many'", "a.toml:1: jobs: "},
           {"jobs = [1, 2]", "a.toml:1: jobs has one value only"},
           {"jobs = true", "a.toml:1: jobs has a value that is neither text nor a number"},
           {"color = 'pink'", "a.toml:1: color: "},
           {"verbose = 1", "a.toml:1: verbose is neither true nor false"},
           {"pattern = ['a', {}]", "a.toml:1: pattern has a value that is neither"},
           {"jobs = ", "a.toml:1: "},
           {"jobs = 1\njobs = 2", "a.toml:2: "},
           {"\xff", "a.toml:1: "}}) {
    command_.clear();
    const auto apply = [&text = text, this] { Apply(text); };
    EXPECT_THAT(apply, ThrowsMessage<UsageError>(HasSubstr(complaint))) << text;
  }
}

TEST_F(ConfigurationTest, AFileThatCannotBeReadIsNamed) {
  EXPECT_THAT([this] { ApplyConfiguration(command_, folder_ / "none.toml"); },
              ThrowsMessage<UsageError>(
                  AllOf(HasSubstr("none.toml"), HasSubstr("No such file or directory"))));
}

}  // namespace
}  // namespace sockproof
