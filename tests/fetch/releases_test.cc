// Releases by versions of packages, and names for them.
#include "src/fetch/releases.h"

#include <gmock/gmock.h>

#include "harness/base/errors.h"
#include "src/fetch/runtime_store.h"

namespace sockproof {
namespace {

using testing::ElementsAre;

// As apt-cache tells them, the newest first.
const std::vector<std::string> kLwips = {"2.2.1+dfsg1-9", "2.2.1+dfsg1-1+deb13u1", "2.1.3+dfsg1-2",
                                         "2.1.2+dfsg1-8+deb11u1"};
const std::vector<std::string> kRunscs = {"0.0~20240729.0-7+b1", "0.0~20240729.0-4+b7",
                                          "0.0~20240729.0-4~bpo12+2", "0.0~20221219.0-2+b3"};

TEST(Releases, AreWhatComesBeforeDebiansWords) {
  EXPECT_EQ(ReleaseOf("2.2.1+dfsg1-9"), "2.2.1");
  EXPECT_EQ(ReleaseOf("0.0~20240729.0-4~bpo12+2"), "20240729.0");
  EXPECT_THAT(ReleasesOf(kLwips), ElementsAre("2.1.2", "2.1.3", "2.2.1"));
  EXPECT_THAT(ReleasesOf(kRunscs), ElementsAre("20221219.0", "20240729.0"));
}

TEST(Releases, AreNamedByThemselvesTheirSeriesOrAVersion) {
  EXPECT_EQ(NewestOf("lwIP", "2.2.1", kLwips), "2.2.1+dfsg1-9");
  EXPECT_EQ(NewestOf("lwIP", "2.1", kLwips), "2.1.3+dfsg1-2");
  EXPECT_EQ(NewestOf("lwIP", "2.2.1+dfsg1-1+deb13u1", kLwips), "2.2.1+dfsg1-1+deb13u1");
  EXPECT_EQ(NewestOf("gVisor", "20221219", kRunscs), "0.0~20221219.0-2+b3");
  EXPECT_EQ(NewestOf("gVisor", "20240729.0-4+b7", kRunscs), "0.0~20240729.0-4+b7");
}

TEST(Releases, ThatAreNotOfferedAreAnErrorThatNamesThoseThatAre) {
  const auto why = [](const std::string& name, const std::vector<std::string>& versions) -> std::string {
    try {
      return NewestOf("lwIP", name, versions);
    } catch (const HarnessError& error) {
      return error.what();
    }
  };
  EXPECT_EQ(why("2", kLwips), "2.2.1+dfsg1-9");
  EXPECT_EQ(why("2.20", kLwips), "Debian has no lwIP 2.20; it has 2.1.2, 2.1.3, 2.2.1");
  EXPECT_EQ(why("2.2.10", kLwips), "Debian has no lwIP 2.2.10; it has 2.1.2, 2.1.3, 2.2.1");
  EXPECT_EQ(why("2.2.1", {}), "Debian has no lwIP");
}

TEST(Releases, OfSeveralBuildsTheOldestIsTheLast) {
  EXPECT_EQ(OldestBuildOf("gVisor", "20240729.0", kRunscs), "0.0~20240729.0-4~bpo12+2");
  EXPECT_EQ(OldestBuildOf("gVisor", "0.0~20240729.0-7+b1", kRunscs), "0.0~20240729.0-7+b1");
  EXPECT_EQ(OldestBuildOf("lwIP", "2", kLwips), "2.2.1+dfsg1-1+deb13u1");
}

TEST(Releases, HaveNamesThatAreSafeForFiles) {
  for (const char* name : {"2.2.1", "2.2.1+dfsg1-9", "20221219", "0.0~20240729.0-7+b1"}) {
    EXPECT_TRUE(IsReleaseName(name)) << name;
  }
  for (const char* name : {"", "x", "all", "..", "2/../..", "2.2.1 ", "-2", "2.2.1\n"}) {
    EXPECT_FALSE(IsReleaseName(name)) << name;
  }
}

TEST(Releases, OfRunscAreNamedBehindAColon) {
  EXPECT_EQ(ReleaseOfRunsc("runsc"), "");
  EXPECT_EQ(ReleaseOfRunsc("runsc:20221219"), "20221219");
  for (const char* name : {"", "runc", "runsc:", "runsc:/", "runsc:new", "crun:1"}) {
    EXPECT_EQ(ReleaseOfRunsc(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace sockproof
