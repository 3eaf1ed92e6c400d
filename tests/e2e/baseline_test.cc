// Known departures and configuration files, as a user of the program meets them.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

using nlohmann::json;
using testing::HasSubstr;

using testing::StartsWith;

constexpr const char* kDeparts = R"(# of the system in these tests
[[departure]]
test = "Departs.ExpectsWhatNeverComes"
departs = 'Observed:\s+FIN,ACK'
why = "it sends a FIN"
when = { os = "Linux", release = ">=2.6" }
)";

void Write(const Workplace& place, const std::string& name, const std::string& text) {
  std::ofstream(place.folder() / name) << text;
}

TEST(Baselines, OfAUserMakeADepartureKnown) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  Write(place, "mine.toml", kDeparts);
  const Finished run = place.Run({"--baseline", "mine.toml", "Departs", "--no-shipped-baseline"});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_THAT(run.out, HasSubstr("known departure: it sends a FIN"));
  EXPECT_EQ(place.Result().at("counts").at("known_departures"), 2);
}

TEST(Baselines, ALaterFileOverrulesAnEarlierOne) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  Write(place, "mine.toml", kDeparts);
  Write(place, "later.toml", R"([[departure]]
test = "Departs.ExpectsWhatNeverComes/ipv6"
passes = true
why = "mended")");
  const Finished run =
      place.Run({"Departs", "--baseline", "mine.toml", "--baseline", "later.toml"});
  EXPECT_EQ(run.exit_code, 1) << run.out;
  const json counts = place.Result().at("counts");
  EXPECT_EQ(counts.at("known_departures"), 1);
  EXPECT_EQ(counts.at("fail"), 2);
}

TEST(Baselines, EntriesOfNoUseAreToldAtTheEnd) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  Write(place, "mine.toml", std::string(kDeparts) + R"(
[[departure]]
test = "No.Such"
departs = 'x'
why = "of another time"

[[departure]]
test = "Behaves"
departs = 'x'
why = "it did once"
)");
  const Finished some = place.Run({"Departs", "Behaves.Passes/ipv4", "--baseline", "mine.toml"});
  EXPECT_THAT(some.out, HasSubstr("stale departure: mine.toml:8: No.Such: there is no such test"));
  EXPECT_EQ(place.Result().at("stale_departures").size(), 1U);

  const Finished all = place.Run({"Behaves", "--baseline", "mine.toml"});
  EXPECT_EQ(all.exit_code, 1) << "to pass is a surprise";
  EXPECT_THAT(all.out, HasSubstr("stale departure: mine.toml:13: Behaves: departs no longer"));
  EXPECT_EQ(place.Result().at("stale_departures").size(), 2U);
}

TEST(Baselines, WithoutTheShippedOneItsDeparturesAreFailures) {
  Workplace place(SOCKPROOF_PROGRAM);
  const std::string departing = "Header.AsTheNotesSayTheThirdSegmentHasSyn";
  EXPECT_EQ(place.Run({departing}).exit_code, 0);
  EXPECT_EQ(place.Run({departing, "--no-shipped-baseline"}).exit_code, 1);
}

TEST(Baselines, GarbageIsOneLineWithFileAndLineAndExitCode2) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  Write(place, "mine.toml", "# x\n[[departure]]\ntset = 'a'\n");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"run", "--baseline", "mine.toml"},
        {"baseline", "check", "mine.toml"}}) {
    const Finished finished = place.Command(arguments);
    EXPECT_EQ(finished.exit_code, 2);
    EXPECT_THAT(finished.err, StartsWith("sockproof: mine.toml:3: unknown key 'tset'"));
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
  }
}

TEST(BaselineCheck, SaysWhatIsThereAndWhatIsMissing) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  Write(place, "mine.toml", kDeparts);
  const Finished good = place.Command({"baseline", "check", "mine.toml"});
  EXPECT_EQ(good.exit_code, 0) << good.out;
  EXPECT_THAT(good.out, HasSubstr("mine.toml: entries: 1, without a reason: 0"));

  Write(place, "other.toml", "[[departure]]\ntest='No.Such'\ndeparts='x'\nwhy='TODO: why'\n");
  const Finished bad = place.Command({"baseline", "check", "mine.toml", "other.toml"});
  EXPECT_EQ(bad.exit_code, 1) << bad.out;
  EXPECT_THAT(bad.out, HasSubstr("other.toml:1: there is no test 'No.Such'"));
  EXPECT_THAT(bad.out, HasSubstr("other.toml: entries: 1, without a reason: 1"));
}

