// Reports made during a run and later, as a CI job makes them.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <pugixml.hpp>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The exit code is 2, and the one line on stderr begins so.
testing::AssertionResult IsRefused(const Finished& finished, const std::string& begin) {
  const bool one_line = std::count(finished.err.begin(), finished.err.end(), '\n') == 1;
  if (finished.exit_code == 2 && one_line && finished.err.starts_with("sockproof: " + begin)) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << finished.exit_code << ": " << finished.err;
}

TEST(Report, OfAnEarlierRunIsThatOfTheRun) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const Finished run =
      place.Run({"Behaves", "Departs", "Misbehaves.Segfaults", "--junit", "run-{sut}.xml", "--ktap",
                 "run.ktap", "--kcidb", "run.json", "--kcidb-build", "lab:1"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.out, HasSubstr("JUnit in run-host.xml, KTAP in run.ktap, KCIDB in run.json"));

  const Finished report =
      place.Command({"report", "out", "--junit", "later.xml", "--ktap", "later.ktap", "--json",
                     "later.json", "--kcidb", "later-kcidb.json", "--kcidb-build", "lab:1"});
  EXPECT_EQ(report.exit_code, 0) << report.err;
  EXPECT_EQ(report.out, "");
  EXPECT_EQ(place.ReadFile("later.xml"), place.ReadFile("run-host.xml"));
  EXPECT_EQ(place.ReadFile("later.ktap"), place.ReadFile("run.ktap"));
  EXPECT_EQ(place.ReadFile("later.json"), place.ReadFile("out/result.json"));
  EXPECT_EQ(place.ReadFile("later-kcidb.json"), place.ReadFile("run.json"));
  EXPECT_THAT(place.ReadFile("later.xml"),
              HasSubstr("[[ATTACHMENT|out/tests/Behaves.Passes-ipv4/"));
  EXPECT_THAT(place.ReadFile("later.ktap"), HasSubstr("    not ok 1 Segfaults/ipv4 # ERROR "));

  const Finished text = place.Command({"report", "out/result.json"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, HasSubstr("5 tests: 2 PASS, 2 FAIL, 1 ERROR"));
  EXPECT_THAT(text.out, HasSubstr("claims of standards: "));
  EXPECT_THAT(place.Command({"report", "out", "--ktap", "-"}).out, StartsWith("KTAP version 1\n"));
  EXPECT_THAT(place.Command({"report", "out", "--junit", "-"}).out, StartsWith("<?xml"));
}

TEST(Report, KnowsTheTimeInTheSystemUnderTest) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  place.Run({"Behaves"});
  const json result = place.Result();
  for (const json& test : result.at("tests")) EXPECT_TRUE(test.at("sut_s").is_number());
  EXPECT_FALSE(result.at("axes").at("standards").empty());
}

TEST(Report, AfterAKillSaysThatNothingIsKnown) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const pid_t runner = place.Start({"Waits", "--max-wait", "9999", "--ktap", "run.ktap"});
  EXPECT_TRUE(Eventually([&] { return fs::exists(place.folder() / "out/result.json"); }));
  kill(runner, SIGKILL);
  place.Wait(runner);
  EXPECT_TRUE(place.AllGone());
  const Finished report = place.Command({"report", "out"});
  EXPECT_EQ(report.exit_code, 0) << report.err;
  EXPECT_THAT(report.out, HasSubstr("2 tests: 0 PASS, 2 NOT-RUN; not finished"));
  EXPECT_THAT(place.ReadFile("run.ktap"), HasSubstr("not ok 1 ForAnHour/ipv4 # ERROR not run: "));
  EXPECT_EQ(place.Command({"diff", "out", "out"}).exit_code, 0);
}

TEST(Report, StrictJunitLeavesOutWhatItsSchemaDoesNotHave) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  place.Run({"Behaves", "--junit", "junit.xml", "--junit-dialect", "strict"});
  EXPECT_THAT(place.ReadFile("junit.xml"), Not(HasSubstr(" line=")));
  place.Command({"report", "out", "--junit", "junit.xml"});
  EXPECT_THAT(place.ReadFile("junit.xml"), HasSubstr(" line="));
}

