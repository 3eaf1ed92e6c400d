#include "src/compare/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "src/report/read_result.h"
#include "tests/compare/systems.h"
#include "tests/report/hostile.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> TestsOf(const Comparison& comparison) {
  std::vector<std::string> tests;
  for (const TestRow& row : comparison.tests) tests.push_back(row.test);
  return tests;
}

std::vector<Answer> AnswersOf(const TestRow& row) {
  std::vector<Answer> answers;
  for (const TestCell& cell : row.cells) answers.push_back(cell.answer);
  return answers;
}

const ClaimRow& ClaimOf(const Comparison& comparison, const std::string& id) {
  for (const ClaimRow& row : comparison.claims) {
    if (row.claim.id == id) return row;
  }
  throw std::invalid_argument(id);
}

bool Differ(const TestResult& a, const TestResult& b) {
  return Compared(System("1", {a}), System("2", {b})).tests.at(0).differs;
}

TEST(CompareSystems, PutsTheSameTestOfAllSystemsIntoOneRow) {
  const auto comparison = Compared(System("1", {Passes("A"), Fails("B")}),
                                   System("2", {DepartsAsKnown("B"), Passes("C")}));
  EXPECT_THAT(TestsOf(comparison), ElementsAre("Close.A", "Close.B", "Close.C"));
  EXPECT_THAT(AnswersOf(comparison.tests[0]), ElementsAre(Answer::kPass, Answer::kAbsent));
  EXPECT_THAT(AnswersOf(comparison.tests[1]), ElementsAre(Answer::kFail, Answer::kKnownDeparture));
  EXPECT_THAT(AnswersOf(comparison.tests[2]), ElementsAre(Answer::kAbsent, Answer::kPass));
}

TEST(CompareSystems, KeepsTheTestsOfASuiteTogether) {
  const auto open = SampleTest("Open", "Z", Verdict::kPass);
  const auto comparison =
      Compared(System("1", {Passes("A"), open}), System("2", {Passes("B"), open}));
  EXPECT_THAT(TestsOf(comparison), ElementsAre("Close.A", "Close.B", "Open.Z"));
}

TEST(CompareSystems, PutsIpVersionsThatAgreeOnEverySystemIntoOneRow) {
  const auto comparison =
      Compared(System("1", {OnIp("ipv4", Passes("A")), OnIp("ipv6", Passes("A"))}),
               System("2", {OnIp("ipv4", Fails("A")), OnIp("ipv6", Fails("A"))}));
  ASSERT_THAT(TestsOf(comparison), ElementsAre("Close.A"));
  EXPECT_THAT(comparison.tests[0].variants, ElementsAre("ipv4", "ipv6"));
  EXPECT_EQ(comparison.tests[0].cells[1].tests.size(), 2u);
}

TEST(CompareSystems, ShowsIpVersionsApartThatDisagreeOnAnySystem) {
  const auto comparison =
      Compared(System("1", {OnIp("ipv4", Passes("A")), OnIp("ipv6", Passes("A"))}),
               System("2", {OnIp("ipv4", Passes("A")), OnIp("ipv6", Fails("A"))}));
  EXPECT_THAT(TestsOf(comparison), ElementsAre("Close.A/ipv4", "Close.A/ipv6"));
  EXPECT_FALSE(comparison.tests[0].differs);
  EXPECT_TRUE(comparison.tests[1].differs);
}

TEST(CompareSystems, ShowsIpVersionsApartThatWereObservedToDiffer) {
  const auto comparison =
      Compared(System("1", {OnIp("ipv4", Observing("RTO", "1.000 s", Passes("A"))),
                            OnIp("ipv6", Observing("RTO", "3.000 s", Passes("A")))}));
  EXPECT_THAT(TestsOf(comparison), ElementsAre("Close.A/ipv4", "Close.A/ipv6"));
}

TEST(CompareSystems, ARowDiffersWhenAnswersDo) {
  EXPECT_FALSE(Differ(Passes("A"), Passes("A")));
  EXPECT_FALSE(Differ(Fails("A"), Fails("A")));
  EXPECT_TRUE(Differ(Passes("A"), Fails("A")));
  EXPECT_TRUE(Differ(DepartsAsKnown("A"), Fails("A")));
  EXPECT_TRUE(Differ(Fails("A"), Skipped("A"))) << "who knows of the other system?";
  EXPECT_FALSE(Differ(DepartsAsKnown("A"), Skipped("A")));
}

TEST(CompareSystems, NoAnswerIsNoDifference) { EXPECT_FALSE(Differ(Passes("A"), Skipped("A"))); }

