// sockproof explore.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <thread>

#include "harness/base/errors.h"
#include "harness/mutants/alteration.h"
#include "harness/test/made_from_id.h"
#include "harness/trace/ladder.h"
#include "src/cli/command.h"
#include "src/cli/document.h"
#include "src/cli/options.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/explore/choices.h"
#include "src/explore/explorer.h"
#include "src/explore/known.h"
#include "src/explore/report.h"
#include "src/packetdrill/export.h"
#include "src/report/files.h"
#include "src/run/usage_error.h"
#include "src/run/user_file.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

struct ExploreArguments {
  std::string sut = "host";
  std::vector<std::string> between;  // two systems
  std::uint64_t seed = 1;
  std::optional<double> time;  // seconds
  std::optional<std::uint64_t> sequences;
  bool pairs = false;
  std::string mutant;  // of the system
  int jobs = 0;
  std::string out = "sockproof-explored";
  std::string replay;
  std::string pkt;  // of what is replayed, a script of packetdrill
  std::vector<std::string> known;
  bool no_shipped_known = false;
};

constexpr double kUsualTime = 60;
constexpr double kLongestTime = 1e6;
constexpr int kLargestJobs = 4096;
constexpr int kReplaysInVirtualTime = 2;
constexpr int kExitNotRun = 3;  // or not written

// The signal that asked to make an end of it, and tell what was found. The next one ends the
// program at once, and with it its children.
volatile std::sig_atomic_t interrupted_by = 0;

void TakeInterrupts() {
  struct sigaction action {};
  action.sa_handler = [](int number) { interrupted_by = number; };
  action.sa_flags = SA_RESETHAND;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
}

class CannotPrepare : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Explored {
  std::unique_ptr<Target> target;
  Facts facts;

  explicit Explored(const std::string& sut) : target(MakeTarget(sut)) {}
  void Prepare() {
    try {
      facts = target->Prepare();
    } catch (const HarnessError& error) {
      throw CannotPrepare(error.what());
    }
  }

  // A batch in real time mostly waits.
  int Jobs(int asked) const {
    if (target->jobs_are_fixed()) return target->jobs();
    if (asked > 0) return asked;
    const int processors = static_cast<int>(std::thread::hardware_concurrency());
    return target->virtual_time() ? processors : 3 * processors;
  }
  explore::RunOn Run(const std::string& mutant = "") const {
    Alterations alterations;
    if (!mutant.empty()) alterations.push_back(&FindAlteration(mutant));
    return [this, alterations](const TestCase& test, EventLog& log) {
      target->RunTest(test, alterations, log);
    };
  }
};

explore::ExploreOptions OptionsFor(const ExploreArguments& arguments, const Explored& system) {
  explore::ExploreOptions options;
  options.plan.seed = arguments.seed;
  options.plan.pairs = arguments.pairs;
  options.plan.waits = system.target->virtual_time();
  options.plan.ipv6 = system.facts.Find("capability.ipv6").has_value();
  options.is_exact = system.target->virtual_time();
  if (options.is_exact) options.replays = kReplaysInVirtualTime;
  options.is_interrupted = [] { return interrupted_by != 0; };
  options.sequences = arguments.sequences;
  if (arguments.time) {
    options.time =
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*arguments.time));
  } else if (!arguments.sequences && !arguments.pairs) {
    options.time = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(kUsualTime));
  }
  if (isatty(STDERR_FILENO) == 1) {
    options.progress = [](const std::string& text) { fmt::print(stderr, "\r\033[K{}", text); };
  }
  return options;
}

void EndProgress() {
  if (isatty(STDERR_FILENO) == 1) fmt::print(stderr, "\r\033[K");
}

// A folder for reports: a new one, an empty one, or that of an earlier exploration, which is
// cleared.
void PrepareFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw UsageError("cannot make the folder " + folder.string());
  if (fs::is_empty(folder)) return;
  if (!fs::exists(folder / "report.txt")) {
    throw UsageError(folder.string() + " holds something else; choose another folder with --out");
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool is_ours = name.ends_with(".seq") || name.ends_with(".cc") ||
                         name.ends_with(".ladder.txt") || name == "report.txt";
    if (is_ours && entry.is_regular_file()) fs::remove(entry.path());
  }
}

int CannotExplore(const std::string& why) {
  Say("nothing can be explored here: " + why);
  return kExitNotRun;
}

std::vector<explore::KnownCause> KnownCauses(const ExploreArguments& arguments) {
  std::vector<explore::KnownCause> known;
  if (!arguments.no_shipped_known) known = explore::ShippedKnownCauses();
  for (const std::string& file : arguments.known) {
    for (auto& one : explore::ParseKnownCauses(ReadUserFile(file), file)) {
      known.push_back(std::move(one));
    }
  }
  return known;
}

