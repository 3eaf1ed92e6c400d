// sockproof: the command line.
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/base/errors.h"
#include "harness/sut/lwip_system.h"
#include "harness/test/registry.h"
#include "src/cli/commands.h"
#include "src/cli/configuration.h"
#include "src/cli/container.h"
#include "src/container/first_process.h"
#include "src/report/wrong_input.h"
#include "src/run/child.h"
#include "src/run/selection.h"
#include "src/run/usage_error.h"
#include "src/vm/guest.h"

namespace sockproof {
namespace {

constexpr auto kProbePatience = 60s;

constexpr const char* kExamples = R"(Examples:
  sockproof doctor                      what this machine can do, and how to mend what it cannot
  sockproof run                         all tests; results in ./sockproof-out
  sockproof run HalfClose               one suite
  sockproof run 'TimeWait.*/ipv6'       whatever matches
  sockproof run --junit junit.xml       for a CI system
  sockproof list --claims notes         which test checks which claim
  sockproof explain HalfClose           what these tests check, and by whose word

Exit code: 0 all as expected, 1 a surprise, 2 wrong usage, 3 could not test.)";

void AddBaselineOptions(CLI::App& command, BaselineArguments& baseline) {
  command
      .add_option("--baseline", baseline.files,
                  "Known departures of your system; overrules the shipped ones; repeatable")
      ->type_name("FILE");
  command.add_flag("--no-shipped-baseline", baseline.no_shipped,
                   "Forget the departures that come with sockproof");
}

// As CLI::Option::check() wants it: what is wrong, or nothing.
std::function<std::string(const std::string&)> Checked(
    const std::function<void(const std::string&)>& throws_usage_error) {
  return [throws_usage_error](const std::string& text) -> std::string {
    try {
      throws_usage_error(text);
      return "";
    } catch (const UsageError& error) {
      return error.what();
    }
  };
}

void AddJunitDialect(CLI::App& command, std::string& dialect) {
  command
      .add_option("--junit-dialect", dialect,
                  "common (default), or strict: valid for Jenkins' xUnit plugin")
      ->check(CLI::IsMember({"common", "strict"}))
      ->type_name("DIALECT");
}

int Main(int argc, char** argv) {
  CLI::App app("Conformance tests for sockets and TCP, on the wire.", "sockproof");
  app.set_version_flag("--version", std::string("sockproof ") + SOCKPROOF_VERSION);
  app.footer(kExamples);
  app.require_subcommand(1);

  RunArguments run;
  run.program = argv[0];
  CLI::App* run_command = app.add_subcommand("run", "Run tests and report what they found");
  run_command->add_option("PATTERN", run.patterns,
                          "Suite, Suite.Name, Suite.Name/ipv4 or a glob; default: all tests");
  run_command->add_option("--junit", run.junit, "Write JUnit XML too")->type_name("FILE");
  AddJunitDialect(*run_command, run.junit_dialect);
  run_command->add_option("--ktap", run.ktap, "Write KTAP, as kernel tests do, too")
      ->type_name("FILE");
  run_command
      ->add_option("--compare", run.compare,
                   "In the end write a page that shows the systems side by side")
      ->type_name("FILE");
  run_command
      ->add_option("--jobs", run.jobs,
                   "Tests at once; auto (default): as many as the machine carries")
      ->check((CLI::Range(1, 4096) | CLI::IsMember({"auto"})).description(""))
      ->type_name("N");
  run_command->add_option("--level", run.levels, "Tests of claims of that level: MUST, SHOULD, ...")
      ->check(CLI::IsMember({"MUST", "SHOULD", "MAY", "documented"}))
      ->type_name("LEVEL");
  const auto known_tag = Checked([](const std::string& tag) { WithTags({}, {tag}, {}); });
  run_command->add_option("--tag", run.tags, "Tests with that tag ('sockproof list --tags')")
      ->check(known_tag)
      ->type_name("TAG");
  run_command->add_option("--without", run.without, "Tests without that tag")
      ->check(known_tag)
      ->type_name("TAG");
  run_command
      ->add_option("--max-wait", run.max_wait,
                   "Skip tests that wait longer; default: 180 where time is real")
      ->check(CLI::NonNegativeNumber)
      ->type_name("SECONDS");
  run_command
      ->add_option("--attempts", run.attempts,
                   "Runs of a test until its verdict is beyond doubt; default: 3")
      ->check(CLI::Range(1, 100))
      ->type_name("N");
  run_command->add_option("--repeat", run.repeat, "Run each test N times, or until a surprise")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N");
  run_command->add_flag("--until-fail", run.until_fail,
                        "Run the tests again and again, stop at the first surprise");
  run_command->add_flag("--shuffle", run.shuffle, "Start tests in a random order");
  run_command->add_option("--seed", run.seed, "Repeat that random order")->type_name("SEED");
  run_command->add_flag("--rerun-failed", run.rerun_failed,
                        "Only the tests that were surprises in the results of --out");
  run_command->add_option("--shard", run.shard, "Part K of N of the tests, K from 1")
      ->check(Checked(ParseShard))
      ->type_name("K/N");
  run_command->add_option("--out", run.out, "Folder for the results; default: sockproof-out")
      ->type_name("DIR");
  run_command->add_option("--color", run.color, "auto, always or never; default: auto")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN");
  AddBaselineOptions(*run_command, run.baseline);
  run_command
      ->add_option("--config", run.configuration,
                   "TOML file with values for these options: jobs = 8, ...")
      ->configurable(false)
      ->type_name("FILE");
  run_command->add_flag("-v,--verbose", run.verbose, "A line for each test that passed, always");

  SelfproofArguments selfproof;
  selfproof.program = argv[0];
  CLI::App* selfproof_command = app.add_subcommand(
      "selfproof",
      "Run tests against systems made wrong on purpose: each must find fault with one");
  selfproof_command->add_option("PATTERN", selfproof.patterns, "As for run");
  selfproof_command
      ->add_option("--jobs", selfproof.jobs,
                   "Tests at once; default: as many as the machine carries")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  selfproof_command
      ->add_option("--out", selfproof.out, "Folder for the evidence; default: sockproof-selfproof")
      ->type_name("DIR");
  selfproof_command->add_flag("--every-mutant", selfproof.every_mutant,
                              "The whole table, not only the first mutant that is caught");

  ListArguments list;
  CLI::App* list_command = app.add_subcommand("list", "List tests, or claims with their tests");
  list_command->add_option("PATTERN", list.patterns, "As for run");
  list_command->add_flag("--json", list.json, "For programs");
  list_command->add_flag("--tags", list.tags, "The words for --tag, with their number of tests");
  list_command->add_option("--claims", list.authority, "Claims of notes, rfc9293, ...")
      ->type_name("AUTHORITY");
  list_command->add_flag("--coverage", list.coverage,
                         "Which claims are tested, untestable or open; with --claims each of them");
  list_command->add_option("--html", list.html, "Write the coverage as a web page")
      ->type_name("FILE");

  ReportArguments report;
  CLI::App* report_command =
      app.add_subcommand("report", "Make reports from the results of an earlier run");
  report_command->add_option("DIR", report.results, "Folder of the results, or its result.json")
      ->required()
      ->type_name("");
  report_command->add_option("--junit", report.junit, "Write JUnit XML; - for stdout")
      ->type_name("FILE");
  AddJunitDialect(*report_command, report.junit_dialect);
  report_command->add_option("--ktap", report.ktap, "Write KTAP; - for stdout")->type_name("FILE");
  report_command->add_option("--json", report.json, "Write the result as JSON; - for stdout")
      ->type_name("FILE");

  DiffArguments diff;
  CLI::App* diff_command =
      app.add_subcommand("diff", "What is different between two results; exit code 1 if worse");
  diff_command->add_option("BASE", diff.base, "Folder of the older results, or a result.json")
      ->required()
      ->type_name("");
  diff_command->add_option("NEW", diff.current, "Folder of the newer results, or a result.json")
      ->required()
      ->type_name("");
  diff_command->add_option("--json", diff.json, "Write it as JSON; - for stdout, in place of text")
      ->type_name("FILE");
  diff_command
      ->add_option("--slower", diff.slower,
                   "Name tests that took longer by more than that, and 0.1 s; default: 25")
      ->check(CLI::Range(0.0, 1e9))
      ->type_name("PERCENT");

  LadderArguments ladder;
  CLI::App* ladder_command = app.add_subcommand(
      "ladder", "Show what happened in a test that was run, as text or as a picture");
  ladder_command
      ->add_option("TEST", ladder.tests,
                   "Suite.Name/ipv4, or the folder of a test; two side by side")
      ->required()
      ->expected(1, 2)
      ->type_name("");
  ladder_command
      ->add_option("--of", ladder.results,
                   "Results where it was run; default: sockproof-out; twice: side by side")
      ->type_name("DIR");
  ladder_command->add_option("--svg", ladder.svg, "Draw a picture; - for stdout")
      ->type_name("FILE");

  CompareArguments compare;
  CLI::App* compare_command =
      app.add_subcommand("compare", "How systems differ, by test or by documented statement");
  compare_command
      ->add_option("RESULT", compare.results,
                   "Folders of results, or of several systems' results; one or more")
      ->required()
      ->type_name("");
  compare_command->add_flag("--all", compare.all, "Rows that do not differ, too");
  compare_command->add_option("--by", compare.by, "Rows: test (default) or claim")
      ->check(CLI::IsMember({"test", "claim"}))
      ->type_name("ROW");
  compare_command->add_option("--html", compare.html, "Write it as a page: one file, to be linked")
      ->type_name("FILE");
  compare_command
      ->add_option("--json", compare.json, "Write it as JSON; - for stdout, in place of the table")
      ->type_name("FILE");

  MergeArguments merge;
  CLI::App* merge_command =
      app.add_subcommand("merge", "Make one result of those of shards, or of different tests");
  merge_command->add_option("OUT", merge.out, "Folder to write, as --out of run")
      ->required()
      ->type_name("");
  merge_command->add_option("DIR", merge.parts, "Folders of results")->required()->type_name("");

  std::string id;
  CLI::App* explain_command =
      app.add_subcommand("explain", "What a test checks, by whose word, and how to repeat it");
  explain_command->add_option("ID", id, "As PATTERN of run")->required()->type_name("");

  CLI::App* baseline_command =
      app.add_subcommand("baseline", "Record how a system departs, and check such records");
  baseline_command->require_subcommand(1);
  std::vector<std::string> baselines;
  CLI::App* check_command = baseline_command->add_subcommand("check", "Are these files baselines?");
  check_command->add_option("FILE", baselines, "Baselines")->required()->type_name("");
  BaselineUpdateArguments update;
  CLI::App* update_command = baseline_command->add_subcommand(
      "update", "Bring a baseline to what a run observed, and keep the rest of the file as it is");
  update_command->add_option("RESULT", update.result, "Folder of the run's results")
      ->required()
      ->type_name("");
  update_command->add_option("--baseline", update.baseline, "The file; made when it is not there")
      ->type_name("FILE");
  update_command->add_option("--output", update.output, "Write to another file")->type_name("FILE");
  update_command->add_flag("--no-shipped-baseline", update.no_shipped,
                           "As if no departures came with sockproof");

  CLI::App* doctor_command =
      app.add_subcommand("doctor", "What this machine can do, and the fix for what it cannot");

  CLI::App* agent_check_command = app.add_subcommand(
      "agent-check", "Does an agent do what is required of it? (src/agent/README.md)");
  agent_check_command->footer(
      "COMMAND starts the agent, here or elsewhere: ./my-agent, or ssh box ./my-agent\n"
      "Exit code: 0 it conforms, 1 it does not, 2 wrong usage, 3 it cannot be started.");
  agent_check_command->prefix_command();

  const std::string kSut =
      std::string(
          "System under test: host (this kernel), host,agent=PATH (with another agent), vm:PATH "
          "(kernel image)[,modules=DIR], vm:DIR (kernel tree), vm:debian:6.1 (after 'kernels "
          "fetch'), lwip, ") +
      kContainerSpellings + ", agent:COMMAND (with --wire)";
  std::string sut = "host";
  for (CLI::App* command : {selfproof_command, list_command, explain_command, doctor_command}) {
    command->add_option("-s,--sut", sut, kSut)->type_name("SUT");
  }
  run_command->add_option("-s,--sut", run.suts, kSut + "; several, one by one")->type_name("SUT");
  run_command->add_flag("!--no-cache", run.use_cache,
                        "Boot kernels anew, whatever snapshots there are");
  run_command
      ->add_option("--real-time", run.real_time,
                   "Kernels in real time, by kvm or (emulated, slow) tcg; default: virtual time")
      ->check(CLI::IsMember({"kvm", "tcg"}))
      ->type_name("HOW");

  run_command
      ->add_option("--wire", run.wire,
                   "For --sut agent:COMMAND, a system of yours: the interface that leads to it")
      ->type_name("IFACE");
  run_command
      ->add_option("--second-agent", run.second_agent,
                   "A second such system, for tests between two, with its --second-wire")
      ->type_name("COMMAND");
  run_command->add_option("--second-wire", run.second_wire, "The interface that leads there")
      ->type_name("IFACE");

  CLI::App* kernels_command =
      app.add_subcommand("kernels", "Kernels of Debian for --sut vm:debian:VERSION");
  kernels_command->require_subcommand(1);
  CLI::App* fetch_command =
      kernels_command->add_subcommand("fetch", "Download and unpack kernels; nothing is installed");
  std::vector<std::string> kernels;
  std::string mirror;
  fetch_command->add_option("NAME", kernels, "debian:5.10, debian:6.1, ...")
      ->required()
      ->type_name("");
  fetch_command
      ->add_option("--mirror", mirror, "Debian archive; default: that of this machine's apt")
      ->type_name("URL");
  CLI::App* kernels_list_command =
      kernels_command->add_subcommand("list", "What has been fetched, and snapshots of it");

  CLI::App* runtimes_command =
      app.add_subcommand("runtimes", "OCI runtimes for --sut rootfs:DIR,runtime=NAME");
  runtimes_command->require_subcommand(1);
  CLI::App* fetch_runtime_command = runtimes_command->add_subcommand(
      "fetch", "Download and unpack a runtime; nothing is installed");
  std::string runtime;
  fetch_runtime_command->add_option("NAME", runtime, "runsc, of gVisor")
      ->required()
      ->check(CLI::IsMember({"runsc"}))
      ->type_name("");
  fetch_runtime_command
      ->add_option("--mirror", mirror, "Debian archive; default: that of this machine's apt")
      ->type_name("URL");

  // One value for each mention of an option, so that a PATTERN may follow it.
  for (CLI::App* command : app.get_subcommands({})) {
    for (CLI::Option* option : command->get_options()) {
      if (!option->get_positional()) option->allow_extra_args(false);
    }
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::RequiredError& error) {
    const bool no_command = app.get_subcommands().empty();
    Complain(!no_command ? fmt::format("{}; see 'sockproof {} --help'", error.what(),
                                       app.get_subcommands().front()->get_name())
             : argc < 2  ? "a command is missing; see 'sockproof --help'"
                         : fmt::format("unknown command '{}'; see 'sockproof --help'", argv[1]));
    return 2;
  } catch (const CLI::ParseError& error) {
    Complain(fmt::format("{}; see 'sockproof --help'", error.what()));
    return 2;
  }
  try {
    if (!run.configuration.empty()) ApplyConfiguration(*run_command, run.configuration);
    list.sut = selfproof.sut = sut;
    if (run_command->parsed()) return RunCommand(run);
    if (check_command->parsed()) return BaselineCheckCommand(baselines);
    if (update_command->parsed()) return BaselineUpdateCommand(update);
    if (selfproof_command->parsed()) return SelfproofCommand(selfproof);
    if (agent_check_command->parsed()) return AgentCheckCommand(agent_check_command->remaining());
    if (report_command->parsed()) return ReportCommand(report);
    if (diff_command->parsed()) return DiffCommand(diff);
    if (ladder_command->parsed()) {
      if (ladder.results.empty()) ladder.results = {"sockproof-out"};
      return LadderCommand(ladder);
    }
    if (compare_command->parsed()) return CompareCommand(compare);
    if (merge_command->parsed()) return MergeCommand(merge);
    if (list_command->parsed()) return ListCommand(list);
    if (fetch_command->parsed()) return KernelsFetchCommand(kernels, mirror);
    if (kernels_list_command->parsed()) return KernelsListCommand();
    if (fetch_runtime_command->parsed()) return RuntimesFetchCommand(mirror);
    if (explain_command->parsed()) return ExplainCommand(run.program, id, sut);
    return DoctorCommand(sut);
  } catch (const UsageError& error) {
    Complain(error.what());
    return 2;
  } catch (const WrongInput& error) {
    Complain(error.what());
    return 2;
  } catch (const std::exception& error) {
    Complain(error.what());
    return 3;
  }
}

}  // namespace

