// sockproof judge.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "harness/base/errors.h"
#include "harness/base/files.h"
#include "harness/net/ip.h"
#include "harness/trace/event_log.h"
#include "src/cli/command.h"
#include "src/cli/document.h"
#include "src/cli/say.h"
#include "src/judge/judge.h"
#include "src/report/files.h"
#include "src/report/text.h"
#include "src/run/usage_error.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

struct JudgeArguments {
  std::vector<std::string> captures;  // files, or folders of tests or of results
  std::optional<std::string> calls;   // events of the test in which the capture was made
  bool no_calls = false;              // not even those beside a capture
  std::optional<std::string> side;    // address
  std::string json;                   // path; "-" is stdout, instead of the text
  bool all = false;                   // what is allowed too
};

constexpr std::size_t kMostEvidenceFolders = 100'000;
constexpr std::uintmax_t kMostCaptureBytes = std::uintmax_t{1} << 30;

// The folders of tests in a folder: itself, or all below it.
std::vector<fs::path> EvidenceFoldersIn(const fs::path& folder) {
  const auto is_test = [](const fs::path& path) { return fs::exists(path / "events.jsonl"); };
  if (is_test(folder)) return {folder};
  std::vector<fs::path> tests;
  for (const auto& entry :
       fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
    if (tests.size() < kMostEvidenceFolders && entry.is_directory() && is_test(entry.path())) {
      tests.push_back(entry.path());
    }
  }
  std::sort(tests.begin(), tests.end());
  if (tests.empty()) {
    throw UsageError(fmt::format("no test with events in {}", folder.string()));
  }
  return tests;
}

std::string CaptureFileOf(const fs::path& path) {
  if (fs::is_regular_file(path) && fs::file_size(path) > kMostCaptureBytes) {
    throw UsageError(fmt::format("{} is larger than 1 GiB: cut it (editcap -c)", path.string()));
  }
  return ReadFile(path);
}

struct Judged {
  std::string name;
  Judgement judgement;
};

Judged JudgeFile(const fs::path& file, const JudgeArguments& arguments) {
  Capture capture = ReadCapture(CaptureFileOf(file));
  std::vector<Event> events;
  const fs::path beside = file.parent_path() / "events.jsonl";
  if (arguments.calls) {
    events = ReadEvents(*arguments.calls);
    if (events.empty()) throw UsageError("no events in " + *arguments.calls);
  } else if (fs::exists(beside)) {
    events = ReadEvents(beside);
    if (!HasFramesOf(capture, CaptureOf(events))) events.clear();
  }
  TakeFates(capture, CaptureOf(events));
  return {file.string(), JudgeCapture(capture, events, {.side = arguments.side.value_or("")},
                                      !arguments.no_calls)};
}

Judged JudgeTest(const fs::path& folder, const JudgeArguments& arguments) {
  const std::vector<Event> events = ReadEvents(folder / "events.jsonl");
  return {folder.string(),
          JudgeCapture(CaptureOf(events), events, {.side = arguments.side.value_or("")},
                       !arguments.no_calls)};
}

std::vector<Judged> JudgeAll(const JudgeArguments& arguments) {
  std::vector<Judged> judged;
  for (const std::string& path : arguments.captures) {
    if (!fs::exists(path)) throw UsageError("no such file or folder: " + path);
    try {
      if (!fs::is_directory(path)) {
        judged.push_back(JudgeFile(path, arguments));
        continue;
      }
      if (arguments.calls) throw UsageError("--calls goes with a file: a folder has them");
      for (const fs::path& test : EvidenceFoldersIn(path))
        judged.push_back(JudgeTest(test, arguments));
    } catch (const std::invalid_argument& error) {
      throw UsageError(CleanLine(path + ": " + error.what()));
    } catch (const HarnessError& error) {
      throw UsageError(error.what());
    }
  }
  return judged;
}

