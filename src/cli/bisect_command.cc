// sockproof bisect: git bisect, with a build, a run and what counts for good.
#include <errno.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/program.h"
#include "harness/base/text.h"
#include "src/cli/command.h"
#include "src/cli/document.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/run/selection.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

constexpr int kExitNoCommit = 1;  // all that is left cannot be tested

struct BisectArguments {
  std::vector<std::string> tests;
  std::string tree = ".";
  std::string sut;  // empty: vm: and the tree
  std::string good, bad;
  std::string build;  // for the shell, in the tree; empty: nothing is built
  std::string out = "sockproof-out";
  bool differs = false;  // whatever is observed otherwise than of the good commit is bad
};

// A tree in which git bisect is at work, until this ends.
class Bisection {
 public:
  explicit Bisection(fs::path tree) : tree_(std::move(tree)) {}
  ~Bisection() {
    if (!has_begun_) return;
    try {
      Git({"bisect", "reset"});
    } catch (const std::exception& error) {
      Say(fmt::format("git bisect reset: {}", error.what()));
    }
  }
  Bisection(const Bisection&) = delete;
  Bisection& operator=(const Bisection&) = delete;

  std::string Git(std::vector<std::string> words) const {
    words.insert(words.begin(), {"git", "-C", tree_.string()});
    std::string output = RunProgram(words);
    while (output.ends_with('\n')) output.pop_back();
    return output;
  }

  void Begin(const std::string& good, const std::string& bad) {
    CheckThatItMayBegin();
    for (const std::string& revision : {good, bad}) CheckThatItIsACommit(revision);
    has_begun_ = true;
    Print("{}\n", Git({"bisect", "start", bad, good}));
    FlushOutput();
  }

  // Of neighbours there is nothing to try.
  bool IsOver() const { return Git({"bisect", "log"}).find("# first bad commit: ") != std::string::npos; }

  const fs::path& tree() const { return tree_; }

 private:
  void CheckThatItIsACommit(const std::string& revision) const {
    try {
      Git({"rev-parse", "--verify", "-q", "--end-of-options", revision + "^{commit}"});
    } catch (const HarnessError&) {
      throw UsageError(fmt::format("{}: no such commit: {}", tree_.string(), revision));
    }
  }

  void CheckThatItMayBegin() const {
    const std::string start = Git({"rev-parse", "--git-path", "BISECT_START"});
    if (fs::exists(tree_ / start)) {
      throw UsageError(fmt::format("{}: a bisection is at work; end it with 'git bisect reset'", tree_.string()));
    }
    if (!Git({"status", "--porcelain", "--untracked-files=no"}).empty()) {
      throw UsageError(fmt::format("{} has changes that are not committed", tree_.string()));
    }
  }

  const fs::path tree_;
  bool has_begun_ = false;
};

// What asked to end it; what runs then ends, and the tree is as it was.
volatile std::sig_atomic_t bisect_ended_by = 0;
volatile pid_t bisect_group = 0;  // that runs now, and is told; 0: none
sigset_t bisect_ends;

void TakeEnds() {
  struct sigaction action {};
  action.sa_handler = [](int number) {
    bisect_ended_by = number;
    if (bisect_group != 0) kill(-bisect_group, number);
  };
  sigemptyset(&bisect_ends);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&bisect_ends, number);
    sigaction(number, &action, nullptr);
  }
}

