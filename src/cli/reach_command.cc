// sockproof reach.
#include <fmt/format.h>
#include <fnmatch.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "harness/base/errors.h"
#include "harness/base/files.h"
#include "harness/base/text.h"
#include "harness/test/registry.h"
#include "src/cli/baseline_options.h"
#include "src/cli/command.h"
#include "src/cli/document.h"
#include "src/cli/options.h"
#include "src/cli/run_options.h"
#include "src/cli/say.h"
#include "src/cli/target.h"
#include "src/reach/debug_lines.h"
#include "src/reach/page.h"
#include "src/reach/record.h"
#include "src/report/files.h"
#include "src/run/runner.h"
#include "src/run/usage_error.h"
#include "src/vm/reached.h"

namespace sockproof {
namespace {

namespace fs = std::filesystem;

struct ReachArguments {
  std::vector<std::string> patterns;
  std::string sut;
  std::string out = "sockproof-reach";
  std::string show;    // glob of functions; empty: record
  std::string html;    // path of a page; empty: record
  std::string source;  // of the kernel; empty: the tree of vm:TREE
  std::vector<std::string> files = {"net/ipv4", "net/ipv6", "net/unix", "net/core/sock.c"};
  int jobs = 0;      // 0: as many as the machine carries
};

using Symbols = std::map<std::uint64_t, std::string>;

// The lines of a kernel's code, and the files as they were when recording began.
struct KernelLines {
  reach::DebugLines table;
  std::map<std::string, std::string> texts;
};

// The functions in which the blocks are, by the names of their source.
std::set<std::string> FunctionsOf(const std::vector<CodeBlock>& blocks, const Symbols& symbols) {
  std::set<std::string> names;
  for (const CodeBlock& block : blocks) {
    auto next = symbols.upper_bound(block.begin);
    if (next == symbols.begin()) continue;
    names.insert(reach::SourceName(std::prev(next)->second));
    // Code that is run as one may go on in the next function when that begins within it.
    for (; next != symbols.end() && next->first < block.begin + block.size; ++next) {
      names.insert(reach::SourceName(next->second));
    }
  }
  return names;
}

// The files, one for each test, through which the processes of the tests tell what was reached.
class Notes {
 public:
  Notes(const fs::path& folder, const Tests& tests) : folder_(folder) {
    fs::remove_all(folder);
    fs::create_directories(folder);
    for (std::size_t i = 0; i < tests.size(); ++i) numbers_[tests[i]->id()] = i;
  }
  ~Notes() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;

  // `lines`: numbers of DebugLines.
  void Write(const TestCase& test, const std::set<std::string>& functions,
             const std::set<std::size_t>& lines) const {
    std::ofstream file(PathOf(numbers_.at(test.id())));
    for (const std::string& name : functions) file << name << '\n';
    for (const std::size_t line : lines) file << kLineSign << line << '\n';
    if (!file.flush()) throw HarnessError("cannot write to " + folder_.string());
  }

  reach::Record Gathered(const Tests& tests, const Symbols& symbols,
                         const std::optional<KernelLines>& lines) const {
    reach::Record record;
    std::vector<std::vector<std::size_t>> tests_of_line(lines ? lines->table.Numbered().size() : 0);
    for (const auto& symbol : symbols) record.functions[reach::SourceName(symbol.second)];
    for (std::size_t i = 0; i < tests.size(); ++i) {
      if (!fs::exists(PathOf(i))) continue;
      std::istringstream names(ReadFile(PathOf(i)));
      for (std::string name; std::getline(names, name);) {
        if (name[0] == kLineSign) {
          tests_of_line.at(std::stoul(name.substr(1))).push_back(record.tests.size());
        } else {
          record.functions[name].insert(record.tests.size());
        }
      }
      record.tests.push_back(tests[i]->id());
    }
    for (std::size_t i = 0; i < tests_of_line.size(); ++i) {
      const auto& [file, line] = lines->table.Numbered()[i];
      record.SetLine(file, line, {tests_of_line[i].begin(), tests_of_line[i].end()});
    }
    for (auto& [name, file] : record.files) file.text = lines->texts.at(name);
    return record;
  }

 private:
  static constexpr char kLineSign = '#';  // no function's name begins so

  fs::path PathOf(std::size_t number) const { return folder_ / std::to_string(number); }

