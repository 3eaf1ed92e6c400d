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
