#include "src/compare/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/trace/event_log.h"
#include "src/compare/evidence.h"
#include "tests/compare/systems.h"
#include "tests/report/hostile.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string Render(const Comparison& comparison) { return RenderPage(comparison, {"page.html"}); }

TEST(RenderPage, ShowsTheCellsInWhichSystemsDifferOrDisagree) {
  TestResult one = Passes("Rule");
  one.axes = {"<first>", "second"};
  one.cells = {{{"a", "x"}, "0", ""}, {{"a", "y"}, "<0>", ""}};
  TestResult other = one;
  other.cells = {{{"a", "x"}, "0", ""}, {{"a", "y"}, "EPERM", "succeeds"}};
  const std::string page = Render(CompareSystems({System("6.1", {one}), System("6.12", {other})}));
  EXPECT_THAT(page, HasSubstr("2 cells. Linux 6.1: 0 disagree with the rule. Linux 6.12: 1 "));
  EXPECT_THAT(page, HasSubstr("<th scope=\"col\">&lt;first&gt;</th>"));
  EXPECT_THAT(page, HasSubstr("<tr><td>a</td><td>y</td>"));
  EXPECT_THAT(page, HasSubstr("EPERM, and not: succeeds</td></tr>"));
  EXPECT_THAT(page, Not(HasSubstr("<td>a</td><td>x</td>")));
}