TEST(Report, WrongUsageIsOneLineAndExitCode2) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  place.Run({"Behaves"});
  EXPECT_TRUE(IsRefused(place.Command({"report"}), "DIR is required"));
  EXPECT_TRUE(IsRefused(place.Command({"report", "nowhere"}), "cannot read nowhere"));
  EXPECT_TRUE(IsRefused(place.Command({"report", "out", "--junit", "/dev/null"}), "cannot write"));
  EXPECT_TRUE(IsRefused(place.Command({"report", "out", "--junit", "-", "--ktap", "-"}), "only"));
  EXPECT_TRUE(IsRefused(place.Command({"report", "out", "--junit", "x", "--ktap", "x"}), "two"));
  EXPECT_TRUE(IsRefused(place.Command({"report", "out", "--ktap", "x", "--json", "x"}), "two"));
  EXPECT_TRUE(IsRefused(place.Command({"report", "out", "--junit-dialect", "x"}), "--junit"));
  EXPECT_TRUE(IsRefused(place.Command({"report", "out", "--kcidb", "-"}), "--kcidb needs"));
  for (const auto& [build, origin] :
       std::map<const char*, const char*>{{"nobody", "x"}, {"x:1", "Not One"}}) {
    EXPECT_TRUE(IsRefused(
        place.Run({"Behaves", "--kcidb", "x", "--kcidb-build", build, "--kcidb-origin", origin}),
        "--kcidb-"));
  }
  EXPECT_TRUE(IsRefused(
      place.Run({"Behaves", "-s", "lwip", "-s", "host", "--kcidb", "x", "--kcidb-build", "x:1"}),
      "--kcidb: "));
  EXPECT_TRUE(IsRefused(place.Run({"Behaves", "--ktap", "-"}), "stdout is taken"));
  std::ofstream(place.folder() / "text") << "\n\n}";
  EXPECT_TRUE(IsRefused(place.Command({"report", "text"}), "text:3: this is not JSON"));
  std::ofstream(place.folder() / "json") << "{\"format\": \"sockproof-result\"}";
  EXPECT_TRUE(IsRefused(place.Command({"report", "json"}), "json: /version is missing"));
}

TEST(Diff, OfARunWithItselfHasNoRegressions) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  place.Run({"Behaves", "Departs"});
  const Finished diff = place.Command({"diff", "out", "out/result.json"});
  EXPECT_EQ(diff.exit_code, 0) << diff.out << diff.err;
  EXPECT_THAT(diff.out, HasSubstr("still failing (2)\n"));
  EXPECT_THAT(diff.out, HasSubstr("no regressions\n"));
}

TEST(Diff, ARegressionIsExitCode1) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  place.Run({"Behaves"});
  fs::rename(place.results(), place.folder() / "base");
  place.Run({"Behaves.Passes/ipv4", "Departs.ExpectsWhatNeverComes/ipv6"});
  const Finished diff = place.Command({"diff", "base", "out", "--json", "diff.json"});
  EXPECT_EQ(diff.exit_code, 1) << diff.out << diff.err;
  EXPECT_THAT(diff.out, HasSubstr("new failures (1) REGRESSION\n  Departs"));
  EXPECT_THAT(diff.out, HasSubstr("vanished (1) REGRESSION\n  Behaves.Passes/ipv6  was PASS\n"));
  const json changes = json::parse(place.ReadFile("diff.json"));
  EXPECT_EQ(changes.at("regressions"), 2);
  const Finished as_json = place.Command({"diff", "base", "out", "--json", "-"});
  EXPECT_EQ(as_json.exit_code, 1);
  EXPECT_EQ(json::parse(as_json.out), changes);
  // The other way round the failure has vanished too, and a test is new.
  EXPECT_EQ(place.Command({"diff", "out", "base"}).exit_code, 1);
}