int ExploreOne(const ExploreArguments& arguments) {
  const std::vector<explore::KnownCause> known = KnownCauses(arguments);
  Explored system(arguments.sut);
  TakeInterrupts();
  PrepareFolder(arguments.out);
  system.Prepare();
  const int jobs = system.Jobs(arguments.jobs);
  const bool may_be_more = !system.target->jobs_are_fixed() && !system.target->virtual_time();
  explore::Pool pool(system.Run(arguments.mutant), jobs, may_be_more ? 2 * jobs : jobs);
  explore::ExploreOptions options = OptionsFor(arguments, system);
  options.is_known = [&](const std::string& cause) {
    return explore::FindKnown(known, cause, system.facts) != nullptr;
  };
  const explore::Exploration exploration = explore::Explore(pool, options);
  EndProgress();
  const explore::ReportOn on{system.target->name(), options.plan,    system.facts, known,
                             arguments.out,         arguments.mutant};
  explore::WriteExploration(exploration, on);
  PrintText(explore::RenderExploration(exploration, on));
  FlushOutput();
  const double seconds = ToSeconds(exploration.took);
  Say(fmt::format("{:.0f} sequences a second for {:.0f} s; reports are in {}",
                  static_cast<double>(exploration.sequences) / std::max(seconds, 0.001), seconds,
                  arguments.out));
  if (exploration.is_interrupted) return 128 + interrupted_by;
  if (exploration.sequences == 0) {
    return CannotExplore(!exploration.why_not.empty()     ? exploration.why_not
                         : exploration.complaints.empty() ? "there are no sequences"
                                                          : exploration.complaints.front());
  }
  return explore::SurprisesIn(exploration, on) > 0 ? 1 : 0;
}

int Compare(const ExploreArguments& arguments) {
  const std::vector<explore::KnownCause> known = KnownCauses(arguments);
  Explored base(arguments.between[0]), patched(arguments.between[1]);
  base.Prepare();
  patched.Prepare();
  TakeInterrupts();
  explore::Pool base_pool(base.Run(), base.Jobs(arguments.jobs));
  explore::Pool patched_pool(patched.Run(), patched.Jobs(arguments.jobs));
  explore::ExploreOptions options = OptionsFor(arguments, base);
  options.plan.waits &= patched.target->virtual_time();
  options.is_exact &= patched.target->virtual_time();
  if (!options.is_exact) options.replays = explore::ExploreOptions().replays;
  options.plan.ipv6 &= patched.facts.Find("capability.ipv6").has_value();
  options.why_known = [&](const std::string& cause) -> std::string {
    for (const Facts* facts : {&patched.facts, &base.facts}) {
      if (const auto* one = explore::FindKnown(known, cause, *facts)) return one->why;
    }
    return "";
  };
  const explore::Comparison comparison = explore::Between(base_pool, patched_pool, options);
  EndProgress();
  PrintText(explore::RenderComparison(comparison, base.target->name(), patched.target->name()));
  FlushOutput();
  if (comparison.is_interrupted) return 128 + interrupted_by;
  if (comparison.sequences == 0) {
    return CannotExplore(comparison.why_not.empty() ? "see above" : comparison.why_not);
  }
  const bool departs =
      std::any_of(comparison.differences.begin(), comparison.differences.end(),
                  [](const auto& one) { return one.kind == explore::Difference::Kind::kDeparts; });
  return departs ? 1 : 0;
}

// False where no script can say it, which is said.
bool WriteScript(const std::vector<Event>& events, const ExploreArguments& arguments) {
  std::string script;
  try {
    script = packetdrill::ExportedScript(events, {arguments.replay + " on " + arguments.sut + ", as it went."});
  } catch (const packetdrill::NotExpressible& why) {
    Say(fmt::format("{} cannot be written as a script of packetdrill: {}", arguments.replay, why.what()));
    return false;
  }
  WriteDocument(arguments.pkt, script);
  return true;
}