void Complain(const std::string& text) {
  std::istringstream words(text);
  std::string line = "sockproof:";
  for (std::string word; words >> word;) line += " " + word;
  fmt::print(stderr, "{}\n", line);
}

// The agent is installed beside this program.
std::string AgentProgram() {
  const char* chosen = getenv("SOCKPROOF_AGENT");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  return std::filesystem::read_symlink("/proc/self/exe").replace_filename("sockproof-agent");
}

std::string LwipAgentProgram() {
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string agent = program.parent_path() / "sockproof-agent-lwip";
  if (access(agent.c_str(), X_OK) == 0) return agent;
  throw HarnessError("lwIP cannot be tested: " + agent +
                     " is not there; it is built where the package liblwip-dev is installed");
}

std::unique_ptr<System> MakeSystem(const std::string& sut) {
  constexpr std::string_view kHostAgent = "host,agent=";
  if (sut == "host") return MakeHostSystem(AgentProgram());
  if (sut.starts_with(kHostAgent)) {
    const std::string agent = sut.substr(kHostAgent.size());
    if (agent.empty()) throw UsageError("--sut host,agent=PATH: the path is missing");
    return MakeHostSystem(std::filesystem::absolute(agent));
  }
  if (sut == "lwip") return MakeLwipSystem(LwipAgentProgram());
  if (std::unique_ptr<System> container = MakeContainer(sut, AgentProgram())) return container;
  if (sut.starts_with("agent:")) throw UsageError("only run works on agent:COMMAND");
  throw UsageError("unknown system under test '" + sut +
                   "'; there are host, host,agent=PATH, vm:KERNEL, lwip, rootfs:DIR, "
                   "container:IMAGE and agent:COMMAND");
}

Facts ProbeFacts(System& system) {
  const auto read = [&system] { return nlohmann::json(ReadFacts(system)).dump(); };
  return nlohmann::json::parse(CallInChild(read, kProbePatience)).get<Facts>();
}

}  // namespace sockproof

int main(int argc, char** argv) {
  // As the first process of a virtual machine (src/vm/machine.h).
  if (argc >= 2 && std::string_view(argv[1]) == "guest" && getpid() == 1) {
    sockproof::RunAsGuest(argc == 2);
  }
  // A caller may have closed these; what is opened next must not take their place.
  while (true) {
    const int fd = open("/dev/null", O_RDWR);
    if (fd > STDERR_FILENO) close(fd);
    if (fd < 0 || fd > STDERR_FILENO) break;
  }
  sockproof::LeaveFirstProcessBehind();
  return sockproof::Main(argc, argv);
}
