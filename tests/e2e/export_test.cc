// sockproof export, as a user starts it: what it writes can be run.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The machine may be too slow to judge.
std::string VerdictsOfScripts(Workplace& place) {
  std::string verdicts;
  for (int attempt = 0; attempt < 5; ++attempt) {
    place.Run({"scripts/"});
    const nlohmann::json result = place.Result();
    verdicts.clear();
    for (const nlohmann::json& test : result["tests"]) {
      verdicts += test["id"].get<std::string>() + " " + test["verdict"].get<std::string>() + "\n";
    }
    const bool is_known = verdicts.find("INCONCLUSIVE") == std::string::npos &&
                          verdicts.find("FAIL") == std::string::npos;
    if (is_known) break;
  }
  return verdicts;
}

TEST(ExportProgram, WritesScriptsThatPass) {
  Workplace place(SOCKPROOF_PROGRAM);
  const std::vector<std::pair<std::string, std::string>> tests = {
      {"data", "Header.TheSequenceNumberIsThatOfTheFirstByteCarried/ipv4"},
      {"again", "Addresses.AllSegmentsOfAnAcceptedConnectionHaveThatOfItsSyn/ipv4"},
      {"close", "HalfClose.QueuedDataGoesOutBeforeTheFin/ipv6"}};
  std::vector<std::string> ids;
  for (const auto& [name, id] : tests) ids.push_back(id);
  ASSERT_EQ(place.Run(ids).exit_code, 0);
  for (const auto& [name, id] : tests) {
    const Finished exported =
        place.Command({"export", id, "--of", "out", "--pkt", "scripts/" + name + ".pkt"});
    EXPECT_EQ(exported.exit_code, 0) << exported.err;
  }
  const std::string data = place.ReadFile("scripts/data.pkt");
  EXPECT_THAT(data, StartsWith("// " + tests[0].second + " on host"));
  EXPECT_THAT(data, HasSubstr("RFC 9293"));
  EXPECT_EQ(VerdictsOfScripts(place),
            "scripts.again/ipv4 PASS\nscripts.close/ipv6 PASS\nscripts.data/ipv4 PASS\n");
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