  fs::path folder_;
  std::map<std::string, std::size_t> numbers_;
};

void Keep(const reach::Record& record, const fs::path& file) {
  const fs::path fresh = fmt::format("{}.{}.new", file.string(), getpid());
  std::ofstream stream(fresh);
  stream << reach::ToText(record);
  if (!stream.flush()) throw HarnessError("cannot write " + fresh.string());
  fs::rename(fresh, file);
}

// Where the source of the kernel is; empty: it is not known.
fs::path SourceOf(const ReachArguments& arguments) {
  if (!arguments.source.empty()) return arguments.source;
  const std::string tree = ParseSut(arguments.sut).what;
  return fs::is_directory(fs::path(tree) / "net") ? tree : "";
}

// None, and why is said, when the kernel tells no lines.
std::optional<KernelLines> LinesOfKernel(const ReachArguments& arguments) {
  const fs::path vmlinux = fs::path(ParseSut(arguments.sut).what) / "vmlinux";
  std::string why = "there is no " + vmlinux.string();
  if (SourceOf(arguments).empty()) {
    why = "it takes a kernel in the tree where it was built, or --source";
  } else if (fs::is_regular_file(vmlinux)) {
    KernelLines lines{reach::DebugLines::Of(vmlinux, SourceOf(arguments)), {}};
    for (const auto& [file, line] : lines.table.Numbered()) {
      if (!lines.texts.contains(file)) lines.texts[file] = ReadFile(SourceOf(arguments) / file);
    }
    if (!lines.texts.empty()) return lines;
    why = vmlinux.string() + " has no debug information (CONFIG_DEBUG_INFO)";
  }
  Say("functions are recorded, not lines: " + why);
  return std::nullopt;
}

int RecordReach(const ReachArguments& arguments, const std::string& program) {
  const std::unique_ptr<Target> target = MakeTarget(arguments.sut);
  const auto* const kernel = dynamic_cast<const KernelTarget*>(target.get());
  if (kernel == nullptr)
    throw UsageError("what is reached is known of kernels in virtual machines");
  const Tests tests = Select(AllTests(), arguments.patterns);
  OutputDirectory directory(arguments.out);
  Reports reports(directory, {});
  RunResult run = NewResult(tests, target->name(), program);
  reports.Begin(run);
  const Facts facts = target->Prepare();
  const Symbols symbols = kernel->Symbols();
  const std::optional<KernelLines> lines = LinesOfKernel(arguments);
  const Notes notes(directory.path() / "reached", tests);
  ReachOfRun().plugin = fs::path(ProgramBeside("sockproof-reach.so"));
  ReachOfRun().take = [&](const TestCase& test, const std::vector<CodeBlock>& blocks) {
    std::set<std::size_t> reached;
    for (const CodeBlock& block : blocks) {
      if (lines) reached.merge(lines->table.At(block.begin, block.begin + block.size));
    }
    notes.Write(test, FunctionsOf(blocks, symbols), reached);
  };
  RunOptions options = OptionsOn(*target, Baseline(KnownDepartures({}), facts), arguments.jobs);
  options.attempts = 1;
  Progress progress(STDOUT_FILENO, {.quiet = true});
  const int signal_number = RunTests(
      tests, facts, [&](const TestCase& test, EventLog& log) { target->RunTest(test, {}, log); },
      options, run, reports, progress);
  if (signal_number != 0) return 128 + signal_number;
  reach::Record record = notes.Gathered(tests, symbols, lines);
  if (record.tests.empty()) {
    Say("no test told what it reaches; see " + arguments.out);
    return 3;
  }
  record.kernel = target->name();
  record.release = facts.Find("release").value_or("");
  const fs::path place = reach::PlaceOf(arguments.sut);
  if (!arguments.patterns.empty() && fs::exists(place))
    record.AddTestsOf(reach::ReadRecord(arguments.sut));
  Keep(record, place);
  std::size_t reached = 0;
  for (const auto& function : record.functions) reached += function.second.empty() ? 0 : 1;
  Print("{} tests reach {} of the {} functions of Linux {}; kept in {}\n", record.tests.size(),
        reached, record.functions.size(), record.release, place.string());
  return 0;
}

// A line for each function: how many tests reach it.
int Show(const ReachArguments& arguments) {
  if (!arguments.patterns.empty()) throw UsageError("--show is of all tests; it takes no PATTERN");
  const reach::Record record = reach::ReadRecord(arguments.sut);
  std::size_t all = 0;
  std::size_t reached = 0;
  for (const auto& [name, tests] : record.functions) {
    if (fnmatch(arguments.show.c_str(), name.c_str(), 0) != 0) continue;
    Print("{:6}  {}\n", tests.size(), CleanLine(name));
    ++all;
    reached += tests.empty() ? 0 : 1;
  }
  if (all == 0) throw UsageError("no function has such a name: " + CleanLine(arguments.show));
  Print("{} of {} functions are reached by any of {} tests\n", reached, all, record.tests.size());
  return 0;
}

int WriteReachPage(const ReachArguments& arguments) {
  if (!arguments.patterns.empty()) throw UsageError("--html is of all tests; it takes no PATTERN");
  const reach::Record record = reach::ReadRecord(arguments.sut);
  const fs::path source = SourceOf(arguments);
  const std::vector<reach::ReachedGroup> groups =
      source.empty() ? reach::GroupsByName(record, {"tcp_", "inet_csk_", "inet_", "inet6_", "udp_", "udpv6_", "ip_",
                                                    "ip6_", "unix_", "sock_", "raw_", "packet_", "netlink_"})
                     : reach::GroupsByFile(record, source, arguments.files);
  if (groups.empty()) throw UsageError("the record has no functions of these files");
  WriteDocument(arguments.html, reach::ReachPage(record, groups));
  if (arguments.html == "-") return 0;
  reach::ReachedGroup all;
  const auto line = [](std::size_t reached, std::size_t known, const reach::ReachedGroup& group) {
    const std::string lines =
        group.lines == 0 ? "" : fmt::format("  {:6} of {:6} lines", group.reached_lines, group.lines);
    return fmt::format("{:6} of {:6} functions{}", reached, known, lines);
  };
  std::size_t known = 0, reached = 0;
  for (const reach::ReachedGroup& group : groups) {
    Print("{}  {}\n", line(group.Reached(), group.Known(), group), group.name);
    known += group.Known();
    reached += group.Reached();
    all.lines += group.lines;
    all.reached_lines += group.reached_lines;
  }
  Print("{}  in all, by {} tests; page in {}\n", line(reached, known, all), record.tests.size(), arguments.html);
  if (source.empty()) Say("without --source, functions go by their names: it tells their files");
  return 0;
}

constexpr const char* kReachHelp = R"(Examples:
  sockproof reach -s vm:debian:6.1                    which functions each test reaches, recorded
  sockproof reach -s vm:debian:6.1 --show 'tcp_*'     how many tests reach each of these
  sockproof reach -s vm:TREE --html reach.html        a page: functions of net/, by file, reached and not
  sockproof run -s vm:TREE --touching tcp_ack         the tests that reach it
  sockproof run -s vm:TREE --changed HEAD~1           the tests that reach what was changed since

Exit code: 0 done, 2 wrong usage, 3 it could not be recorded.)";

Action AddReach(CLI::App& app) {
  auto arguments = std::make_shared<ReachArguments>();
  app.add_option("PATTERN", arguments->patterns, "Tests, as for run; default: all");
  app.add_option("-s,--sut", arguments->sut, "The kernel: vm:..., as for run")
      ->required()
      ->type_name("SUT");
  app.add_option(
         "--show", arguments->show,
         "Run nothing: say how many tests reach each function of that name, by the last record")
      ->type_name("GLOB");
  app.add_option("--html", arguments->html, "Run nothing: write a page of the last record, by file")
      ->type_name("FILE");
  app.add_option("--source", arguments->source, "The kernel's source; default: the tree of -s vm:TREE")
      ->type_name("DIR");
  app.add_option("--files", arguments->files,
                 "Files and folders on it; default: net/ipv4,net/ipv6,net/unix,net/core/sock.c")
      ->delimiter(',')
      ->type_name("PATHS");
  app.add_option("--jobs", arguments->jobs, "Machines at once; default: one for each processor")
      ->check(WholeNumber(1, 4096))
      ->type_name("N");
  app.add_option("--out", arguments->out, "Folder for the results; default: sockproof-reach")
      ->type_name("DIR");
  return [arguments](const std::string& program) {
    if (ParseSut(arguments->sut).kind != "vm") throw UsageError("what is reached is known of kernels in virtual machines");
    if (!arguments->html.empty()) return WriteReachPage(*arguments);
    return arguments->show.empty() ? RecordReach(*arguments, program) : Show(*arguments);
  };
}

const CommandRegistration kReach({"reach", CommandGroup::kSystems,
                                  "Record which functions of a kernel each test reaches",
                                  kReachHelp, AddReach});

}  // namespace
}  // namespace sockproof