TEST(Diff, WrongUsageIsOneLineAndExitCode2) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  place.Run({"Behaves"});
  EXPECT_TRUE(IsRefused(place.Command({"diff", "out"}), "NEW is required"));
  EXPECT_TRUE(IsRefused(place.Command({"diff", "out", "nowhere"}), "cannot read nowhere"));
  EXPECT_TRUE(IsRefused(place.Command({"diff", "out", "out", "--slower", "-1"}), "--slower"));
  EXPECT_TRUE(IsRefused(place.Command({"diff", "out", "out", "--json", "/dev/null"}), "cannot"));
}

TEST(Compare, WritesATableAPageAndJson) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  place.Run({"Behaves", "Departs"});
  const Finished compare = place.Command(
      {"compare", "out", "out", "--html", "page/differ.html", "--json", "differ.json"});
  EXPECT_EQ(compare.exit_code, 0) << compare.err;
  EXPECT_THAT(compare.out, HasSubstr("0 of 2 tests differ"));
  EXPECT_THAT(place.ReadFile("page/differ.html"),
              HasSubstr("href=\"../out/tests/Departs.ExpectsWhatNeverComes-ipv4/\""));
  const json differ = json::parse(place.ReadFile("differ.json"));
  EXPECT_EQ(differ.at("format"), "sockproof-comparison");
  EXPECT_EQ(json::parse(place.Command({"compare", "out", "out", "--json", "-"}).out), differ);
  EXPECT_THAT(place.Command({"compare", "out", "--by", "claim"}).out, HasSubstr("claims depart"));
}

TEST(Compare, TakesAFolderOfSeveralSystems) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  place.Run({"Behaves"});
  fs::create_directories(place.folder() / "all");
  for (const char* name : {"one", "two"}) {
    fs::copy(place.results(), place.folder() / "all" / name, fs::copy_options::recursive);
  }
  EXPECT_THAT(place.Command({"compare", "all"}).out, HasSubstr("all/two\n"));
}

TEST(Compare, RunWritesThePageInTheEnd) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  EXPECT_EQ(place.Run({"Behaves", "--compare", "page.html"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(place.folder() / "page.html"));
  EXPECT_TRUE(IsRefused(place.Command({"run", "Behaves", "--compare", "-"}), "a page does not"));
}

TEST(Compare, WrongUsageIsOneLineAndExitCode2) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  place.Run({"Behaves"});
  EXPECT_TRUE(IsRefused(place.Command({"compare"}), "RESULT is required"));
  EXPECT_TRUE(IsRefused(place.Command({"compare", "out", "nowhere"}), "cannot read nowhere"));
  EXPECT_TRUE(IsRefused(place.Command({"compare", "out", "--by", "luck"}), "--by"));
  EXPECT_TRUE(IsRefused(place.Command({"compare", "out", "--html", "-"}), "a page does not"));
  EXPECT_TRUE(IsRefused(place.Command({"compare", "out", "--html", "/dev/null"}), "cannot write"));
  EXPECT_TRUE(IsRefused(place.Command({"compare", "out", "--html", "x", "--json", "x"}), "two"));
  json other = place.Result();
  other["version"] = 2;
  std::ofstream(place.folder() / "other.json") << other;
  EXPECT_TRUE(IsRefused(place.Command({"compare", "out", "other.json"}), "other.json"));
}

TEST(Merge, OfShardsIsTheWholeRunWithItsEvidence) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  place.Run({"Behaves", "Departs", "--shard", "1/2"});
  fs::rename(place.results(), place.folder() / "one");
  place.Run({"Behaves", "Departs", "--shard", "2/2"});
  fs::rename(place.results(), place.folder() / "two");
  const Finished merge = place.Command({"merge", "all", "one", "two"});
  EXPECT_EQ(merge.exit_code, 0) << merge.err;
  EXPECT_THAT(merge.out, HasSubstr("4 tests: 2 PASS, 2 FAIL"));
  EXPECT_THAT(merge.out, HasSubstr("results in all\n"));

  const json result = json::parse(place.ReadFile("all/result.json"));
  EXPECT_EQ(result.at("counts").at("tests"), 4);
  for (const json& test : result.at("tests")) {
    for (const json& file : test.at("files")) {
      EXPECT_TRUE(fs::is_regular_file(place.folder() / "all" / file.get<std::string>())) << file;
    }
  }
  place.Run({"Behaves", "Departs"});
  EXPECT_EQ(place.Command({"diff", "out", "all"}).exit_code, 0);
  // The folder is ours: it can be written again.
  EXPECT_EQ(place.Command({"merge", "all", "two", "one"}).exit_code, 0);
}

