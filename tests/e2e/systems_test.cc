// Several systems in one run, and runs one after the other in one folder.
#include <gmock/gmock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Another system, as far as the program knows: this kernel, its agent named.
std::string Second(const Workplace& place) {
  return "host,agent=" + (place.folder() / "agent").string();
}

fs::path FolderOfSecond(const Workplace& place) {
  for (const auto& entry : fs::directory_iterator(place.results())) {
    if (entry.path().filename().string().starts_with("host-agent")) return entry.path();
  }
  return {};
}

TEST(Systems, FilesOfAllAreThereFromTheStart) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const pid_t runner = place.Start(
      {"-s", "host", "-s", Second(place), "Waits", "--max-wait", "7200", "--junit", "k-{sut}.xml"});
  EXPECT_TRUE(
      Eventually([&] { return fs::exists(place.results() / "host/tests/Waits.ForAnHour-ipv4"); }));
  kill(runner, SIGKILL);
  place.Wait(runner);
  const fs::path second = FolderOfSecond(place);
  ASSERT_FALSE(second.empty());
  EXPECT_THAT(place.ReadFile(second / "result.json"), HasSubstr("NOT-RUN"));
  int reports = 0;
  for (const auto& entry : fs::directory_iterator(place.folder())) {
    reports += entry.path().extension() == ".xml" ? 1 : 0;
  }
  EXPECT_EQ(reports, 2);
}

TEST(Systems, ARunReplacesWhateverAnEarlierOneLeft) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const std::vector<std::string> both = {"-s", "host", "-s", Second(place), "Behaves"};
  EXPECT_EQ(place.Run({"Behaves"}).exit_code, 0);
  EXPECT_EQ(place.Run(both).exit_code, 0);
  EXPECT_FALSE(fs::exists(place.results() / "result.json"));
  const Finished compare = place.Command({"compare", place.results().string()});
  EXPECT_THAT(compare.out, HasSubstr("[2] "));
  const Finished report = place.Command({"report", place.results().string()});
  EXPECT_EQ(report.exit_code, 2);
  EXPECT_THAT(report.err, HasSubstr("several systems; name one: "));
  EXPECT_EQ(place.Run({"Behaves"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(place.results() / "host"));
  EXPECT_EQ(place.Command({"report", place.results().string()}).exit_code, 0);
}

TEST(Systems, SystemsOfAnEarlierRunAreNotMixedIn) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  EXPECT_EQ(place.Run({"-s", "host", "-s", Second(place), "Behaves"}).exit_code, 0);
  EXPECT_EQ(place.Run({"-s", Second(place), "-s", "host,agent=agent", "Behaves"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(place.results() / "host"));
}

TEST(Systems, AllKernelsOfDebianAreThoseThatAreHereTheOldestFirst) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const auto with_own_cache = [&] { setenv("XDG_CACHE_HOME", (place.folder() / "cache").c_str(), 1); };
  const std::vector<std::string> dry = {"-s", "vm:debian:all,memory=512", "--dry-run", "Behaves"};
  const Finished none = place.Run(dry, with_own_cache);
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_THAT(none.err, HasSubstr("'sockproof kernels fetch debian:all' brings them"));
  for (const char* name : {"debian-6.12", "debian-6.2", "debian-6.2.new"}) {
    const fs::path folder = place.folder() / "cache/sockproof/kernels" / name;
    fs::create_directories(folder);
    std::ofstream(folder / "version") << "6\n";
  }
  const Finished two = place.Run(dry, with_own_cache);
  EXPECT_EQ(two.exit_code, 0) << two.err;
  EXPECT_THAT(two.err, HasSubstr("vm:debian:all is debian:6.2, debian:6.12, which are here"));
  EXPECT_EQ(place.Command({"doctor", "-s", "vm:debian:all"}).exit_code, 2);
}

TEST(Systems, TheSameTwiceIsRefused) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  EXPECT_EQ(place.Run({"-s", "host", "-s", "host", "Behaves"}).exit_code, 2);
}

TEST(FailFast, EndsTheRunAtTheFirstSurprise) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const Finished run =
      place.Run({"-x", "--jobs", "1", "Misbehaves", "Behaves", "--junit", "j.xml"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_GT(place.Result().at("counts").at("not_run"), 0);
  EXPECT_THAT(place.ReadFile("out/result.json"), HasSubstr("not started after the first surprise"));
}

TEST(Bisect, AnErrorIsNothingKnownAndADepartureIsBad) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  EXPECT_EQ(place.Run({"--bisect", "Behaves"}).exit_code, 0);
  EXPECT_EQ(place.Run({"--bisect", "Misbehaves.Aborts/ipv4"}).exit_code, 125);
  EXPECT_EQ(place.Run({"--bisect", "Misbehaves.NeedsWhatNobodyHas/ipv4"}).exit_code, 125);
  EXPECT_EQ(place.Run({"--bisect", "Departs", "--attempts", "100"}).exit_code, 1);
}

TEST(Github, GetsAnnotationsAndASummary) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const std::string summary = (place.folder() / "summary.md").string();
  const Finished run =
      place.Run({"--github", "--html", "page.html", "Departs", "--attempts", "100"},
                [&summary] { setenv("GITHUB_STEP_SUMMARY", summary.c_str(), 1); });
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.out, HasSubstr("\n::error file=tests/e2e/misbehaving_suite.cc,line="));
  EXPECT_THAT(place.ReadFile("summary.md"), HasSubstr("| FAIL | Departs"));
  EXPECT_THAT(place.ReadFile("page.html"), HasSubstr("<html"));
}

TEST(Output, ThatIsLostIsAFailure) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  std::filesystem::create_symlink("/dev/full", place.folder() / "stdout");
  const Finished run = place.Run({"Behaves"});
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.err, HasSubstr("No space left on device"));
  EXPECT_EQ(place.Result().at("counts").at("pass"), 2);
}

TEST(Replay, KeepsTheBaselines) {
  Workplace place(SOCKPROOF_MISBEHAVING);
  const Finished run = place.Run({"--no-shipped-baseline", "Departs", "--attempts", "100"});
  EXPECT_THAT(run.out, HasSubstr("replay: "));
  EXPECT_THAT(run.out, HasSubstr("run --no-shipped-baseline Departs."));
}

}  // namespace
}  // namespace sockproof
