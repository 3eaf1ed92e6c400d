// The program on lwIP; skipped where its agent is not built or a private network cannot be made.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

fs::path Beside(const fs::path& program, const char* name) {
  return fs::path(program).replace_filename(name);
}

class Lwip : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(Beside(SOCKPROOF_PROGRAM, "sockproof-agent-lwip"))) {
      GTEST_SKIP() << "sockproof-agent-lwip is not built: liblwip-dev was not there";
    }
  }

  static Finished Try(Workplace& place, std::vector<std::string> tests) {
    tests.insert(tests.begin(), {"-s", "lwip"});
    return place.Run(tests);
  }
};

TEST_F(Lwip, IsTestedAndItsDeparturesAreKnown) {
  Workplace place(SOCKPROOF_PROGRAM);
  const Finished run = Try(place, {"HalfClose.DataStillFlowsToTheSideThatSentItsFin",
                                   "Handshake.AResetRefusesTheConnection"});
  if (run.exit_code == 3) GTEST_SKIP() << run.err;
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  const json result = place.Result();
  EXPECT_EQ(result.at("counts").at("pass"), 2);
  EXPECT_EQ(result.at("counts").at("known_departures"), 2);
  EXPECT_EQ(result.at("facts").at("os"), "lwIP");
  EXPECT_TRUE(place.AllGone());
}

// "lwip:2.2.1" of the last line of `sockproof stacks list`; empty when there is none.
std::string FetchedRelease(Workplace& place) {
  std::string release;
  std::istringstream lines(place.Command({"stacks", "list"}).out);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("lwip:")) release = line.substr(0, line.find(' '));
  }
  return release;
}

TEST(FetchedLwip, IsTestedBesideThatOfTheSystem) {
  Workplace place(SOCKPROOF_PROGRAM);
  const std::string release = FetchedRelease(place);
  if (release.empty()) GTEST_SKIP() << "no release of lwIP was fetched";
  const Finished run = place.Run({"-s", release, "HalfClose.DataStillFlowsToTheSideThatSentItsFin"});
  if (run.exit_code == 3) GTEST_SKIP() << run.err;
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  const json result = place.Result();
  EXPECT_EQ(result.at("counts").at("pass"), 2);
  EXPECT_EQ(result.at("facts").at("os"), "lwIP");
  EXPECT_THAT(release, testing::StartsWith("lwip:" + result.at("facts").at("release").get<std::string>().substr(0, 3)));
}

// Beside a copy of the program, an agent that ends when it is to connect to the other end of a
// wire.
class EndingLwip : public Lwip {
 protected:
  EndingLwip() {
    fs::create_directory(bin_);
    fs::copy_file(SOCKPROOF_PROGRAM, bin_ / "sockproof");
    fs::copy_file(Beside(SOCKPROOF_PROGRAM, "sockproof-agent"), bin_ / "sockproof-agent");
  }

  // Runs a test on one that ends by this command. Its result, or why there is none.
  json ResultOf(const std::string& end) {
    const fs::path agent = bin_ / "sockproof-agent-lwip";
    std::ofstream(agent) << R"(#!/bin/sh
while IFS= read -r request; do
  case $request in *'"connect"'*192.0.2.*) )"
                         << end << R"(; exit ;; esac
  printf '%s\n' "$request"
done | )" << Beside(SOCKPROOF_PROGRAM, "sockproof-agent-lwip").string()
                         << R"( "$@"
)";
    fs::permissions(agent, fs::perms::owner_all);
    Workplace place(bin_ / "sockproof");
    const Finished run = Try(place, {"Handshake.AResetRefusesTheConnection/ipv4"});
    if (run.exit_code == 3) return run.err;
    EXPECT_EQ(run.exit_code, 1) << run.out << run.err;
    return place.Result().at("tests").at(0);
  }

 private:
  Workplace home_{SOCKPROOF_PROGRAM};
  const fs::path bin_ = home_.folder() / "bin";
};

TEST_F(EndingLwip, ThatCrashesHasFailedWithItsLastWords) {
  const json test = ResultOf("echo 'Assertion \"pcb\" failed' >&2; kill -ABRT $$");
  if (test.is_string()) GTEST_SKIP() << test;
  EXPECT_EQ(test.at("verdict"), "FAIL");
  EXPECT_THAT(test.at("failures").at(0).at("text").get<std::string>(),
              HasSubstr("was killed by SIGABRT\nAssertion \"pcb\" failed"));
}

TEST_F(EndingLwip, ThatIsKilledIsAnError) {
  const json test = ResultOf("echo goodbye >&2; kill -KILL $$");
  if (test.is_string()) GTEST_SKIP() << test;
  EXPECT_EQ(test.at("verdict"), "ERROR");
  EXPECT_THAT(test.at("reason").get<std::string>(), HasSubstr("was killed by SIGKILL: goodbye"));
}

}  // namespace
}  // namespace sockproof