TEST(BaselineUpdate, RecordsARunOnce) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  ASSERT_EQ(place.Run({"Departs", "Behaves"}).exit_code, 1);
  const std::vector<std::string> update{"baseline", "update", "out", "--baseline", "mine.toml"};
  const Finished first = place.Command(update);
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("added Departs.ExpectsWhatNeverComes: departs = "));
  const std::string text = place.ReadFile("mine.toml");
  EXPECT_THAT(text, HasSubstr("why = \"TODO: look into it\""));

  const Finished second = place.Command(update);
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_EQ(second.out, "mine.toml is up to date\n");
  EXPECT_EQ(place.ReadFile("mine.toml"), text);

  EXPECT_EQ(place.Run({"Departs", "Behaves", "--baseline", "mine.toml"}).exit_code, 0);
}

TEST(BaselineUpdate, KeepsWhatAHumanWrote) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const std::string old = R"(# ours
[[departure]]
test = "Behaves"   # for years
departs = 'x'
why = "it used to"

# another
[[departure]]
test = "Departs"
departs = 'y'  # how
why = "because"
)";
  Write(place, "mine.toml", old);
  ASSERT_EQ(place.Run({"Departs", "Behaves", "--baseline", "mine.toml"}).exit_code, 1);
  const Finished update = place.Command(
      {"baseline", "update", "out", "--baseline", "mine.toml", "--output", "new.toml"});
  EXPECT_EQ(update.exit_code, 0) << update.err;
  EXPECT_THAT(update.out, HasSubstr("dropped Behaves"));
  EXPECT_THAT(update.out, HasSubstr("changed Departs"));
  EXPECT_EQ(place.ReadFile("mine.toml"), old);
  const std::string text = place.ReadFile("new.toml");
  EXPECT_THAT(text, StartsWith("# ours\n\n# another\n[[departure]]\ntest = \"Departs\"\n"));
  EXPECT_THAT(text, HasSubstr("  # how\nwhy = \"because\"\n"));
  EXPECT_EQ(place.Run({"Departs", "Behaves", "--baseline", "new.toml"}).exit_code, 0);
}

TEST(BaselineUpdate, WrongUsageIsOneLineAndExitCode2) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  ASSERT_EQ(place.Run({"Behaves"}).exit_code, 0);
  Write(place, "bad.toml", "x = 1\n");
  Write(place, "result.json", "{}");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"out"},
        {"out", "--baseline", "bad.toml"},
        {"out", "--baseline", "none.toml", "--output", "new.toml"},
        {"out", "--output", "/dev/null"},
        {"out", "--output", "no/such/folder/new.toml"},
        {"none", "--baseline", "mine.toml"},
        {"result.json", "--baseline", "mine.toml"},
        {"--baseline", "mine.toml"}}) {
    std::vector<std::string> words{"baseline", "update"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const Finished finished = place.Command(words);
    EXPECT_EQ(finished.exit_code, 2) << finished.out;
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
  }
}

TEST(Configuration, SaysWhatTheCommandLineCanSay) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  Write(place, "mine.toml", kDeparts);
  Write(place, "ci.toml", R"(
pattern = ["Departs", "Behaves.Passes/ipv4"]
baseline = ["mine.toml"]
junit = "junit.xml"
jobs = 2
)");
  const Finished run = place.Run({"--config", "ci.toml"});
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_THAT(run.out, StartsWith("configuration from ci.toml\n"));
  EXPECT_EQ(place.Result().at("counts").at("tests"), 3);
  EXPECT_THAT(place.ReadFile("junit.xml"), HasSubstr("Departs"));

  const Finished less = place.Run({"--config", "ci.toml", "Behaves.Passes/ipv6"});
  EXPECT_EQ(less.exit_code, 0);
  EXPECT_EQ(place.Result().at("counts").at("tests"), 1);
}

TEST(Configuration, GarbageIsOneLineWithFileAndLineAndExitCode2) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  for (const char* text : {"\njbos = 1", "\njobs = 0", "\njobs", "\nconfig = 'b'"}) {
    Write(place, "ci.toml", text);
    const Finished run = place.Run({"--config", "ci.toml"});
    EXPECT_EQ(run.exit_code, 2) << text;
    EXPECT_THAT(run.err, StartsWith("sockproof: ci.toml:2: ")) << text;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
  EXPECT_EQ(place.Run({"--config", "none.toml"}).exit_code, 2);
}

}  // namespace
}  // namespace sockproof
