// Releases of lwIP in the cache, and the agent that is compiled for them.
#include "src/fetch/lwip_agent.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "harness/base/errors.h"
#include "src/fetch/runtime_store.h"
#include "tests/run/temporary_folder.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

void PutText(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << content;
}

template <typename Call>
std::string WhatItSays(Call call) {
  try {
    call();
    return "";
  } catch (const HarnessError& error) {
    return error.what();
  }
}

// A cache and a clone that are made up.
class FetchedStacks : public testing::Test {
 protected:
  FetchedStacks() {
    const char* cache = getenv("XDG_CACHE_HOME");
    if (cache != nullptr) before_ = cache;
    setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
    PutText(clone_.source / "src/agent_lwip/main.cc", "int main() {}\n");
    PutText(clone_.build / "CMakeCache.txt", "sockproof_BINARY_DIR:STATIC=/nowhere\nsockproof_SOURCE_DIR:STATIC=" +
                                               clone_.source.string() + "\n");
  }
  ~FetchedStacks() override {
    if (before_.empty()) {
      unsetenv("XDG_CACHE_HOME");
    } else {
      setenv("XDG_CACHE_HOME", before_.c_str(), 1);
    }
  }

  fs::path Cache(const std::string& name) const { return fs::path(folder_ / "cache") / "sockproof" / name; }

  void Bring(const std::string& name, const std::string& version) const {
    PutText(Cache("lwip/" + name + "/version"), version + "\n");
    PutText(Cache("lwip/" + name + "/usr/lib/x86_64-linux-gnu/liblwip.so.2.2.0"), "");
  }

  const TemporaryFolder folder_;
  const Clone clone_{folder_ / "clone", folder_ / "clone/build/release"};
  std::string before_;
};

TEST_F(FetchedStacks, AreFoundByTheNameThatTheyWereFetchedBy) {
  Bring("2.2.1", "2.2.1+dfsg1-9");
  Bring("2.1.12", "2.1.12-1");
  Bring("2.1.3", "2.1.3+dfsg1-2");
  PutText(Cache("lwip/2.2.1.new/version"), "2.2.1+dfsg1-9\n");  // was not brought to its end
  fs::create_directories(Cache("lwip/2.3"));
  EXPECT_EQ(LwipOf("2.2.1").version, "2.2.1+dfsg1-9");
  std::vector<std::string> names;
  for (const FetchedLwip& lwip : FetchedLwips()) names.push_back(lwip.name);
  EXPECT_THAT(names, testing::ElementsAre("2.1.3", "2.1.12", "2.2.1"));
}

TEST_F(FetchedStacks, ThatAreNotHereAreAnErrorThatSaysHowTheyCome) {
  EXPECT_EQ(WhatItSays([] { LwipOf("2.2.1"); }),
            "lwIP 2.2.1 is not here; 'sockproof stacks fetch lwip:2.2.1' brings it where Debian has it");
  Bring("2.1.2", "2.1.2+dfsg1-8");
  EXPECT_THAT(WhatItSays([] { LwipOf("2.2.1"); }), HasSubstr("lwIP 2.2.1 is not here, but 2.1.2; "));
}

TEST_F(FetchedStacks, TheAgentIsCompiledForItsHeadersAndLibrary) {
  Bring("2.2.1", "2.2.1+dfsg1-9");
  const FetchedLwip lwip = LwipOf("2.2.1");
  const auto joined = [&] {
    std::string text;
    for (const std::string& word : CompilerFor(lwip, clone_, "agent")) text += word + "\n";
    return text;
  };
  EXPECT_THAT(joined(), AllOf(HasSubstr("-I" + lwip.headers().string() + "\n"), HasSubstr("/liblwip.so.2.2.0\n"),
                              HasSubstr("agent_lwip/main.cc\n"), HasSubstr("-rpath," + lwip.libraries().string()),
                              Not(HasSubstr("dynamic-linker"))));
  // With a C library of its own.
  PutText(lwip.loader(), "");
  EXPECT_THAT(joined(), HasSubstr("-Wl,--dynamic-linker=" + lwip.loader().string() + "\n"));
}

TEST_F(FetchedStacks, NeedAClone) {
  EXPECT_EQ(CloneOf(clone_.build / "bin/sockproof").source, clone_.source);
  EXPECT_THAT(WhatItSays([] { CloneOf("/usr/lib/sockproof/sockproof"); }),
              HasSubstr("tested from a clone of sockproof alone"));
  fs::remove_all(clone_.source / "src");
  EXPECT_THAT(WhatItSays([&] { CloneOf(clone_.build / "bin/sockproof"); }), HasSubstr("no sources beside it"));
}

TEST_F(FetchedStacks, NeedACompiler) {
  Bring("2.2.1", "2.2.1+dfsg1-9");
  const std::string path = getenv("PATH");
  setenv("PATH", (folder_ / "empty").c_str(), 1);
  const std::string complaint = WhatItSays([&] { CompilerFor(LwipOf("2.2.1"), clone_, "agent"); });
  setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(complaint, AllOf(HasSubstr("no C++ compiler is here"), HasSubstr("g++")));
}

TEST_F(FetchedStacks, RunscsOfSeveralReleasesAreBesideEachOther) {
  EXPECT_EQ(WhatItSays([] { FetchedRunsc("20221219"); }),
            "runsc 20221219 is not here; 'sockproof runtimes fetch runsc:20221219' brings it where Debian has it");
  PutText(Cache("runtimes/runsc-20240729/runsc"), "");
  PutText(Cache("runtimes/runsc"), "");
  EXPECT_THAT(FetchedRunscs(), testing::ElementsAre("20240729", ""));
  EXPECT_EQ(FetchedRunsc("20240729"), Cache("runtimes/runsc-20240729/runsc"));
  EXPECT_THAT(WhatItSays([] { FetchedRunsc("20221219"); }), HasSubstr("is not here, but 20240729; "));
}

}  // namespace
}  // namespace sockproof