// Runs a command in a group of its own, which is told when this process is to end. Its exit code.
int RunInGroup(const std::vector<std::string>& command) {
  // None comes unseen while the group has no number yet.
  sigprocmask(SIG_BLOCK, &bisect_ends, nullptr);
  if (bisect_ended_by == 0) {
    bisect_group = StartProgram(command, {-1, STDOUT_FILENO, STDERR_FILENO}, [] {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (setpgid(0, 0) != 0) return errno;
      return sigprocmask(SIG_UNBLOCK, &bisect_ends, nullptr) == 0 ? 0 : errno;
    });
  }
  sigprocmask(SIG_UNBLOCK, &bisect_ends, nullptr);
  if (bisect_group == 0) return 128 + bisect_ended_by;
  siginfo_t info{};
  // Left a zombie at first, so that its group is nobody else's.
  while (waitid(P_PID, static_cast<id_t>(bisect_group), &info, WEXITED | WNOWAIT) != 0) {
    if (errno != EINTR) ThrowErrno("waitid");
  }
  // Whoever did not hear it: a shell that had not yet become the program it was to start.
  if (bisect_ended_by != 0) kill(-bisect_group, SIGKILL);
  int status = 0;
  const pid_t ended = bisect_group;
  bisect_group = 0;
  waitpid(ended, &status, 0);
  if (bisect_ended_by != 0) return 128 + bisect_ended_by;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Commands of the shell, in the tree.
class Steps {
 public:
  Steps(const BisectArguments& arguments, const std::string& program, const fs::path& tree)
      : arguments_(arguments),
        self_(ShellQuoted(program.find('/') == std::string::npos ? program : fs::absolute(program).string())),
        tree_(tree),
        out_(fs::absolute(arguments.out)) {}

  fs::path good() const { return out_ / "good"; }
  fs::path last() const { return out_ / "last"; }

  std::string BuildAndRun(const fs::path& results) const {
    const std::string sut = arguments_.sut.empty() ? "vm:" + tree_.string() : arguments_.sut;
    std::string text = fmt::format("cd {} || exit 128\n", ShellQuoted(tree_.string()));
    // In a shell of its own: what is no command is a commit that cannot be built, too.
    if (!arguments_.build.empty()) text += fmt::format("sh -c {} || exit 125\n", ShellQuoted(arguments_.build));
    text += fmt::format("{} run -q --bisect -s {} --out {}", self_, ShellQuoted(sut),
                        ShellQuoted(results.string()));
    for (const std::string& test : arguments_.tests) text += " " + ShellQuoted(test);
    return text + "\n";
  }

  // Exits as git bisect run wants it.
  std::string Judge() const {
    if (!arguments_.differs) return BuildAndRun(last());
    return BuildAndRun(last()) + "code=$?\n[ $code -le 1 ] || exit $code\n" +
           fmt::format("exec {} compare --bisect {} {}\n", self_, ShellQuoted(good().string()),
                       ShellQuoted(last().string()));
  }

 private:
  const BisectArguments& arguments_;
  const std::string self_;
  const fs::path tree_;
  const fs::path out_;
};

// What the good commit does is what the others are compared with.
int RunGood(const Bisection& bisection, const Steps& steps, const std::string& good) {
  const std::string next = bisection.Git({"rev-parse", "HEAD"});
  bisection.Git({"checkout", "-q", good});
  const int code = RunInGroup({"sh", "-c", steps.BuildAndRun(steps.good())});
  bisection.Git({"checkout", "-q", next});
  return code;
}

int BisectTree(const BisectArguments& arguments, const std::string& program) {
  if (!fs::is_directory(arguments.tree)) throw UsageError("--tree: no such folder: " + arguments.tree);
  // Before anything is built for nothing.
  Select(AllTests(), arguments.tests);
  if (!arguments.sut.empty()) ParseSut(arguments.sut);
  const std::string log = (fs::path(arguments.out) / "bisect.log").string();
  CheckDocument(log);
  Bisection bisection(fs::canonical(arguments.tree));
  const Steps steps(arguments, program, bisection.tree());
  TakeEnds();
  try {
    bisection.Begin(arguments.good, arguments.bad);
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
  if (arguments.differs) {
    const int code = RunGood(bisection, steps, arguments.good);
    if (code > 128) return code;
    if (code > 1) {
      throw UsageError(fmt::format("nothing is known of {}, which is to be good (exit code {})", arguments.good, code));
    }
  }
  const int code = bisection.IsOver() ? 0 : RunInGroup({"git", "-C", bisection.tree().string(), "bisect", "run", "sh", "-c", steps.Judge()});
  if (code > 128 && bisect_ended_by != 0) return code;
  WriteDocument(log, bisection.Git({"bisect", "log"}) + "\n");
  if (code != 0) {
    Say("no commit was found: git bisect run ended with " + std::to_string(code));
    return kExitNoCommit;
  }
  Print("first bad commit: {}\n", bisection.Git({"log", "-1", "--format=%h %s", "refs/bisect/bad"}));
  Print("git's log of it in {}\n", log);
  return 0;
}

constexpr const char* kBisectHelp = R"(Each commit is built and tested. One that cannot be built, and one of which a test tells nothing (ERROR, SKIP,
INCONCLUSIVE), is skipped: exit code 125 of 'git bisect run', which does the search. A FAIL that is no known
departure is bad; with --differs, whatever is not as it was of the good commit: a verdict, a reason, an observed
value. That the good commit is good and the bad one bad is believed, not tested. The tree must have no changes,
and is left as it was, also by Ctrl-C.

Examples:
  sockproof bisect Keepalive --good v6.5 --bad v6.6 --build 'make -j8 bzImage'
  sockproof bisect SynRetries --differs --tree ~/linux --good v6.4 --bad v6.5 --build 'make -j8 bzImage'

Exit code: 0 found, 1 not found, 2 wrong usage, 128 and the number for a signal.)";

Action AddBisect(CLI::App& app) {
  auto arguments = std::make_shared<BisectArguments>();
  app.add_option("TEST", arguments->tests, "Suite, Suite.Name, Suite.Name/ipv4, or a glob")
      ->required()
      ->type_name("");
  app.add_option("--good", arguments->good, "A commit before")->required()->type_name("COMMIT");
  app.add_option("--bad", arguments->bad, "A commit behind")->required()->type_name("COMMIT");
  app.add_option("--build", arguments->build, "Builds a commit; a command for the shell, in the tree")
      ->type_name("COMMAND");
  app.add_option("--tree", arguments->tree, "The work tree; default: where you are")->type_name("DIR");
  app.add_option("-s,--sut", arguments->sut, "The system under test; default: vm:TREE")->type_name("SUT");
  app.add_flag("--differs", arguments->differs, "Bad is what is not as of the good commit");
  app.add_option("--out", arguments->out, "Folder for the results; default: sockproof-out")
      ->type_name("DIR");
  return [arguments](const std::string& program) { return BisectTree(*arguments, program); };
}

const CommandRegistration kBisect({"bisect", CommandGroup::kTests,
                                   "Which commit of a kernel changed what a test says",
                                   kBisectHelp, AddBisect});

}  // namespace
}  // namespace sockproof
