// sockproof judge, as a user starts it.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

TEST(JudgeProgram, AcceptsWhatPassingTestsLeave) {
  Workplace place(SOCKPROOF_PROGRAM);
  ASSERT_EQ(place
                .Run({"HalfClose", "Close", "Handshake", "Resets", "TimeWaitReopen", "Window",
                      "--max-wait", "2"})
                .exit_code,
            0);
  const nlohmann::json result = place.Result();
  std::vector<std::string> words = {"judge", "--json", "judgement.json"};
  for (const nlohmann::json& test : result["tests"]) {
    if (test["verdict"] == "PASS") {
      words.push_back("out/" + test["directory"].get<std::string>());
    }
  }
  ASSERT_GT(words.size(), 100U);
  const Finished judged = place.Command(words);
  EXPECT_EQ(judged.exit_code, 0) << judged.out << judged.err;
  EXPECT_THAT(judged.out, HasSubstr(" 0 depart, "));
  const nlohmann::json judgement = nlohmann::json::parse(place.ReadFile("judgement.json"));
  EXPECT_EQ(judgement["captures"].size(), words.size() - 3);
}

TEST(JudgeProgram, JudgesACaptureWithOrWithoutItsCalls) {
  Workplace place(SOCKPROOF_PROGRAM);
  ASSERT_EQ(place.Run({"HalfClose.TheEndOfFileComesAfterTheLastByte/ipv4"}).exit_code, 0);
  const std::string folder = "out/" + place.Result()["tests"][0]["directory"].get<std::string>();
  const std::string capture = folder + "/capture.pcapng";
  const std::vector<std::string> its_calls = {"judge", capture, "--calls", folder + "/events.jsonl"};
  for (const auto& words : {its_calls, {"judge", capture}}) {
    const Finished with = place.Command(words);
    EXPECT_EQ(with.exit_code, 0) << with.err;
    EXPECT_THAT(with.out, AllOf(HasSubstr("calls known"), HasSubstr("1 end of connections: 1 allo")));
  }
  const Finished without = place.Command({"judge", capture, "--no-calls"});
  EXPECT_EQ(without.exit_code, 0) << without.out;
  EXPECT_THAT(without.out, AllOf(Not(HasSubstr("calls known")), HasSubstr("judged: the systems")));
  // Away from its events the interfaces tell whose scripted peer it is.
  std::filesystem::copy(place.folder() / capture, place.folder() / "alone.pcapng");
  const Finished alone = place.Command({"judge", "alone.pcapng"});
  EXPECT_EQ(alone.exit_code, 0) << alone.out;
  EXPECT_THAT(alone.out, HasSubstr("1 end of connections: 1 allowed, 0 depart, 0 undecided"));
}

TEST(JudgeProgram, RefusesWhatIsNoCapture) {
  Workplace place(SOCKPROOF_PROGRAM);
  std::ofstream(place.folder() / "text") << std::string(100, 'x');
  const Finished text = place.Command({"judge", "text"});
  EXPECT_EQ(text.exit_code, 2);
  EXPECT_THAT(text.err, MatchesRegex("sockproof: text: neither pcap nor pcapng\n"));
  EXPECT_EQ(place.Command({"judge", "nothing.pcap"}).exit_code, 2);
}

TEST(JudgeProgram, SaysWhenThereIsNothingToJudge) {
  Workplace place(SOCKPROOF_PROGRAM);
  // The header of a pcap file alone: magic, version 2.4, snapshot length, Ethernet.
  std::ofstream(place.folder() / "empty.pcap", std::ios::binary) << std::string(
      "\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00"
      "\x00\x00\x04\x00\x01\x00\x00\x00",
      24);
  EXPECT_EQ(place.Command({"judge", "empty.pcap"}).exit_code, 3);
}

}  // namespace
}  // namespace sockproof