TEST(CompareSystems, ARowDiffersWhenWhatWasObservedDoes) {
  const auto observed = [](const std::string& value) {
    return Observing("SYN give-up", value, Passes("A"));
  };
  EXPECT_TRUE(Differ(observed("127.013 s"), observed("131.072 s")));
  EXPECT_FALSE(Differ(observed("127.013 s"), observed("127.200 s")));
  EXPECT_FALSE(Differ(observed("127.013 s"), Passes("A")));
}

TEST(CompareSystems, ARowDiffersWhenWhatWasMeasuredDoes) {
  const auto measured = [](double seconds) {
    TestResult test = Passes("A");
    test.measurements = {{"SYN retransmission 1", "s", 1, 1, 1, 2},
                         {"TIME-WAIT", "s", seconds, seconds, 0, 200}};
    return test;
  };
  const auto comparison = Compared(System("1", {measured(60)}), System("2", {measured(120)}));
  EXPECT_THAT(ObservedNames(comparison.tests[0]), ElementsAre("TIME-WAIT"));
  EXPECT_EQ(ObservedIn(comparison.tests[0].cells[1], "TIME-WAIT"), "120.000 s");
  EXPECT_TRUE(comparison.tests[0].differs);
  EXPECT_FALSE(Differ(measured(60), measured(60.5)));
}

TEST(CompareSystems, OfOneSystemShowsWhatDeparts) {
  const auto comparison = Compared(System("1", {Passes("A"), Fails("B"), Skipped("C")}));
  EXPECT_FALSE(comparison.tests[0].differs);
  EXPECT_TRUE(comparison.tests[1].differs);
  EXPECT_FALSE(comparison.tests[2].differs);
}

TEST(CompareSystems, TellsSystemsOfTheSameNameApart) {
  auto vm = System("6.1", {Passes("A")});
  vm.run.sut = "vm:debian:6.1";
  const auto by_sut = Compared(System("6.1", {Passes("A")}), vm, System("5.10", {}));
  EXPECT_EQ(by_sut.systems[0].name, "Linux 6.1 (host)");
  EXPECT_EQ(by_sut.systems[1].name, "Linux 6.1 (vm:debian:6.1)");
  EXPECT_EQ(by_sut.systems[2].name, "Linux 5.10");

  auto second = System("6.1", {});
  second.folder = "second";
  const auto by_folder = Compared(System("6.1", {}), second);
  EXPECT_EQ(by_folder.systems[0].name, "Linux 6.1 (host) (results/6.1)");
  EXPECT_EQ(by_folder.systems[1].name, "Linux 6.1 (host) (second)");

  const auto by_number = Compared(System("6.1", {}), System("6.1", {}));
  EXPECT_NE(by_number.systems[0].name, by_number.systems[1].name);
}

TEST(CompareSystems, AClaimHoldsWhereEveryTestOfItPasses) {
  const CitedClaim must{"rfc9293:MUST-1", "MUST", "RFC 9293", "It must."};
  const auto comparison = Compared(
      System("1", {Citing({must}, Passes("A")), Citing({must}, Passes("B"))}),
      System("2", {Citing({must}, Passes("A")), Citing({must}, Fails("B"))}),
      System("3", {Citing({must}, Passes("A")), Citing({must}, DepartsAsKnown("B"))}),
      System("4", {Citing({must}, Passes("A")), Citing({must}, Skipped("B"))}), System("5", {}));
  const ClaimRow& row = ClaimOf(comparison, must.id);
  EXPECT_THAT(row.cells, ElementsAre(Answer::kPass, Answer::kFail, Answer::kKnownDeparture,
                                     Answer::kSkip, Answer::kAbsent));
  EXPECT_THAT(row.tests, ElementsAre(0u, 1u));
  EXPECT_EQ(row.authority, "rfc9293");
  EXPECT_EQ(row.axis, "standards");
  EXPECT_TRUE(row.differs);
}

TEST(CompareSystems, GroupsClaimsByAuthorityAndAxis) {
  const auto claim = [](const std::string& id) {
    return CitedClaim{id, "documented", "source", "statement"};
  };
  const auto comparison = Compared(System(
      "1", {Citing({claim("notes:C1"), claim("man:tcp(7)-x"), claim("linux:a")}, Passes("A")),
            Citing({claim("rfc9293:2"), claim("posix:b"), claim("linux:0")}, Passes("B"))}));
  std::vector<std::string> ids;
  for (const ClaimRow& row : comparison.claims) ids.push_back(row.axis + " " + row.claim.id);
  EXPECT_THAT(ids,
              ElementsAre("standards posix:b", "standards rfc9293:2", "documentation linux:0",
                          "documentation linux:a", "documentation man:tcp(7)-x", "notes notes:C1"));
}