TEST(Merge, OfEightShardsSaysWhatAKilledOneHadNotRun) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  std::vector<std::string> merge{"merge", "all"};
  for (int shard = 1; shard <= 8; ++shard) {
    const pid_t runner = place.Start({"Waits.ForAnHour/ipv4", "Behaves", "Departs", "Follows",
                                      "Misbehaves.NeedsWhatNobodyHas/ipv4", "--max-wait", "9999",
                                      "--shard", std::to_string(shard) + "/8"});
    if (shard == 1) {  // the test that waits longest
      EXPECT_TRUE(Eventually([&] { return fs::exists(place.results() / "result.json"); }));
      kill(runner, SIGKILL);
    }
    place.Wait(runner);
    EXPECT_TRUE(place.AllGone());
    merge.push_back("shard-" + std::to_string(shard));
    fs::rename(place.results(), place.folder() / merge.back());
  }
  const Finished merged = place.Command(merge);
  EXPECT_EQ(merged.exit_code, 0) << merged.err;
  EXPECT_THAT(merged.out,
              HasSubstr("7 tests: 2 PASS, 2 FAIL, 1 ERROR, 1 SKIP, 1 NOT-RUN; not finished"));
  const Finished kcidb = place.Command({"report", "all", "--kcidb", "-", "--kcidb-build", "lab:1"});
  std::map<std::string, int> statuses;
  const json all = json::parse(kcidb.out);
  for (const json& test : all.at("tests")) {
    ++statuses[test.at("status").get<std::string>()];
    EXPECT_EQ(test.at("status") == "MISS", test.at("path") == "sockproof.Waits.ForAnHour.ipv4");
  }
  const std::map<std::string, int> expected = {
      {"PASS", 2}, {"FAIL", 2}, {"ERROR", 1}, {"SKIP", 1}, {"MISS", 1}};
  EXPECT_EQ(statuses, expected);
}

TEST(Merge, RefusesAndLeavesTheFoldersAsTheyWere) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  place.Run({"Behaves", "--shard", "1/2"});
  EXPECT_TRUE(IsRefused(place.Command({"merge", "all", "out"}), "shard 2 of 2 is missing"));
  place.Run({"Behaves"});
  EXPECT_TRUE(IsRefused(place.Command({"merge", "all", "out", "out"}), "Behaves.Passes/ipv4 is"));
  EXPECT_TRUE(IsRefused(place.Command({"merge", "all"}), "DIR is required"));
  EXPECT_TRUE(IsRefused(place.Command({"merge", "all", "nowhere"}), "cannot read nowhere"));
  EXPECT_FALSE(fs::exists(place.folder() / "all"));
  EXPECT_TRUE(IsRefused(place.Command({"merge", "out", "out"}), "'out' is in 'out'"));
  EXPECT_TRUE(IsRefused(place.Command({"merge", ".", "out"}), "'out' is in '.'"));
  EXPECT_EQ(place.Result().at("counts").at("pass"), 2);

  fs::create_directory(place.folder() / "foreign");
  std::ofstream(place.folder() / "foreign/file") << "x";
  EXPECT_TRUE(IsRefused(place.Command({"merge", "foreign", "out"}), "'foreign' is not empty"));
  EXPECT_EQ(place.ReadFile("foreign/file"), "x");
}

}  // namespace
}  // namespace sockproof