int Replay(const ExploreArguments& arguments) {
  std::vector<explore::Sequence> sequences;
  try {
    sequences = explore::ParseSequences(ReadUserFile(arguments.replay));
  } catch (const std::invalid_argument& error) {
    throw UsageError(CleanLine(arguments.replay + ": " + error.what()));
  }
  CheckDocument(arguments.pkt);
  Explored system(arguments.sut);
  system.Prepare();
  explore::Pool pool(system.Run(arguments.mutant), 1);
  pool.Know(explore::ChoicesOf(pool));
  const explore::BatchResult result = pool.RunAll({sequences}, explore::Logged::kAll).front();
  const bool is_shown = arguments.pkt != "-";
  if (is_shown && !result.events.empty()) PrintText(RenderLadder(result.events));
  const bool is_written = arguments.pkt.empty() || WriteScript(result.events, arguments);
  switch (result.end) {
    case explore::BatchResult::End::kNotRun:
    case explore::BatchResult::End::kSkipped:
    case explore::BatchResult::End::kHarnessBroke:
      return CannotExplore(result.why);
    case explore::BatchResult::End::kCrashed:
      if (is_shown) Print("CRASH: {}\n", result.why);
      return 1;
    case explore::BatchResult::End::kWhole:
      break;
  }
  int departures = 0;
  for (const explore::SequenceResult& one : result.sequences) {
    const auto& finding = one.patient ? one.patient : one.prompt;
    if (!finding) continue;
    ++departures;
    if (!is_shown) continue;
    Print("DEPARTS: {}{}\n  observed  {}\n  expected  {}\n  because   {}: {} ({})\n",
          finding->Cause(), one.patient ? "" : " (an answer may only have been late)",
          finding->observed, finding->departure.expected, finding->departure.section,
          finding->departure.sentence, finding->departure.claim);
  }
  if (departures > 0) return 1;
  if (is_shown) Print("allowed by RFC 9293\n");
  return is_written ? 0 : kExitNotRun;
}

int ExploreThem(const ExploreArguments& arguments) {
  try {
    if (!arguments.replay.empty()) return Replay(arguments);
    if (!arguments.pkt.empty()) throw UsageError("--pkt is for --replay");
    if (!arguments.between.empty()) return Compare(arguments);
    return ExploreOne(arguments);
  } catch (const CannotPrepare& error) {
    return CannotExplore(error.what());
  }
}

constexpr const char* kExploreHelp =
    R"(Makes sequences of calls and segments, runs them on a system, and judges what it does by RFC 9293
section 3.10. What departs is shown once for each cause, shrunk to few steps, with the sentence that
asks for something else: read both. Files in --out repeat it (N.seq), show it (N.ladder.txt), and
are a test to begin with (N.cc). What does not come again when it is run by itself is listed apart.
Ctrl-C tells what was found so far.

Examples:
  sockproof explore -s vm:bzImage --time 600
  sockproof explore --pairs                          # every pair of steps in every state
  sockproof explore -s lwip --replay sockproof-explored/1.seq
  sockproof explore --between vm:debian:6.1 vm:bzImage --sequences 2000

Exit code: 0 nothing new, 1 something departs or crashed that is not known, 2 wrong usage,
3 nothing could be run, or no script can say what happened (--pkt); 128 and the number for a signal.)";

void CheckMutant(const std::string& id) {
  try {
    FindAlteration(id);
  } catch (const HarnessError& error) {
    throw UsageError(error.what());
  }
}

Action AddExplore(CLI::App& app) {
  auto arguments = std::make_shared<ExploreArguments>();
  AddSut(app, arguments->sut);
  app.add_option("--seed", arguments->seed, "Of the random sequences; default: 1")
      ->check(WholeNumber(0, std::numeric_limits<long long>::max()))
      ->type_name("NUMBER");
  app.add_option("--time", arguments->time,
                 "For all of it, shrinking too; default: 60, without --sequences")
      ->check(NumberFrom(0.1, kLongestTime))
      ->type_name("SECONDS");
  app.add_option("--sequences", arguments->sequences, "How many to run")
      ->check(WholeNumber(1, 1'000'000'000))
      ->type_name("NUMBER");
  app.add_flag("--pairs", arguments->pairs, "Every pair of steps from every state");
  app.add_option("--mutant", arguments->mutant,
                 "Explore this mutant or variant of the system, of those of selfproof")
      ->check(Checked([](const std::string& id) { CheckMutant(id); }))
      ->type_name("ID");
  app.add_option("-j,--jobs", arguments->jobs, "How many processes at a time")
      ->check(WholeNumber(1, kLargestJobs))
      ->type_name("NUMBER");
  app.add_option("--out", arguments->out, "Folder of the reports; default: sockproof-explored")
      ->type_name("DIR");
  app.add_option("--known", arguments->known, "Causes that are known, beside those that come along")
      ->type_name("FILE");
  app.add_flag("--no-shipped-known", arguments->no_shipped_known, "Without those");
  app.add_option("--replay", arguments->replay, "Run the sequences of this file, and show them")
      ->type_name("FILE");
  app.add_option("--pkt", arguments->pkt, "And write what happened as a script of packetdrill; - for stdout, where nothing else is shown then")
      ->type_name("FILE");
  app.add_option("--between", arguments->between, "Show what differs between two systems")
      ->expected(2)
      ->type_name("BASE PATCHED");
  return [arguments](const std::string&) { return ExploreThem(*arguments); };
}

const CommandRegistration kExplore({"explore", CommandGroup::kTests,
                                    "Look for departures that no test is about", kExploreHelp,
                                    AddExplore});
// In a guest, batches are known by their ids.
const MakerRegistration kBatches(explore::BatchFromId);

}  // namespace
}  // namespace sockproof
