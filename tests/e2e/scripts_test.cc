// packetdrill's scripts, as a user starts them.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> IdsOfResult(const Workplace& place) {
  std::vector<std::string> ids;
  const nlohmann::json result = place.Result();
  for (const nlohmann::json& test : result["tests"]) ids.push_back(test["id"]);
  return ids;
}

// The words behind "run " of the replay line of a test.
std::vector<std::string> ReplayOf(const std::string& report, const std::string& id) {
  std::istringstream lines(report);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("replay: ") == std::string::npos || line.find(id) == std::string::npos) continue;
    std::istringstream words(line.substr(line.find(" run ") + 5));
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}

// Three tests of a script that is none, below one that passes.
class ScriptsOfAUser : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(place_.folder() / "net/deep");
    std::ofstream(place_.folder() / "net/good.pkt") << "--ip_version=ipv4\n0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n";
    std::ofstream(place_.folder() / "net/deep/bad.pkt") << "0 socket(..., SOCK_STREAM] = 3\n";
  }

  // As it is told, which is whole.
  std::string Whole(const char* path) const { return (std::filesystem::canonical(place_.folder()) / path).string(); }

  Workplace place_{SOCKPROOF_PROGRAM};
};

TEST_F(ScriptsOfAUser, AreRunAgainByWhatTheReportSays) {
  const Finished run = place_.Run({"net/", "--script-option", "tolerance_usecs=9000", "--trailing", "fail"});
  EXPECT_EQ(run.exit_code, 1) << run.err;
  EXPECT_THAT(IdsOfResult(place_), testing::SizeIs(4));
  const std::vector<std::string> replay = ReplayOf(run.out, "net/deep.bad/ipv6");
  EXPECT_THAT(replay, ElementsAre(Whole("net/"), "--trailing=fail", "--script-option=tolerance_usecs=9000", "net/deep.bad/ipv6"));
  const Finished again = place_.Run(replay);
  EXPECT_EQ(again.exit_code, 1) << again.err;
  EXPECT_THAT(again.out, HasSubstr("net/deep/bad.pkt:1:26: "));
  EXPECT_THAT(IdsOfResult(place_), ElementsAre("net/deep.bad/ipv6"));
}

TEST_F(ScriptsOfAUser, AreNamedAloneOfSeveralFiles) {
  const Finished run = place_.Run({"net/good.pkt", "net/deep/bad.pkt"});
  const std::vector<std::string> replay = ReplayOf(run.out, "deep.bad/ipv6");
  EXPECT_THAT(replay, ElementsAre(Whole("net/deep/bad.pkt"), "deep.bad/ipv6"));
  EXPECT_EQ(place_.Run({"net/good.pkt", "net/deep/bad.pkt", "deep.bad/ipv6", "--dry-run"}).out, "deep.bad/ipv6\n");
}

TEST_F(ScriptsOfAUser, AreRunAgainWhereTheyFailed) {
  EXPECT_EQ(place_.Run({"net/", "--script-define", "A=5"}).exit_code, 1);
  const Finished again = place_.Run({"--rerun-failed"});
  EXPECT_EQ(again.exit_code, 1) << again.err;
  EXPECT_THAT(IdsOfResult(place_), ElementsAre("net/deep.bad/ipv4", "net/deep.bad/ipv6", "net/deep.bad/ipv4-mapped"));
  EXPECT_THAT(again.out, HasSubstr("run " + Whole("net/") + " --script-define=A=5 net/deep.bad/ipv4"));
}

TEST_F(ScriptsOfAUser, AreRunAgainFromAnotherFolder) {
  EXPECT_EQ(place_.Run({"./net"}).exit_code, 1);
  std::filesystem::create_directories(place_.folder() / "other");
  const std::filesystem::path other = place_.folder() / "other";
  const Finished again = place_.Run({"--rerun-failed", "--dry-run"}, [&] { std::filesystem::current_path(other); });
  EXPECT_EQ(again.out, "net/deep.bad/ipv4\nnet/deep.bad/ipv6\nnet/deep.bad/ipv4-mapped\n") << again.err;
}

TEST_F(ScriptsOfAUser, AreMissedWhereTheyFailedAndAreGone) {
  const std::pair<const char*, const char*> kGone[] = {
      {"net/", "--rerun-failed: net/deep.bad/ipv4 failed, and its script net/deep/bad.pkt is no longer there"},
      {"net/deep/bad.pkt", "net/deep/bad.pkt: No such file or directory"},
      {"./net/deep", "net/deep: No such file or directory"},
  };
  for (const auto& [argument, why] : kGone) {
    SetUp();
    EXPECT_EQ(place_.Run({argument}).exit_code, 1);
    const bool is_folder = std::string(argument) == "./net/deep";
    std::filesystem::remove_all(place_.folder() / (is_folder ? "net/deep" : "net/deep/bad.pkt"));
    const Finished again = place_.Run({"--rerun-failed"});
    EXPECT_EQ(again.exit_code, 2) << again.out;
    EXPECT_THAT(again.err, HasSubstr(why));
  }
}

TEST_F(ScriptsOfAUser, AreChosenByPatternsBesideTheirFolder) {
  EXPECT_EQ(place_.Run({"net/", "--dry-run", "net/deep*/ipv4"}).out, "net/deep.bad/ipv4\n");
  EXPECT_EQ(place_.Run({"net/", "net.good", "--dry-run"}).out, "net.good/ipv4\n");
}

TEST_F(ScriptsOfAUser, AreRefusedWithTheReason) {
  std::filesystem::create_directories(place_.folder() / "empty");
  std::ofstream(place_.folder() / "script.txt") << "0 close(3) = 0\n";
  const std::pair<std::vector<std::string>, const char*> kWrong[] = {
      {{"missing.pkt"}, "missing.pkt: No such file or directory"},
      {{"missing/"}, "missing: No such file or directory"},
      {{"empty/"}, "no file below empty/ ends in .pkt"},
      {{"net"}, "for the scripts of a folder: 'net/'"},
      {{"script.txt"}, "the name of a script ends in .pkt"},
      {{"net/", "--script-option", "tolerence_usecs=5"}, "--tolerence_usecs is no option of scripts"},
      {{"net/", "--script-option", "mtu=large"}, "--mtu=large is no number in range"},
      {{"net/", "net.godo"}, "no test matches 'net.godo'; did you mean 'net.good'?"},
  };
  for (const auto& [arguments, why] : kWrong) {
    const Finished run = place_.Run(arguments);
    EXPECT_EQ(run.exit_code, 2) << arguments.front();
    EXPECT_THAT(run.err, HasSubstr(why));
  }
}

}  // namespace
}  // namespace sockproof