TEST(SameValue, ToleratesThatTimesAreMeasured) {
  EXPECT_TRUE(SameValue("60.012 s", "60.900 s"));
  EXPECT_FALSE(SameValue("60.012 s", "120.012 s"));
  EXPECT_TRUE(SameValue("800 us", "5 ms"));
  EXPECT_FALSE(SameValue("200 ms", "40 ms"));
  EXPECT_TRUE(SameValue("1.01 s, 2.01 s", "1.000 s, 2.000 s"));
  EXPECT_FALSE(SameValue("1.01 s, 2.01 s", "1.01 s"));
}

TEST(SameValue, OfOtherValuesIsEquality) {
  EXPECT_TRUE(SameValue("ECONNRESET", "ECONNRESET"));
  EXPECT_FALSE(SameValue("9 probes", "10 probes"));
  EXPECT_FALSE(SameValue("128", "129"));
  EXPECT_TRUE(SameValue("", ""));
}

TEST(ReadSystems, ReadsAFolderOfSeveralSystemsInOrderOfTheirVersions) {
  const TemporaryFolder folder;
  for (const char* name : {"vm-6.12", "vm-5.10", "vm-6.6", "not-a-result"}) {
    std::filesystem::create_directories(folder / "out/" + name);
    RunResult run = SampleRun();
    run.sut = name;
    if (name != std::string("not-a-result")) {
      ReplaceFile(folder / "out/" + name + "/result.json", DumpJson(ToJson(run)));
    }
  }
  const std::vector<ComparedSystem> systems = ReadSystems(folder / "out");
  ASSERT_EQ(systems.size(), 3u);
  EXPECT_EQ(systems[0].folder, folder / "out/vm-5.10");
  EXPECT_EQ(systems[1].run.sut, "vm-6.6");
  EXPECT_EQ(systems[2].run.sut, "vm-6.12");
  EXPECT_EQ(ReadSystems(folder / "out/vm-6.6/result.json").at(0).folder, folder / "out/vm-6.6");
}

TEST(ReadSystems, RefusesWhatIsNoResult) {
  const TemporaryFolder folder;
  EXPECT_THROW(ReadSystems(folder / "nothing"), WrongInput);
  std::filesystem::create_directories(folder / "empty");
  EXPECT_THROW(ReadSystems(folder / "empty"), WrongInput);
  std::ofstream(folder / "result.json") << R"({"format": "sockproof-result", "version": 2})";
  EXPECT_THROW(ReadSystems(folder / "result.json"), WrongInput);
}

TEST(ToJson, SaysWhatTheComparisonDoes) {
  const auto json = ToJson(Compared(System("1", {Observing("RTO", "1.000 s", Passes("A"))}),
                                    System("2", {Observing("RTO", "3.000 s", DepartsAsKnown("A"))}),
                                    System("3", {})));
  EXPECT_EQ(json["format"], "sockproof-comparison");
  EXPECT_EQ(json["systems"][1]["name"], "Linux 2");
  EXPECT_EQ(json["systems"][1]["counts"]["known_departures"], 1);
  const auto& row = json["tests"][0];
  EXPECT_EQ(row["test"], "Close.A");
  EXPECT_EQ(row["differs"], true);
  EXPECT_EQ(row["cells"][0]["answer"], "PASS");
  EXPECT_EQ(row["cells"][1]["answer"], "known departure");
  EXPECT_EQ(row["cells"][1]["observed"][0]["value"], "3.000 s");
  EXPECT_THAT(row["cells"][1]["why"].get<std::string>(), HasSubstr("forgets the FIN"));
  EXPECT_TRUE(row["cells"][2].is_null());
  EXPECT_EQ(json["claims"][0]["axis"], "standards");
  EXPECT_EQ(json["claims"][0]["cells"][1]["answer"], "known departure");
  EXPECT_TRUE(json["claims"][0]["cells"][2].is_null());
}

TEST(ToJson, IsJsonWhateverASystemCallsItself) {
  std::vector<ComparedSystem> systems;
  systems.push_back({"", HostileText(), HostileRun()});
  systems.push_back({"", "other", HostileRun()});
  const std::string text = DumpJson(ToJson(CompareSystems(std::move(systems))));
  EXPECT_EQ(nlohmann::json::parse(text)["systems"].size(), 2u);
}

}  // namespace
}  // namespace sockproof