std::size_t HowOften(const std::string& what, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST(SystemsAlike, PutsThoseTogetherThatDepartInTheSameWay) {
  const auto took = [](const std::string& time) {
    TestResult test = Fails("A");
    test.failures[0].text = "Expected: 60 s\n  Actual: " + time + " from port 40123";
    return test;
  };
  const auto comparison = Compared(System("1", {Passes("A")}), System("2", {took("1.023 s")}),
                                   System("3", {took("1.043 s")}), System("4", {took("nothing")}),
                                   System("5", {Passes("A")}), System("6", {}));
  std::vector<std::vector<std::size_t>> groups;
  for (const Alike& alike : SystemsAlike(comparison.tests[0])) groups.push_back(alike.systems);
  EXPECT_THAT(groups,
              ElementsAre(ElementsAre(1, 2), ElementsAre(3), ElementsAre(0, 4), ElementsAre(5)));
}

TEST(SystemsAlike, ShowsThoseApartThatWereObservedToDiffer) {
  const auto comparison = Compared(System("1", {Observing("TIME-WAIT", "60.1 s", Passes("A"))}),
                                   System("2", {Observing("TIME-WAIT", "120.1 s", Passes("A"))}));
  EXPECT_THAT(SystemsAlike(comparison.tests[0]), SizeIs(2));
}

TEST(EvidenceFolder, IsNeverOutsideTheResults) {
  const auto folder = [](const std::string& directory) {
    TestResult test = Passes("A");
    test.directory = directory;
    return EvidenceFolder(System("1", {}), test);
  };
  EXPECT_EQ(folder("tests/A.B-ipv4"), "results/1/tests/A.B-ipv4");
  for (const char* elsewhere : {"", ".", "/etc", "../other", "tests/../../x"}) {
    EXPECT_EQ(folder(elsewhere), "") << elsewhere;
  }
}

TEST(EventsOf, AreNoneWhereThereAreNone) {
  const TemporaryFolder folder;
  auto system = System("1", {Passes("A")});
  system.folder = folder / "";
  EXPECT_THAT(EventsOf(system, Passes("A")), IsEmpty());
  std::filesystem::create_directories(folder / "tests/Close.A-ipv4");
  std::ofstream(folder / "tests/Close.A-ipv4/events.jsonl") << "{\"kind\": \"nonsense\"}\n";
  EXPECT_THAT(EventsOf(system, Passes("A")), IsEmpty());
}

TEST(RenderPage, HasTheStatementWhatHappenedAndHowToRepeatIt) {
  auto vm = System("6.1", {DepartsAsKnown("ItSendsAFin")});
  vm.run.sut = "vm:debian:6.1";
  const std::string page = Render(Compared(System("5.10", {Passes("ItSendsAFin")}), vm));
  EXPECT_THAT(page, AllOf(HasSubstr("It sends a FIN"), HasSubstr("Half-close is possible."),
                          HasSubstr("RFC 9293 section 3.6.1"), HasSubstr("Actual: nothing"),
                          HasSubstr("close() forgets the FIN"),
                          HasSubstr("href=\"https://example.org/why\""), HasSubstr("close(3) = 0"),
                          HasSubstr("sockproof run -s vm:debian:6.1 "),
                          HasSubstr("href=\"./results/6.1/tests/Close.ItSendsAFin-ipv4/"
                                    "capture.pcapng\"")));
}

// Writes an event of that test below the folder.
void NoteEventOf(const std::string& folder, const std::string& test, const std::string& note) {
  const std::string directory = folder + "/tests/Close." + test + "-ipv4";
  std::filesystem::create_directories(directory);
  std::ofstream file(directory + "/events.jsonl");
  EventLog log([&](std::string_view line) { file << line; });
  log.Now(NoteEvent{note});
}

TEST(RenderPage, HasTheLadderOfASystemThatPassesWhereAnotherDoesNot) {
  const TemporaryFolder folder;
  auto passes = System("5.10", {Passes("A"), Passes("B")});
  passes.folder = folder / "one";
  NoteEventOf(passes.folder, "A", "differs");
  NoteEventOf(passes.folder, "B", "does not");
  const std::string page = Render(Compared(passes, System("6.1", {Fails("A"), Passes("B")})));
  EXPECT_THAT(page, AllOf(HasSubstr("differs</text>"), Not(HasSubstr("does not</text>")),
                          HasSubstr("close(3) = 0"), Not(HasSubstr("Side by side"))));
}

TEST(RenderPage, ShowsTwoLaddersSideBySideWhereSystemsDiffer) {
  const TemporaryFolder folder;
  auto passes = System("5.10", {Passes("A")});
  auto fails = System("6.1", {Fails("A")});
  passes.folder = folder / "one";
  fails.folder = folder / "two";
  NoteEventOf(passes.folder, "A", "on the left");
  NoteEventOf(fails.folder, "A", "on the right");
  const std::string page = Render(Compared(passes, fails));
  EXPECT_THAT(page, AllOf(HasSubstr("Side by side: Linux 5.10 and Linux 6.1"),
                          HasSubstr("on the left"), HasSubstr("on the right")));
  EXPECT_THAT(page, Not(HasSubstr("close(3) = 0"))) << "the picture shows it";
  EXPECT_EQ(HowOften("<style", page), 1u) << "its style is that of the page";
  EXPECT_EQ(HowOften(" style=", page), 0u);
}

TEST(RenderPage, LeavesLaddersOutThatWouldMakeItTooLarge) {
  std::vector<TestResult> tests;
  for (int i = 0; i < 100; ++i) {
    tests.push_back(Fails("A" + std::to_string(i)));
    tests.back().ladder = std::string(1000, 'x');
  }
  PageOptions options{"page.html"};
  const auto comparison = Compared(System("1", tests), System("2", {}));
  EXPECT_EQ(HowOften(std::string(1000, 'x'), RenderPage(comparison, options)), 100u);
  options.most_ladder_bytes = 20'000;
  const std::size_t left = HowOften(std::string(1000, 'x'), RenderPage(comparison, options));
  EXPECT_GT(left, 10u);
  EXPECT_LT(left, 20u);
}

TEST(RenderPage, OfEightSystemsAndSixHundredTestsIsSmall) {
  std::vector<ComparedSystem> systems;
  for (int system = 0; system < 8; ++system) {
    std::vector<TestResult> tests;
    for (int i = 0; i < 300; ++i) {
      const std::string name = "ASentenceAboutWhatASystemIsDocumentedToDo" + std::to_string(i);
      TestResult test = (i + system) % 5 == 0 ? DepartsAsKnown(name) : Passes(name);
      if (!test.ladder.empty()) test.ladder = std::string(3000, 'x');
      tests.push_back(OnIp("ipv4", test));
      tests.push_back(OnIp("ipv6", test));
    }
    systems.push_back(System("6." + std::to_string(system), tests));
  }
  EXPECT_LT(Render(CompareSystems(std::move(systems))).size(), 5'000'000u);
}

TEST(RenderPage, AllowsNothingFromAnywhere) {
  const std::string page = Render(Compared(System("1", {Fails("A")}), System("2", {Passes("A")})));
  EXPECT_THAT(page, HasSubstr("content=\"default-src 'none'; style-src 'sha256-"));
  EXPECT_THAT(page, Not(AnyOf(HasSubstr(" src="), HasSubstr("<link"), HasSubstr(" style="),
                              HasSubstr("url("), HasSubstr("@import"))));
}

TEST(RenderPage, ShowsHostileTextAsText) {
  const std::string attack =
      "</style></script><script>forged = 1</script><img src=x onerror=\"y\">";
  RunResult run = HostileRun();
  for (TestResult& test : run.tests) {
    test.name += attack;
    test.suite += attack;
    test.ip = attack;
    test.variant = attack;
    test.failures[0].text += attack;
    test.claims[0].id += attack;
    test.claims[0].statement += attack;
    test.directory += attack;
    test.files = {test.directory + "/capture.pcapng"};
  }
  run.facts["release"] = attack;
  std::vector<ComparedSystem> systems;
  systems.push_back({"", attack, run});
  systems.push_back(System("2", {Passes("A")}));
  const std::string page = Render(CompareSystems(std::move(systems)));
  EXPECT_EQ(HowOften("<script>", page), 1u);
  EXPECT_EQ(HowOften("</script>", page), 1u);
  EXPECT_EQ(HowOften("</style>", page), 1u);
  EXPECT_EQ(HowOften("<img", page), 0u);
  EXPECT_EQ(HowOften("<b>", page), 0u);
  EXPECT_EQ(page.find('\0'), std::string::npos);
}

TEST(RenderPage, SaysThatVersionsOfTheSuiteDiffer) {
  auto old = System("1", {Passes("A")});
  old.run.suite_version = "0.9";
  EXPECT_THAT(Render(Compared(old, System("2", {}))), HasSubstr("different versions of sockproof"));
}

}  // namespace
}  // namespace sockproof
