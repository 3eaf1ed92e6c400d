// Runs of the real suites in which something is killed at a random moment: nothing is left behind,
// and every report is well-formed and truthful. A few kills by default; SOCKPROOF_KILLS=300 makes a
// storm, SOCKPROOF_SEED repeats one.
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include <array>
#include <filesystem>
#include <map>
#include <pugixml.hpp>
#include <random>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

int FromEnvironment(const char* name, int otherwise) {
  const char* value = getenv(name);
  return value != nullptr ? atoi(value) : otherwise;
}

constexpr std::array kSuites{"AcceptQueue", "Close",    "Handshake",  "HalfClose", "Listener",
                             "LossInClose", "Shutdown", "SynCookies", "TimeWait"};

class KillStorm : public testing::Test {
 protected:
  KillStorm() : seed_(FromEnvironment("SOCKPROOF_SEED", static_cast<int>(std::random_device()() & 0xffff))) {
    random_.seed(static_cast<unsigned>(seed_));
  }

  int Random(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  // The moment of a kill is the stimulus here, not something that is waited for.
  void LetPass(int most_milliseconds) {
    const int milliseconds = Random(most_milliseconds);
    const timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
    nanosleep(&time, nullptr);
  }

  // A few suites a time: a kill then hits set-ups, tests and reports alike.
  pid_t StartRun(Workplace& place) {
    std::vector<std::string> arguments{"--max-wait", "2", "--junit",
                                       (place.folder() / "junit.xml").string()};
    for (int i = 0; i < 3; ++i) {
      arguments.emplace_back(
          kSuites[static_cast<std::size_t>(Random(static_cast<int>(kSuites.size())))]);
    }
    return place.Start(arguments);
  }

  void KillOneOf(const std::vector<pid_t>& processes, pid_t but_not) {
    if (processes.empty()) return;
    const pid_t victim =
        processes[static_cast<std::size_t>(Random(static_cast<int>(processes.size())))];
    if (victim != but_not) kill(victim, SIGKILL);
  }

  // Well-formed, complete, and no verdict that the test did not give. Before the first report
  // there is nothing to check.
  void CheckReports(const Workplace& place) {
    if (!fs::exists(place.results() / "result.json")) return;
    const json result = place.Result();
    std::map<std::string, int> verdicts;
    for (const json& test : result.at("tests")) {
      const std::string verdict = test.at("verdict");
      ++verdicts[verdict];
      const fs::path kept =
          fs::path("out") / test.at("directory").get<std::string>() / "verdict.json";
      if (verdict == "NOT-RUN" || !fs::exists(place.folder() / kept)) continue;
      EXPECT_EQ(json::parse(place.ReadFile(kept)).at("verdict"), verdict) << test.at("id");
    }
    const json& counts = result.at("counts");
    EXPECT_EQ(counts.at("tests"), result.at("tests").size());
    EXPECT_EQ(counts.at("pass"), verdicts["PASS"]);
    EXPECT_EQ(counts.at("error"), verdicts["ERROR"]);
    EXPECT_EQ(counts.at("not_run"), verdicts["NOT-RUN"]);
    // What was killed may be an ERROR; it never makes a FAIL that is not a known departure.
    for (const json& test : result.at("tests")) {
      if (test.at("verdict") != "FAIL") continue;
      EXPECT_NE(test.at("departure"), "") << test.dump(1);
    }

    if (!fs::exists(place.folder() / "junit.xml")) return;
    pugi::xml_document junit;
    ASSERT_TRUE(junit.load_string(place.ReadFile("junit.xml").c_str()));
    const pugi::xml_node suites = junit.child("testsuites");
    EXPECT_EQ(suites.attribute("tests").as_uint(),
              suites.select_nodes("testsuite/testcase").size());
    EXPECT_EQ(suites.attribute("errors").as_uint(),
              suites.select_nodes("testsuite/testcase/error").size());
  }

  const int kills_ = FromEnvironment("SOCKPROOF_KILLS", 9);
  const int seed_;
  std::mt19937 random_;
};

TEST_F(KillStorm, LeavesNothingButTruthfulReports) {
  RecordProperty("seed", seed_);
  for (int done = 0; done < kills_ && !HasFailure(); ++done) {
    SCOPED_TRACE("SOCKPROOF_SEED=" + std::to_string(seed_) + ", kill " + std::to_string(done));
    Workplace place(SOCKPROOF_PROGRAM);
    const pid_t runner = StartRun(place);
    LetPass(1500);
    switch (done % 3) {
      case 0:
        kill(runner, Random(3) == 0 ? SIGTERM : SIGKILL);
        break;
      case 1:
        KillOneOf(place.Processes("--out"), runner);
        break;
      default:
        KillOneOf(place.Processes((place.folder() / "agent").string()), -1);
        break;
    }
    place.Wait(runner);
    EXPECT_TRUE(place.AllGone());
    CheckReports(place);
  }
}

}  // namespace
}  // namespace sockproof
