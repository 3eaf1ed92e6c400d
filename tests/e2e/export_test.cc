// sockproof export, as a user starts it: what it writes can be run.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Runs the scripts in `scripts`; a line for each, with its verdict.
std::string VerdictsOfScripts(Workplace& place) {
  place.Run({"scripts/"});
  std::string verdicts;
  const nlohmann::json result = place.Result();
  for (const nlohmann::json& test : result["tests"]) {
    verdicts += test["id"].get<std::string>() + " " + test["verdict"].get<std::string>() + "\n";
  }
  return verdicts;
}

// The machine may be too slow to judge, or to record what comes at once.
constexpr int kAttempts = 6;

TEST(ExportProgram, WritesScriptsThatPass) {
  Workplace place(SOCKPROOF_PROGRAM);
  const std::vector<std::pair<std::string, std::string>> tests = {
      {"data", "Header.TheSequenceNumberIsThatOfTheFirstByteCarried/ipv4"},
      {"again", "Addresses.AllSegmentsOfAnAcceptedConnectionHaveThatOfItsSyn/ipv4"},
      {"close", "HalfClose.QueuedDataGoesOutBeforeTheFin/ipv6"}};
  const std::string expected =
      "scripts.again/ipv4 PASS\nscripts.close/ipv6 PASS\nscripts.data/ipv4 PASS\n";
  std::string verdicts;
  for (int attempt = 0; attempt < kAttempts && verdicts != expected; ++attempt) {
    place.Run({tests[0].second, tests[1].second, tests[2].second});
    for (const auto& [name, id] : tests) {
      const Finished exported =
          place.Command({"export", id, "--of", "out", "--pkt", "scripts/" + name + ".pkt"});
      EXPECT_EQ(exported.exit_code, 0) << exported.err;
    }
    verdicts = VerdictsOfScripts(place);
  }
  EXPECT_EQ(verdicts, expected);
  const std::string data = place.ReadFile("scripts/data.pkt");
  EXPECT_THAT(data, StartsWith("// " + tests[0].second + " on host"));
  EXPECT_THAT(data, HasSubstr("RFC 9293"));
}

TEST(ExportProgram, WritesWhatIsReplayed) {
  Workplace place(SOCKPROOF_PROGRAM);
  std::ofstream(place.folder() / "1.seq") << "sockproof sequence 1\nover ipv4\nconnect()\nSYN,ACK seq=ISS\nACK len=4\n";
  const std::string expected = "scripts.1/ipv4 PASS\n";
  std::string verdicts;
  for (int attempt = 0; attempt < kAttempts && verdicts != expected; ++attempt) {
    const Finished replayed = place.Command({"explore", "--replay", "1.seq", "--pkt", "scripts/1.pkt"});
    EXPECT_LE(replayed.exit_code, 1) << replayed.out << replayed.err;
    verdicts = VerdictsOfScripts(place);
  }
  EXPECT_EQ(verdicts, expected);
  EXPECT_THAT(place.ReadFile("scripts/1.pkt"), HasSubstr("< . 1:5(4) ack 1 win"));
  EXPECT_EQ(place.Command({"explore", "--pkt", "x.pkt"}).exit_code, 2);
  const Finished shown = place.Command({"explore", "--replay", "1.seq", "--pkt", "-"});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("< . 1:5(4) ack 1 win"), Not(HasSubstr("allowed by RFC 9293"))));
  EXPECT_EQ(place.Command({"explore", "--replay", "1.seq", "--pkt", "/dev/null"}).exit_code, 2);
}

TEST(ExportProgram, SaysWhyATestIsNoScript) {
  Workplace place(SOCKPROOF_PROGRAM);
  const std::string id = "Handshake.ASynToAClosedPortIsReset/ipv4";
  ASSERT_EQ(place.Run({id}).exit_code, 0);
  const Finished exported = place.Command({"export", id, "--of", "out", "--pkt", "-"});
  EXPECT_EQ(exported.exit_code, 3);
  EXPECT_THAT(exported.err, HasSubstr("cannot be written as a script of packetdrill: "));
  EXPECT_EQ(exported.out, "");
  EXPECT_EQ(place.Command({"export", "Nothing.LikeThat", "--of", "out", "--pkt", "-"}).exit_code, 2);
}

}  // namespace
}  // namespace sockproof