void PrintJudged(const std::vector<Judged>& judged, bool all) {
  using Answer = ConnectionJudgement::Answer;
  int allowed = 0, departs = 0, undecided = 0;
  for (const auto& [name, judgement] : judged) {
    bool is_interesting = all || judged.size() == 1;
    for (const ConnectionJudgement& one : judgement.connections) {
      allowed += one.answer == Answer::kAllowed;
      departs += one.answer == Answer::kDeparts;
      undecided += one.answer == Answer::kUndecided;
      is_interesting |= one.answer != Answer::kAllowed;
    }
    if (is_interesting) PrintText(RenderJudgement(judgement, name));
  }
  const int ends = allowed + departs + undecided;
  Print("{} end{} of connections: {} allowed, {} depart, {} undecided\n", ends, ends == 1 ? "" : "s",
        allowed, departs, undecided);
}

// An address as captures are shown with it.
std::string AddressOf(const std::string& side) {
  try {
    return IpAddress(side).ToString();
  } catch (const HarnessError&) {
    throw UsageError(fmt::format("--side: '{}' is no IP address", side));
  }
}

int JudgeThem(JudgeArguments arguments) {
  if (arguments.side) arguments.side = AddressOf(*arguments.side);
  CheckDocument(arguments.json);
  const std::vector<Judged> judged = JudgeAll(arguments);
  if (arguments.json != "-") PrintJudged(judged, arguments.all);
  if (!arguments.json.empty()) {
    nlohmann::json json = {{"format", "sockproof-judgement"}, {"version", 1}};
    json["captures"] = nlohmann::json::array();
    for (const auto& [name, judgement] : judged) {
      nlohmann::json capture = judgement;
      capture["name"] = name;
      json["captures"].push_back(std::move(capture));
    }
    WriteDocument(arguments.json,
                  json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }
  const auto departs = [](const Judged& one) { return one.judgement.Departs(); };
  const auto is_empty = [](const Judged& one) { return one.judgement.IsEmpty(); };
  if (std::any_of(judged.begin(), judged.end(), departs)) return 1;
  if (arguments.side && std::all_of(judged.begin(), judged.end(), [](const Judged& one) {
        return one.judgement.connections.empty();
      })) {
    Say("no TCP segment of " + *arguments.side);
  }
  return std::all_of(judged.begin(), judged.end(), is_empty) ? 3 : 0;
}

constexpr const char* kJudgeHelp =
    R"(Each connection is judged up to the first segment that no reading of RFC 9293 section 3.10
allows. What is left open there is allowed, whichever way it goes.

Examples:
  sockproof judge sockproof-out                     # every test of a run, with its calls
  sockproof judge capture.pcapng                    # of a test: with the events.jsonl beside it
  sockproof judge dump.pcap                         # of tcpdump: both ends, calls not known
  sockproof judge dump.pcap --side 192.0.2.1        # made at that host, which alone is judged

Of a test its systems are judged and not its scripted peer; of another capture each end of each
connection, as from between two hosts: a segment may have been lost before it arrived, and nothing
is overdue. With --side an answer has to come in time.

Exit code: 0 nothing departs, 1 something does, 2 wrong usage, 3 nothing could be judged.)";

Action AddJudge(CLI::App& app) {
  auto arguments = std::make_shared<JudgeArguments>();
  app.add_option("CAPTURE", arguments->captures,
                 "pcap or pcapng files, folders of tests, or of results")
      ->required()
      ->type_name("");
  auto* const calls =
      app.add_option("--calls", arguments->calls,
                     "The events.jsonl of the test of a capture; default: the one beside it")
          ->type_name("FILE");
  app.add_flag("--no-calls", arguments->no_calls, "By the segments alone")->excludes(calls);
  app.add_option("--side", arguments->side, "Judge this address, where the capture was made")
      ->type_name("ADDRESS");
  app.add_option("--json", arguments->json, "Write it as JSON; - for stdout")->type_name("FILE");
  app.add_flag("--all", arguments->all, "Show captures in which all is allowed, too");
  return [arguments](const std::string&) { return JudgeThem(*arguments); };
}

const CommandRegistration kJudge({"judge", CommandGroup::kResults,
                                  "Is what a capture shows allowed by RFC 9293?", kJudgeHelp,
                                  AddJudge});

}  // namespace
}  // namespace sockproof
