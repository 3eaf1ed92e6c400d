// sockproof bisect, in a tree whose kernel is a file with a word.
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "tests/e2e/program.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

// Runs a command of the shell in `folder`; what it printed, without the last line end.
std::string In(const fs::path& folder, const std::string& command) {
  FILE* const pipe = popen(("cd '" + folder.string() + "' && " + command + " 2>&1").c_str(), "r");
  std::string output;
  char buffer[4096];
  while (pipe != nullptr && fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
  if (pipe != nullptr) pclose(pipe);
  while (output.ends_with('\n')) output.pop_back();
  return output;
}

class BisectProgram : public testing::Test {
 protected:
  BisectProgram() : place_(SOCKPROOF_MISBEHAVING), tree_(place_.folder() / "tree") {
    fs::create_directory(tree_);
    In(tree_, "git init -q && git config user.name n && git config user.email e@example.org");
    std::ofstream(tree_ / ".gitignore") << "image\n";
    setenv("SOCKPROOF_FOLLOWED", (tree_ / "image").c_str(), 1);
  }

  // A commit whose source is this word, and the command that builds it.
  void Commit(const std::string& word, const std::string& build = "cp source image") {
    std::ofstream(tree_ / "source") << word << "\n";
    std::ofstream(tree_ / "build.sh") << build << "\n";
    In(tree_, "git add -A && git commit -q --allow-empty -m 'commit " + std::to_string(++commits_) + "'");
    In(tree_, "git tag c" + std::to_string(commits_));
  }

  std::vector<std::string> Words(std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"bisect", "Follows.TheFile", "--tree", "tree", "--sut", "host", "--good", "c1",
                                      "--bad", "c" + std::to_string(commits_), "--build", "sh build.sh"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  void ExpectThatTheTreeIsAsBefore() {
    EXPECT_EQ(In(tree_, "git describe --tags"), "c" + std::to_string(commits_));
    EXPECT_EQ(In(tree_, "git symbolic-ref -q HEAD >/dev/null && echo on a branch"), "on a branch");
    EXPECT_EQ(In(tree_, "git status --porcelain --untracked-files=no"), "");
    EXPECT_THAT(In(tree_, "git bisect log"), Not(HasSubstr("git bisect start")));
  }

  bool HasGit() const { return In(tree_, "git tag").empty(); }

  Workplace place_;
  const fs::path tree_;
  int commits_ = 0;
};

TEST_F(BisectProgram, FindsTheCommitAndSkipsWhatCannotBeBuilt) {
  if (!HasGit()) GTEST_SKIP() << "there is no git";
  for (const char* word : {"good", "good", "good", "bad", "bad", "bad"}) {
    Commit(word, commits_ == 1 ? "exit 1" : "cp source image");
  }
  const Finished found = place_.Command(Words());
  EXPECT_EQ(found.exit_code, 0) << found.err;
  EXPECT_THAT(found.out, HasSubstr("first bad commit: " + In(tree_, "git log -1 --format=%h c4") + " commit 4\n"));
  EXPECT_THAT(place_.ReadFile("sockproof-out/bisect.log"), HasSubstr("first bad commit"));
  ExpectThatTheTreeIsAsBefore();
}

TEST_F(BisectProgram, FindsWhatDiffersFromTheGoodCommit) {
  if (!HasGit()) GTEST_SKIP() << "there is no git";
  for (const char* word : {"one", "one", "two", "two"}) Commit(word);
  const Finished found = place_.Command(Words({"--differs"}));
  EXPECT_EQ(found.exit_code, 0) << found.err;
  EXPECT_THAT(found.out, HasSubstr(" commit 3\n"));
  ExpectThatTheTreeIsAsBefore();
}

TEST_F(BisectProgram, SaysThatNoCommitWasFoundWhereNoneCanBeTested) {
  if (!HasGit()) GTEST_SKIP() << "there is no git";
  Commit("good");
  Commit("good", "exit 1");
  Commit("bad", "exit 1");
  Commit("bad");
  const Finished found = place_.Command(Words());
  EXPECT_EQ(found.exit_code, 1) << found.out;
  EXPECT_THAT(found.err, HasSubstr("no commit was found"));
  ExpectThatTheTreeIsAsBefore();
}

TEST_F(BisectProgram, TakesABuildThatIsNoCommandForOneThatFails) {
  if (!HasGit()) GTEST_SKIP() << "there is no git";
  for (const char* word : {"good", "good", "bad"}) Commit(word);
  std::vector<std::string> words = Words();
  words.back() = "cp 'source image";
  EXPECT_EQ(place_.Command(words).exit_code, 1);
  ExpectThatTheTreeIsAsBefore();
}

TEST_F(BisectProgram, SaysWhatIsWrongBeforeAnythingIsBuilt) {
  if (!HasGit()) GTEST_SKIP() << "there is no git";
  for (const char* word : {"good", "bad"}) Commit(word, "touch ../began");
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{"--bad", "nosuch"}, "no such commit: nosuch"},
      {{"--good", "--help-all"}, "no such commit: --help-all"},
      {{"--out", "/dev/full"}, "cannot write /dev/full/bisect.log"},
      {{"--sut", "nothing"}, "nothing"},
      {{"Nothing.LikeThat"}, "no test matches 'Nothing.LikeThat'"}};
  for (const auto& [more, why] : wrong) {
    std::vector<std::string> words = Words();
    if (more.size() == 1) {
      words[1] = more[0];
    } else {
      const auto option = std::find(words.begin(), words.end(), more[0]);
      if (option != words.end()) words.erase(option, option + 2);
      words.push_back(more[0] + "=" + more[1]);
    }
    const Finished finished = place_.Command(words);
    EXPECT_EQ(finished.exit_code, 2) << why;
    EXPECT_THAT(finished.err, HasSubstr(why));
  }
  EXPECT_FALSE(fs::exists(place_.folder() / "began"));
  ExpectThatTheTreeIsAsBefore();
}

TEST_F(BisectProgram, EndsWhereResultsCannotBeRead) {
  EXPECT_EQ(place_.Command({"compare", "--bisect", "nothing", "nowhere"}).exit_code, 128);
}

TEST_F(BisectProgram, LeavesTheTreeAsItWasWhenItIsInterrupted) {
  if (!HasGit()) GTEST_SKIP() << "there is no git";
  for (const char* word : {"good", "good", "bad", "bad"}) Commit(word, "touch ../began; sleep 1000");
  const pid_t pid = place_.StartCommand(Words());
  EXPECT_TRUE(Eventually([&] { return fs::exists(place_.folder() / "began"); }));
  kill(pid, SIGINT);
  EXPECT_EQ(place_.Wait(pid).exit_code, 128 + SIGINT);
  ExpectThatTheTreeIsAsBefore();
}

TEST_F(BisectProgram, RefusesATreeWithChanges) {
  if (!HasGit()) GTEST_SKIP() << "there is no git";
  Commit("good");
  Commit("bad");
  std::ofstream(tree_ / "source") << "changed\n";
  const Finished refused = place_.Command(Words());
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("has changes that are not committed"));
  EXPECT_EQ(place_.ReadFile("tree/source"), "changed\n");
  In(tree_, "git checkout -q source");
  EXPECT_EQ(place_.Command(Words({"--good", "no-such-commit"})).exit_code, 2);
  ExpectThatTheTreeIsAsBefore();
}

}  // namespace
}  // namespace sockproof
